async function pipe(bytes: Uint8Array, through: GenericTransformStream): Promise<Uint8Array> {
  const body = new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(through));
  return new Uint8Array(await body.arrayBuffer());
}

/** Deflates to a zlib stream; the browser chooses the level. */
export function deflate(bytes: Uint8Array, _level: number | 'runs'): Promise<Uint8Array> {
  return pipe(bytes, new CompressionStream('deflate'));
}

/** Compresses to one zstd frame, level 1–22. */
export async function zstdCompress(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  return (await import('./zstd-encoder.js')).zstdEncode(bytes, level);
}
