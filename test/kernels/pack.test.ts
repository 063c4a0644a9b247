import { describe, expect, it } from 'vitest';
import { Kernels } from '../../build/kernels/memory.js';
import { type PackDtype, SAMPLE_BYTES } from '../../build/kernels/overview.js';
import { packRows } from '../../build/kernels/pack.js';
import { seeded } from '../random.ts';

interface Shape {
  nBand: number;
  nRow: number;
  width: number;
  /** Bytes of a sample. */
  size: number;
}

/** The reader's side of TIFF's predictors, naively: chunky bytes of one row, in place. */
function unpredict(bytes: Uint8Array, { nBand, width, size }: Shape, predictor: 1 | 2 | 3): void {
  const nSample = width * nBand;
  if (predictor === 2) {
    for (let i = nBand; i < nSample; i++) {
      let carry = 0;
      for (let b = 0; b < size; b++) {
        const sum = bytes[i * size + b]! + bytes[(i - nBand) * size + b]! + carry;
        bytes[i * size + b] = sum;
        carry = sum >> 8;
      }
    }
  } else if (predictor === 3) {
    for (let i = nBand; i < nSample * size; i++) bytes[i] = bytes[i]! + bytes[i - nBand]!;
    const shuffled = bytes.slice();
    for (let i = 0; i < nSample; i++) {
      for (let b = 0; b < size; b++) bytes[i * size + b] = shuffled[(size - 1 - b) * nSample + i]!;
    }
  }
}

/** Chunky → planar. */
function unpack(packed: Uint8Array, shape: Shape, predictor: 1 | 2 | 3): Uint8Array {
  const { nBand, nRow, width, size } = shape;
  const rowBytes = width * nBand * size;
  const rows = packed.slice();
  for (let row = 0; row < nRow; row++) unpredict(rows.subarray(row * rowBytes, (row + 1) * rowBytes), shape, predictor);
  const out = new Uint8Array(rows.length);
  for (let px = 0; px < nRow * width; px++) {
    for (let band = 0; band < nBand; band++) {
      const from = (px * nBand + band) * size;
      out.set(rows.subarray(from, from + size), (band * nRow * width + px) * size);
    }
  }
  return out;
}

const k = new Kernels();
const SHAPES = [
  [1, 1, 1],
  [1, 3, 64],
  [3, 2, 17],
  [4, 2, 16],
  [16, 2, 5],
  [19, 1, 3],
] as const;

describe.each(Object.keys(SAMPLE_BYTES) as PackDtype[])('%s', (dtype) => {
  it.each(dtype.startsWith('f') ? ([1, 3] as const) : ([1, 2] as const))(
    'unpacks to the same with predictor %i',
    (predictor) => {
      for (const [nBand, nRow, width] of SHAPES) {
        const random = seeded(nBand * width);
        const size = SAMPLE_BYTES[dtype];
        const bytes = Uint8Array.from({ length: nBand * nRow * width * size }, () => random() * 256);
        const packed = k.scope(() => {
          const ptr = k.alloc(bytes.length);
          const out = k.alloc(bytes.length);
          k.u8(ptr, bytes.length).set(bytes);
          packRows(k, { ptr, dtype, nBand, nRow, width }, predictor, out);
          return k.u8(out, bytes.length).slice();
        });
        expect(unpack(packed, { nBand, nRow, width, size }, predictor)).toEqual(bytes);
      }
    },
  );
});
