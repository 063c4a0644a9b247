// The only file that imports geotiff. It serves as a library of codecs for pictures inside TIFFs (LERC, JPEG); its readers are
// not used: see cog.ts.
import { getDecoder } from 'geotiff';
import { FormatError } from '../errors.js';
import type { TiffImage } from './tiff-image.js';

/** Decodes one block with geotiff's decoder → samples in the machine's byte order. */
export async function decodeForeign(bytes: Uint8Array, _rawBytes: number, image: TiffImage): Promise<Uint8Array> {
  const { level, form, compression, jpegTables, lerc } = image;
  const decoder = await getDecoder(compression, {
    tileWidth: level.tileWidth,
    tileHeight: level.tileHeight,
    predictor: 1,
    bitsPerSample: form.bits,
    planarConfiguration: level.planar || form.nSample === 1 ? 2 : 1,
    ...(jpegTables && { JPEGTables: jpegTables }),
    ...(lerc && { LercParameters: lerc }),
  });
  try {
    return new Uint8Array(await decoder.decodeBlock(bytes.slice().buffer));
  } catch (cause) {
    throw new FormatError(`the compressed data is corrupt: ${(cause as Error).message ?? cause}`, {}, { cause });
  }
}
