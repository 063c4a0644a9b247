// The only file that imports geotiff. It serves for the codec that is not ours, LERC; its readers are not used: see cog.ts.

import { getDecoder } from 'geotiff';
import { FormatError, UnsupportedError } from '../errors.js';
import { expand } from '../kernels/codec.js';
import type { TiffImage } from './tiff-image.js';
import { unzstd } from './zstd-decoder.js';

const MAGIC = 'Lerc2 ';

/** The blob inside a block: LERC may have been compressed once more. Bounded by more than a useful blob can have. */
async function unwrap(bytes: Uint8Array, rawBytes: number, around: number): Promise<Uint8Array> {
  const most = 2 * rawBytes + 65536;
  if (around === 0) return bytes;
  if (around === 1) return expand({ bytes, packing: 'deflate' }, most);
  if (around === 2) return unzstd(bytes, most);
  throw new UnsupportedError(`LERC with compression ${around} around it is not read`);
}

/** The decoder takes memory as the blob's header says, so that must be the block's size. */
function checkHeader(blob: Uint8Array, { level, form }: TiffImage): void {
  if (blob.length < 40 || new TextDecoder().decode(blob.subarray(0, 6)) !== MAGIC) {
    throw new FormatError('LERC data is corrupt: its header is not of LERC 2');
  }
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const version = view.getInt32(6, true);
  const at = version >= 3 ? 14 : 10;
  const [rows, cols] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
  const depth = version >= 4 ? view.getInt32(at + 8, true) : 1;
  if (cols !== form.width || rows < 1 || rows > level.tileHeight || depth !== form.nSample) {
    throw new FormatError(`LERC data is corrupt: a blob of ${cols} × ${rows} × ${depth}`);
  }
}

/** Decodes one LERC block (with deflate or zstd around it) → samples in the machine's byte order. */
export async function decodeLerc(bytes: Uint8Array, rawBytes: number, image: TiffImage): Promise<Uint8Array> {
  const { level, form, compression, lerc } = image;
  const blob = await unwrap(bytes, rawBytes, lerc?.[1] ?? 0);
  checkHeader(blob, image);
  const decoder = await getDecoder(compression, {
    tileWidth: level.tileWidth,
    tileHeight: level.tileHeight,
    predictor: 1,
    bitsPerSample: form.bits,
    planarConfiguration: form.nSample === 1 ? 2 : 1,
    LercParameters: [lerc?.[0] ?? 0, 0],
  } as Parameters<typeof getDecoder>[1]);
  try {
    return new Uint8Array(await decoder.decodeBlock(new Uint8Array(blob).buffer)).subarray(0, rawBytes);
  } catch (cause) {
    throw new FormatError(`LERC data is corrupt: ${(cause as Error).message ?? cause}`, {}, { cause });
  }
}
