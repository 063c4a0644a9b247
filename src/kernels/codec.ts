import { FormatError } from '../errors.js';
import { type Kernels, kernels } from './memory.js';

/** What a decompressed block of a TIFF holds: rows of pixel-interleaved samples. */
export interface BlockForm {
  /** Bits of a stored sample: 1–32 for unsigned integers, 8, 16, 32, 64 for all integers, 16, 24, 32, 64 for floats. */
  bits: number;
  float: boolean;
  /** Samples of a pixel in this block: all bands of a chunky file, one of a planar one. */
  nSample: number;
  /** px */
  width: number;
  predictor: 1 | 2 | 3;
  bigEndian: boolean;
  /** FillOrder 2: the bits of each byte come the other way round. */
  reversedBits: boolean;
}

/** Rows are worked on in pieces of about this size, which stay in the processor's cache. */
const PIECE_BYTES = 1 << 18;

/** Bytes of a row as stored. */
export function rowBytes(form: BlockForm): number {
  return Math.ceil((form.width * form.nSample * form.bits) / 8);
}

/** Bytes of a sample once it is widened to a whole number type or float. */
export function sampleBytes(form: BlockForm): 1 | 2 | 4 | 8 {
  if (form.bits > 32) return 8;
  if (form.float || form.bits > 16) return 4;
  return form.bits > 8 ? 2 : 1;
}

/** True when samples can be unpacked where they lie: alone in their pixels, and as wide as they will be. */
function inPlace({ nSample, predictor, bits }: BlockForm, size: number): boolean {
  return nSample === 1 && predictor !== 3 && bits === size * 8;
}

/** Unpacks nRow rows at `at` (changing them) into one planar array per sample asked for, each at its pointer in `outs`. */
function unpackPiece(
  k: Kernels,
  form: BlockForm,
  piece: { at: number; nRow: number; scratch: number; within?: Rectangle | undefined },
  samples: readonly number[],
  outs: readonly number[],
): void {
  const { exports: e } = k;
  const { bits, float, nSample, width, predictor, bigEndian, reversedBits } = form;
  const { at, nRow, scratch } = piece;
  const size = sampleBytes(form);
  const nValue = nRow * width * nSample;
  const floatBytes = bits / 8;
  if (reversedBits) e.reverse_bits(at, nRow * rowBytes(form));
  if (predictor === 3) {
    e.sum_bytes(at, nRow, rowBytes(form), nSample);
    samples.forEach((sample, i) => {
      const short = floatBytes < size;
      e.join_bytes(at, nSample, sample, nRow, width, floatBytes, short ? scratch : outs[i]!);
      if (short) e.widen_floats(scratch, nRow * width, floatBytes, outs[i]!);
    });
    return;
  }
  if (bigEndian && (bits === 16 || bits === 32 || bits === 64 || (float && bits === 24)))
    e.swap_bytes(at, nValue, bits / 8);
  const predict = predictor === 2 ? 1 : 0;
  if (float && bits === 16) {
    samples.forEach((sample, i) => {
      e.unpack_16(at, nSample, sample, nRow, width, predict, scratch);
      e.widen_floats(scratch, nRow * width, 2, outs[i]!);
    });
    return;
  }
  let from = at;
  if (float && bits === 24) {
    e.widen_floats(at, nValue, 3, scratch);
    from = scratch;
  } else if (bits !== size * 8) {
    // A stream of odd bits comes most significant first; three whole bytes come in the order of the file.
    if (bits === 24 && !bigEndian) e.swap_bytes(at, nValue, 3);
    e.widen_bits(at, nRow, width * nSample, bits, size, scratch);
    from = scratch;
  }
  if (inPlace(form, size) && !predict) return;
  const unpack = e[`unpack_${(size * 8) as 8 | 16 | 32 | 64}`];
  const { within } = piece;
  if (!within || within.width > width / 2) {
    samples.forEach((sample, i) => {
      unpack(from, nSample, sample, nRow, width, predict, outs[i]!);
    });
    return;
  }
  // Differences are summed from the beginning of a row.
  const col = predict ? 0 : within.col;
  const count = within.col + within.width - col;
  const [first, end] = [Math.max(0, within.row), Math.min(nRow, within.row + within.height)];
  for (let row = first; row < end; row++) {
    const px = row * width + col;
    samples.forEach((sample, i) => {
      unpack(from + px * nSample * size, nSample, sample, 1, count, predict, outs[i]! + px * size);
    });
  }
}

