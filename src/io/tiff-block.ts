import { FormatError, KernelError, UnsupportedError } from '../errors.js';
import { rowBytes, unpackBlock } from '../kernels/codec.js';
import { codecOf } from './compression.js';
import type { SampleArray } from './raster.js';
import { filledArray } from './samples.js';
import type { TiffImage } from './tiff-image.js';

/** Rows that a block really has: the last strip ends with the image. */
export function blockRows({ level, strips }: TiffImage, row: number): number {
  return strips ? Math.min(level.tileHeight, level.height - row * level.tileHeight) : level.tileHeight;
}

/** Which block: for messages, and its row for the last strip's height. */
export interface BlockRef {
  url: string;
  name: string;
  row: number;
}

/**
 * Compressed bytes of a block → the samples asked for, planar [tileHeight][tileWidth] each; rows below a last strip hold `fill`.
 * A block that is corrupt, or has fewer bytes than its size says, is a FormatError.
 */
export async function decodeBlock(
  image: TiffImage,
  bytes: Uint8Array,
  ref: BlockRef,
  request: { samples: readonly number[]; fill: readonly (number | null)[] },
): Promise<SampleArray[]> {
  const { level, form, dtype } = image;
  const nRow = blockRows(image, ref.row);
  const rawBytes = rowBytes(form) * nRow;
  const codec = codecOf(ref.url, image.compression);
  const decompress = await codec.load();
  let raw: Uint8Array;
  try {
    raw = await decompress(bytes, rawBytes, image);
  } catch (error) {
    if (error instanceof KernelError || error instanceof UnsupportedError) throw error;
    const cause = error as Error;
    throw new FormatError(`${ref.url}: ${ref.name}: ${cause.message}`, { url: ref.url }, { cause });
  }
  if (raw.length < rawBytes) {
    throw new FormatError(`${ref.url}: ${ref.name} has ${raw.length} bytes of data, and ${rawBytes} are wanted`, {
      url: ref.url,
    });
  }
  const whole = nRow === level.tileHeight;
  const outs = request.samples.map((_, i) =>
    filledArray(dtype, level.tileWidth * level.tileHeight, whole ? 0 : request.fill[i]!),
  );
  const stored = codec.native ? { ...form, bigEndian: false, reversedBits: false } : form;
  unpackBlock(stored, { bytes: raw, nRow }, request.samples, outs);
  return outs;
}
