import { FormatError } from '../errors.js';

async function pipe(bytes: Uint8Array, through: GenericTransformStream): Promise<Uint8Array> {
  const body = new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(through));
  return new Uint8Array(await body.arrayBuffer());
}

/** Inflates a zlib stream to at most `rawBytes`, where it stops; a shorter stream gives a shorter array. */
export async function inflate(bytes: Uint8Array, rawBytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(rawBytes);
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'))
    .getReader();
  let at = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const piece = part.value.subarray(0, rawBytes - at);
      out.set(piece, at);
      at += piece.length;
      if (at === rawBytes) break;
    }
    await reader.cancel();
  } catch (cause) {
    if (at < rawBytes) throw new FormatError(`deflate data is corrupt: ${(cause as Error).message}`, {}, { cause });
  }
  return out.subarray(0, at);
}

/** Deflates to a zlib stream; the browser chooses the level. */
export function deflate(bytes: Uint8Array, _level: number | 'runs'): Promise<Uint8Array> {
  return pipe(bytes, new CompressionStream('deflate'));
}

/** Compresses to one zstd frame, level 1–22. */
export async function zstdCompress(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  return (await import('./zstd-encoder.js')).zstdEncode(bytes, level);
}
