import { createHash } from 'node:crypto';
import type { Store } from '../../io/store.js';

/** Hashes that sums of files are made with. */
export type SumKind = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** What is read at a time. */
const PART_BYTES = 8 * 2 ** 20;

/** Bytes of a file and its sums (hexadecimal), read once, part by part. */
export async function fileSums(
  url: string,
  kinds: Iterable<SumKind>,
  { store, signal }: { store: Store; signal?: AbortSignal | undefined },
): Promise<{ bytes: number; sums: ReadonlyMap<SumKind, string> }> {
  const options = signal ? { signal } : {};
  const hashes = [...new Set(kinds)].map((kind) => [kind, createHash(kind)] as const);
  const { bytes } = await store.stat(url, options);
  let offset = 0;
  while (hashes.length > 0 && offset < bytes) {
    signal?.throwIfAborted();
    const part = await store.read(url, { offset, length: Math.min(PART_BYTES, bytes - offset) }, options);
    if (part.length === 0) break;
    for (const [, hash] of hashes) hash.update(part);
    offset += part.length;
  }
  return { bytes, sums: new Map(hashes.map(([kind, hash]) => [kind, hash.digest('hex')])) };
}

/** Code and length in front of a multihash, hexadecimal (multiformats' table). */
const MULTIHASHES: readonly (readonly [prefix: string, kind: SumKind, bytes: number])[] = [
  ['1114', 'sha1', 20],
  ['1220', 'sha256', 32],
  ['1340', 'sha512', 64],
  ['2030', 'sha384', 48],
  ['d50110', 'md5', 16],
];

/** Which hash a multihash (hexadecimal) is of, and its digest; null for what is none, or of a kind that is not made here. */
export function parseMultihash(text: string): { kind: SumKind; digest: string } | null {
  const hex = text.toLowerCase();
  if (!/^[0-9a-f]+$/.test(hex)) return null;
  const found = MULTIHASHES.find(
    ([prefix, , bytes]) => hex.startsWith(prefix) && hex.length === prefix.length + 2 * bytes,
  );
  return found ? { kind: found[1], digest: hex.slice(found[0].length) } : null;
}

/** Lines `hash␠␠file` (or a tab, or `␠*`, as sha1sum writes for binary files); empty lines are passed over, others are null. */
export function parseSumLines(text: string): ({ digest: string; name: string } | null)[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, digest, name] = /^([0-9a-fA-F]{40})(?:\t|[ ][ *]?)[ \t]*(\S.*)$/.exec(line) ?? [];
      return digest === undefined ? null : { digest: digest.toLowerCase(), name: name!.trimEnd() };
    });
}