/** px of a block */
interface Rectangle {
  col: number;
  row: number;
  width: number;
  height: number;
}

/**
 * Undoes what TIFF did to the samples of a block before it compressed them: bit order, byte order, predictor, odd bit depths,
 * interleaving. Returns one pointer per sample asked for, to [rows][width] elements of `sampleBytes(form)` bytes in the arena's
 * current scope, of which the first `nRow` rows are written.
 *
 * @param raw where the decompressed rows lie, which are changed: `nRow` of them with room for `rows`
 * @param request which of the block's samples to take, and the rectangle that is wanted of them (default: all)
 */
export function unpackBlock(
  k: Kernels,
  form: BlockForm,
  raw: { at: number; nRow: number; rows: number },
  { samples, within }: { samples: readonly number[]; within?: Rectangle | undefined },
): number[] {
  const size = sampleBytes(form);
  const stride = rowBytes(form);
  const { at, nRow, rows } = raw;
  if (inPlace(form, size)) {
    unpackPiece(k, form, { at, nRow, scratch: 0 }, [0], [at]);
    return samples.map(() => at);
  }
  const planes = samples.map(() => k.alloc(rows * form.width * size));
  const piece = Math.min(nRow, Math.max(1, Math.floor(PIECE_BYTES / stride)));
  k.scope(() => {
    const scratch = k.alloc(piece * form.width * form.nSample * size + 16);
    for (let row = 0; row < nRow; row += piece) {
      const outs = planes.map((plane) => plane + row * form.width * size);
      const part = within && { ...within, row: within.row - row };
      const rows = { at: at + row * stride, nRow: Math.min(piece, nRow - row), scratch, within: part };
      unpackPiece(k, form, rows, samples, outs);
    }
  });
  return planes;
}

/** How a block is compressed, as far as it is the kernels that undo it. */
export type Packing = 'none' | 'runs' | 'lzw' | 'deflate';

/** A block as it was read: PackBits (`runs`), TIFF's LZW (both kinds), or a zlib stream. */
export interface PackedBlock {
  bytes: Uint8Array;
  packing: Packing;
}

/** Bytes that the decoders may look at behind their input, and write behind their output. */
const INPUT_SLACK = 32;
const OUTPUT_SLACK = 384;

/**
 * Decompresses at most `most` bytes into the arena's current scope; a shorter stream gives fewer, a longer one is cut off.
 * Throws FormatError when it is corrupt or cut off, or has the wrong checksum, which is not looked at when the output is cut off.
 *
 * @param room bytes that are reserved for the output
 */
export function expandBlock(k: Kernels, block: PackedBlock, most: number, room = most): { at: number; length: number } {
  const { bytes, packing } = block;
  const out = k.alloc(Math.max(most, room) + OUTPUT_SLACK);
  if (packing === 'none') {
    const length = Math.min(most, bytes.length);
    k.u8(out, length).set(bytes.subarray(0, length));
    return { at: out, length };
  }
  const length = k.scope(() => {
    const at = k.alloc(bytes.length + INPUT_SLACK);
    k.u8(at, bytes.length).set(bytes);
    return decompress(k, { packing, at, length: bytes.length }, out, most);
  });
  if (length < 0) throw new FormatError(length === -2 ? 'the checksum is wrong' : 'the compressed data is corrupt');
  return { at: out, length };
}

/** Runs a decoder; returns the bytes written, −1 for corrupt data and −2 for a wrong checksum. */
function decompress(
  k: Kernels,
  { packing, at, length }: { packing: Exclude<Packing, 'none'>; at: number; length: number },
  out: number,
  most: number,
): number {
  const { exports: e } = k;
  if (packing === 'runs') return e.unpack_runs(at, length, out, most);
  if (packing === 'deflate') return e.inflate(at, length, k.alloc(e.inflate_scratch()), out, most);
  // A stream begins with the code to clear the table, 256: in nine bits, most significant first, 0x80 0x0…; least first, 0x00 0x1….
  const [first, second] = length > 1 ? k.u8(at, 2) : [];
  const old = first === 0 && (second! & 1) === 1;
  return e.unlzw(at, length, old ? 1 : 0, k.alloc(e.lzw_scratch()), out, most);
}

/** {@link expandBlock} into an array of its own. */
export function expand(block: PackedBlock, most: number): Uint8Array {
  const k = kernels();
  return k.scope(() => {
    const { at, length } = expandBlock(k, block, most);
    return k.u8(at, length).slice();
  });
}
