import { sha1, sha256 } from '#platform';
import { type CogLayout, LEADER_BYTES, TRAILER_BYTES } from './cog-layout.js';
import type { Pyramid } from './cog-pyramid.js';
import type { Sink } from './sink.js';

/** Tiles are gathered into pieces of this size. */
const COPY_BYTES = 2 ** 22;

/**
 * Writes head and tiles one after the other, each tile with its size in front and its last bytes repeated behind.
 *
 * @returns the digests of the file
 */
export async function assembleCog(
  sink: Sink,
  pyramid: Pyramid,
  layout: CogLayout,
  signal: AbortSignal | undefined,
): Promise<{ sha1: string; sha256: string }> {
  const hashes = [sha1(), sha256()] as const;
  let end = 0;
  const append = async (bytes: Uint8Array): Promise<void> => {
    signal?.throwIfAborted();
    for (const hash of hashes) hash.update(bytes);
    await sink.write(end, bytes);
    end += bytes.length;
  };
  await append(layout.head);
  let buffer = new Uint8Array(COPY_BYTES);
  let filled = 0;
  for (let level = pyramid.tileBytes.length - 1; level >= 0; level--) {
    const sizes = pyramid.tileBytes[level]!;
    for (let index = 0; index < sizes.length; index++) {
      const size = sizes[index]!;
      if (size === 0) continue;
      const framed = LEADER_BYTES + size + TRAILER_BYTES;
      if (filled + framed > buffer.length) {
        await append(buffer.subarray(0, filled));
        if (framed > buffer.length) buffer = new Uint8Array(framed);
        filled = 0;
      }
      const bytes = await pyramid.readTile(level, index);
      new DataView(buffer.buffer).setUint32(filled, size, true);
      buffer.set(bytes, filled + LEADER_BYTES);
      buffer.set(bytes.subarray(Math.max(0, size - TRAILER_BYTES)), filled + LEADER_BYTES + size);
      filled += framed;
    }
  }
  await append(buffer.subarray(0, filled));
  return { sha1: hashes[0].hex(), sha256: hashes[1].hex() };
}
