import { FormatError } from '../errors.js';
import { kernels } from './memory.js';

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

/** Rows are worked on in pieces of about this size, which stay in the processor's cache and bound the memory of the kernels. */
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

/** True when the stored bytes of a band are just its array. */
function isPlain({ nSample, predictor, bigEndian, bits, reversedBits }: BlockForm, size: number): boolean {
  return nSample === 1 && predictor === 1 && bits === size * 8 && (!bigEndian || bits === 8) && !reversedBits;
}

/** Unpacks nRow rows at `at` (changing them) into one planar array per sample asked for, each at its pointer in `outs`. */
function unpackPiece(
  form: BlockForm,
  piece: { at: number; nRow: number; scratch: number },
  samples: readonly number[],
  outs: readonly number[],
): void {
  const { exports: e } = kernels();
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
  const unpack = e[`unpack_${(size * 8) as 8 | 16 | 32 | 64}`];
  samples.forEach((sample, i) => {
    unpack(from, nSample, sample, nRow, width, predict, outs[i]!);
  });
}

/**
 * Undoes what TIFF did to the samples of a block before it compressed them: bit order, byte order, predictor, odd bit depths,
 * interleaving.
 *
 * @param bytes the decompressed rows, at least nRow of them
 * @param samples which of the block's samples to take
 * @param outs one array per sample, [≥ nRow][width], whose elements have `sampleBytes(form)` bytes; written from the start
 */
export function unpackBlock(
  form: BlockForm,
  { bytes, nRow }: { bytes: Uint8Array; nRow: number },
  samples: readonly number[],
  outs: readonly ArrayBufferView[],
): void {
  const size = sampleBytes(form);
  const stride = rowBytes(form);
  const targets = outs.map((out) => new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
  if (isPlain(form, size)) {
    targets[0]!.set(bytes.subarray(0, nRow * stride));
    return;
  }
  const k = kernels();
  const piece = Math.min(nRow, Math.max(1, Math.floor(PIECE_BYTES / stride)));
  const planeBytes = piece * form.width * size;
  k.scope(() => {
    const at = k.alloc(piece * stride + 16);
    const scratch = k.alloc(planeBytes * form.nSample + 16);
    const planes = samples.map(() => k.alloc(planeBytes));
    const memory = k.u8(0, k.exports.memory.buffer.byteLength);
    for (let row = 0; row < nRow; row += piece) {
      const n = Math.min(piece, nRow - row);
      memory.set(bytes.subarray(row * stride, (row + n) * stride), at);
      unpackPiece(form, { at, nRow: n, scratch }, samples, planes);
      const nByte = n * form.width * size;
      planes.forEach((plane, i) => {
        targets[i]!.set(memory.subarray(plane, plane + nByte), row * form.width * size);
      });
    }
  });
}

/** Bytes that the decoders may look at behind their input, and write behind their output. */
const INPUT_SLACK = 32;
const OUTPUT_SLACK = 384;

/** Copies into wasm memory, runs a decoder there, copies the result out. */
function inWasm(
  bytes: Uint8Array,
  nOut: number,
  scratchBytes: number,
  run: (at: number, scratch: number, out: number) => number,
): Uint8Array {
  const k = kernels();
  return k.scope(() => {
    const at = k.alloc(bytes.length + INPUT_SLACK);
    const scratch = k.alloc(scratchBytes);
    const out = k.alloc(nOut + OUTPUT_SLACK);
    k.u8(at, bytes.length).set(bytes);
    const n = run(at, scratch, out);
    if (n < 0) throw new FormatError(n === -2 ? 'the checksum is wrong' : 'the compressed data is corrupt');
    return k.u8(out, n).slice();
  });
}

/** LZW as in TIFF (both kinds) → at most `rawBytes`; a shorter stream gives a shorter array. Throws FormatError when it is corrupt. */
export function unlzw(bytes: Uint8Array, rawBytes: number): Uint8Array {
  // A stream begins with the code to clear the table, 256: in nine bits, most significant first, 0x80 0x0…; least first, 0x00 0x1….
  const old = bytes.length > 1 && bytes[0] === 0 && (bytes[1]! & 1) === 1;
  const e = kernels().exports;
  return inWasm(bytes, rawBytes, e.lzw_scratch(), (at, scratch, out) =>
    e.unlzw(at, bytes.length, old ? 1 : 0, scratch, out, rawBytes),
  );
}

/** PackBits → at most `rawBytes`; shorter input gives a shorter array. Throws FormatError when a run leaves the input. */
export function unpackRuns(bytes: Uint8Array, rawBytes: number): Uint8Array {
  const e = kernels().exports;
  return inWasm(bytes, rawBytes, 0, (at, _, out) => e.unpack_runs(at, bytes.length, out, rawBytes));
}

/**
 * A zlib stream → at most `rawBytes`; a shorter stream gives a shorter array, a longer one is cut off. Throws FormatError when it
 * is corrupt, cut off or has the wrong checksum.
 */
export function inflate(bytes: Uint8Array, rawBytes: number): Uint8Array {
  const e = kernels().exports;
  return inWasm(bytes, rawBytes, e.inflate_scratch(), (at, scratch, out) =>
    e.inflate(at, bytes.length, scratch, out, rawBytes),
  );
}
