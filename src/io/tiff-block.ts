import { FormatError, KernelError, UnsupportedError } from '../errors.js';
import type { Window } from '../geo/grid.js';
import { expand, expandBlock, type PackedBlock, rowBytes, unpackBlock } from '../kernels/codec.js';
import { kernels } from '../kernels/memory.js';
import { codecOf } from './compression.js';
import type { TakePlane } from './raster.js';
import { arrayAt, fillSamples } from './samples.js';
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

/** A decoder's error as one of the block that it met. */
function blockError(error: unknown, { url, name }: BlockRef): unknown {
  if (error instanceof KernelError || error instanceof UnsupportedError) return error;
  const cause = error as Error;
  return new FormatError(`${url}: ${name}: ${cause.message}`, { url }, { cause });
}

/** Throws when a block ends before the rows that lie in the image do. */
function checkLength(bytes: number, leastBytes: number, { url, name }: BlockRef): void {
  if (bytes >= leastBytes) return;
  throw new FormatError(`${url}: ${name} has ${bytes} bytes of data, and ${leastBytes} are wanted`, { url });
}

/** The block as the kernels take it: decompressed if that is not for them to do, and subsampled colours made RGB. */
async function kernelBlock(image: TiffImage, bytes: Uint8Array, ref: BlockRef): Promise<PackedBlock> {
  const { level, form, ycbcr } = image;
  const codec = codecOf(ref.url, image.compression);
  const clumped = ycbcr !== null && !codec.native;
  const wanted = (rows: number): number =>
    clumped ? clumpedBytes(form.width, rows, ycbcr.subsampling) : rowBytes(form) * rows;
  const rawBytes = wanted(level.tileHeight);
  let block: PackedBlock;
  try {
    if (codec.packing) block = { bytes, packing: codec.packing };
    else block = { bytes: await (await codec.load())(bytes, rawBytes, image), packing: 'none' };
    if (!clumped) return block;
    block = { bytes: expand(block, rawBytes), packing: 'none' };
  } catch (error) {
    throw blockError(error, ref);
  }
  const rows = blockRows(image, ref.row);
  checkLength(block.bytes.length, wanted(rows), ref);
  return { bytes: rgbOfClumps(block.bytes, form.width, rows, ycbcr), packing: 'none' };
}

/**
 * Bytes of a block up to the end of a rectangle's last pixel, at most up to the image's end. The floating-point predictor mixes the
 * bytes of a row, which is then wanted whole.
 */
function wantedBytes({ level, form }: TiffImage, rows: number, within: Window | undefined): number {
  if (!within || within.row + within.height > rows) return rowBytes(form) * rows;
  const before = within.row + within.height - 1;
  const cols = form.predictor === 3 ? level.tileWidth : within.col + within.width;
  return rowBytes(form) * before + Math.ceil((cols * form.nSample * form.bits) / 8);
}

/**
 * Compressed bytes of a block → the samples asked for, planar [tileHeight][tileWidth] each, lent to `take` one after the other where
 * they lie in the kernels' memory; rows below a last strip hold `fill`. A block that is corrupt, or has fewer bytes than its size
 * says, is a FormatError.
 */
export async function decodeBlock(
  image: TiffImage,
  bytes: Uint8Array,
  ref: BlockRef,
  request: {
    samples: readonly number[];
    fill: readonly (number | null)[];
    take: TakePlane;
    within?: Window | undefined;
  },
): Promise<void> {
  const { level, form, dtype } = image;
  const block = await kernelBlock(image, bytes, ref);
  const { native } = codecOf(ref.url, image.compression);
  const stored = native ? { ...form, bigEndian: false, reversedBits: false } : form;
  const stride = rowBytes(form);
  const k = kernels();
  const rows = blockRows(image, ref.row);
  const wanted = wantedBytes(image, rows, request.within);
  const isPart = wanted < stride * rows;
  const expanded = () => {
    try {
      return expandBlock(k, block, isPart ? wanted : stride * level.tileHeight, stride * level.tileHeight);
    } catch (error) {
      throw blockError(error, ref);
    }
  };
  // No closure a block: what engines compile of one is lost when none is alive as they collect garbage.
  const before = k.exports.mark();
  try {
    const { at, length } = expanded();
    checkLength(length, wanted, ref);
    const nRow = isPart ? Math.ceil(length / stride) : Math.floor(length / stride);
    const planes = unpackBlock(k, stored, { at, nRow, rows: level.tileHeight }, request);
    for (const [i, ptr] of planes.entries()) {
      const plane = arrayAt(dtype, k.exports.memory.buffer, ptr, level.tileWidth * level.tileHeight);
      if (!isPart) fillSamples(plane, nRow * level.tileWidth, request.fill[i]!);
      request.take(plane, i);
    }
  } finally {
    k.exports.release(before);
  }
}
