// The only file that imports geotiff. It serves for the codec that is not ours, LERC; its readers are not used: see cog.ts.
import { getDecoder } from 'geotiff';
import { FormatError } from '../errors.js';
import type { TiffImage } from './tiff-image.js';

/** Decodes one LERC block (with deflate or zstd around it) → samples in the machine's byte order. */
export async function decodeLerc(bytes: Uint8Array, rawBytes: number, image: TiffImage): Promise<Uint8Array> {
  const { level, form, compression, lerc } = image;
  const decoder = await getDecoder(compression, {
    tileWidth: level.tileWidth,
    tileHeight: level.tileHeight,
    predictor: 1,
    bitsPerSample: form.bits,
    planarConfiguration: form.nSample === 1 ? 2 : 1,
    ...(lerc && { LercParameters: lerc }),
  } as Parameters<typeof getDecoder>[1]);
  try {
    return new Uint8Array(await decoder.decodeBlock(bytes.slice().buffer)).subarray(0, rawBytes);
  } catch (cause) {
    throw new FormatError(`LERC data is corrupt: ${(cause as Error).message ?? cause}`, {}, { cause });
  }
}
