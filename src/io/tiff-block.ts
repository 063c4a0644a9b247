import { FormatError, KernelError, UnsupportedError } from '../errors.js';
import { rowBytes, unpackBlock } from '../kernels/codec.js';
import { codecOf } from './compression.js';
import type { SampleArray } from './raster.js';
import { filledArray } from './samples.js';
import { clumpedBytes, rgbOfClumps } from './tiff-colour.js';
import type { TiffImage } from './tiff-image.js';

/** Rows of a block that lie in the image; some writers leave out the others, in strips as in tiles. */
export function blockRows({ level }: TiffImage, row: number): number {
  return Math.min(level.tileHeight, level.height - row * level.tileHeight);
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
  const codec = codecOf(ref.url, image.compression);
  const clumped = image.ycbcr !== null && !codec.native;
  const stride = rowBytes(form);
  const bytesOfRows = (rows: number): number =>
    clumped ? clumpedBytes(form.width, rows, image.ycbcr!.subsampling) : stride * rows;
  const rawBytes = bytesOfRows(level.tileHeight);
  const leastBytes = bytesOfRows(blockRows(image, ref.row));
  const decompress = await codec.load();
  let raw: Uint8Array;
  try {
    raw = await decompress(bytes, rawBytes, image);
  } catch (error) {
    if (error instanceof KernelError || error instanceof UnsupportedError) throw error;
    const cause = error as Error;
    throw new FormatError(`${ref.url}: ${ref.name}: ${cause.message}`, { url: ref.url }, { cause });
  }
  if (raw.length < leastBytes) {
    throw new FormatError(`${ref.url}: ${ref.name} has ${raw.length} bytes of data, and ${leastBytes} are wanted`, {
      url: ref.url,
    });
  }
  if (clumped) raw = rgbOfClumps(raw, form.width, blockRows(image, ref.row), image.ycbcr!);
  const nRow = Math.min(level.tileHeight, Math.floor(raw.length / stride));
  const whole = nRow === level.tileHeight;
  const outs = request.samples.map((_, i) =>
    filledArray(dtype, level.tileWidth * level.tileHeight, whole ? 0 : request.fill[i]!),
  );
  const stored = codec.native ? { ...form, bigEndian: false, reversedBits: false } : form;
  unpackBlock(stored, { bytes: raw, nRow }, request.samples, outs);
  return outs;
}
