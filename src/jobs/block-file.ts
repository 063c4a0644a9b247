import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { sha256 } from '#platform';
import type { BlockResult } from '../stats/spec.js';

/** The planes of a block, output after output, behind their SHA-256 in hexadecimal. */
const DIGEST_BYTES = 64;

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = sha256();
  for (const part of parts) hash.update(part);
  return hash.hex();
}

/** What a block's file is made of. */
export function partsOfBlock(planes: BlockResult['planes']): Uint8Array[] {
  const parts = planes.flat();
  return [new TextEncoder().encode(digestOf(parts)), ...parts];
}

/** The planes in the bytes of a block's file; null when they are not what was written. */
export function splitBlock(
  bytes: Uint8Array,
  planeBytes: readonly (readonly number[])[],
): BlockResult['planes'] | null {
  const total = planeBytes.flat().reduce((sum, size) => sum + size, DIGEST_BYTES);
  if (bytes.length !== total) return null;
  const digest = new TextDecoder().decode(bytes.subarray(0, DIGEST_BYTES));
  if (digest !== digestOf([bytes.subarray(DIGEST_BYTES)])) return null;
  let at = DIGEST_BYTES;
  // Copies: the writers of rasters take planes as whole buffers.
  const next = (size: number) => {
    at += size;
    return new Uint8Array(bytes.subarray(at - size, at));
  };
  return planeBytes.map((sizes) => sizes.map(next));
}

/** Writes the planes of a finished block to the local disk; the name appears when all is there. */
export async function writeBlockFile(path: string, planes: BlockResult['planes']): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const file = await open(partial, 'wx');
  try {
    await file.writev(partsOfBlock(planes));
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

/** Reads planes of these sizes back; null when the file is not there, or not what was written. */
export async function readBlockFile(
  path: string,
  planeBytes: readonly (readonly number[])[],
): Promise<BlockResult['planes'] | null> {
  const total = planeBytes.flat().reduce((sum, bytes) => sum + bytes, DIGEST_BYTES);
  const file = await open(path, 'r').catch(() => null);
  if (!file) return null;
  try {
    if ((await file.stat()).size !== total) return null;
    return splitBlock(await readFile(file), planeBytes);
  } finally {
    await file.close();
  }
}
