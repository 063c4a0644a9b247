import { describe, expect, it } from 'vitest';
import { ARRAY_OF } from '../../build/io/tile-collector.js';
import { Kernels } from '../../build/kernels/memory.js';
import {
  halveInto,
  mergeSummaries,
  type OverviewMethod,
  type PackDtype,
  summarize,
} from '../../build/kernels/overview.js';
import { seeded } from '../random.ts';

const SIZES = [
  [1, 1],
  [2, 2],
  [3, 5],
  [5, 3],
  [64, 63],
  [65, 1],
  [1, 64],
] as const;
const k = new Kernels();

function halfEven(x: number): number {
  const low = Math.floor(x);
  return x - low === 0.5 ? low + Math.abs(low % 2) : Math.round(x);
}

const REDUCE = {
  average: (valid: number[], isFloat: boolean) => {
    const mean = valid.reduce((p, q) => p + q, 0) / valid.length;
    return isFloat ? mean : halfEven(mean);
  },
  mode: (valid: number[]) => {
    const times = (v: number): number => valid.filter((w) => w === v).length;
    return [...valid].sort((p, q) => times(q) - times(p) || p - q)[0]!;
  },
};

interface Case {
  dtype: PackDtype;
  width: number;
  height: number;
  stride: number;
  nodata: number | null;
}

/** The same as the kernel, naively. */
function halve(
  data: ArrayLike<number>,
  method: OverviewMethod,
  { dtype, width, height, stride, nodata }: Case,
): number[] {
  const isFloat = dtype.startsWith('f');
  const out: number[] = [];
  for (let row = 0; row < height; row += 2) {
    for (let col = 0; col < width; col += 2) {
      const four = [0, 1, 2, 3]
        .map((q) => [row + (q >> 1), col + (q & 1)] as const)
        .filter(([r, c]) => r < height && c < width)
        .map(([r, c]) => data[r * stride + c]!);
      const valid = four.filter((v) => !Number.isNaN(v) && v !== nodata);
      if (method === 'nearest') out.push(four[0]!);
      else out.push(valid.length > 0 ? REDUCE[method](valid, isFloat) : (nodata ?? (isFloat ? NaN : 0)));
    }
  }
  return [...ARRAY_OF[dtype].from(out)].map((v) => v + 0);
}

/** Few distinct values, so that ties and missing neighbours are common; rows two px longer than what counts. */
function plane({ dtype, stride, height }: Case): InstanceType<(typeof ARRAY_OF)[PackDtype]> {
  const random = seeded(stride * 100 + height);
  const isFloat = dtype.startsWith('f');
  const values = Array.from({ length: stride * height }, () => {
    if (isFloat && random() < 0.2) return NaN;
    return Math.floor(random() * 5) - (dtype.startsWith('u') ? 0 : 2) + (isFloat ? 0.25 : 0);
  });
  return ARRAY_OF[dtype].from(values);
}

function inWasm(dtype: PackDtype, ptr: number, length: number) {
  return new ARRAY_OF[dtype](k.exports.memory.buffer, ptr, length);
}

describe.each(Object.keys(ARRAY_OF) as PackDtype[])('%s', (dtype) => {
  const nodatas = dtype.startsWith('f') ? [null, 0.25, NaN] : [null, 1];
  const cases: Case[] = SIZES.flatMap(([width, height]) =>
    nodatas.map((nodata) => ({ dtype, width, height, stride: width + 2, nodata })),
  );

  it.each(['nearest', 'average', 'mode'] as const)('halves by %s like the naive reference', (method) => {
    for (const size of cases) {
      const data = plane(size);
      const [w, h] = [(size.width + 1) >> 1, (size.height + 1) >> 1];
      const got = k.scope(() => {
        const ptr = k.alloc(data.byteLength);
        const out = k.alloc(w * h * 8);
        inWasm(dtype, ptr, data.length).set(data);
        halveInto(k, { ...size, ptr, stridePx: size.stride }, method, { ptr: out, stridePx: w });
        return [...inWasm(dtype, out, w * h)];
      });
      expect(got, JSON.stringify(size)).toEqual(halve(data, method, size));
    }
  });

  it('summarises like the naive reference', () => {
    for (const size of cases) {
      const data = plane(size);
      const got = k.scope(() => {
        const ptr = k.alloc(data.byteLength);
        inWasm(dtype, ptr, data.length).set(data);
        return summarize(k, { ...size, ptr, stridePx: size.stride });
      });
      const valid = [...data].filter((v, i) => i % size.stride < size.width && !Number.isNaN(v) && v !== size.nodata);
      const mean = valid.reduce((p, q) => p + q, 0) / (valid.length || 1);
      expect(got.count).toBe(valid.length);
      expect([got.minimum, got.maximum]).toEqual([Math.min(...valid), Math.max(...valid)]);
      expect(got.mean).toBeCloseTo(mean, 12);
      expect(got.squares).toBeCloseTo(
        valid.reduce((p, q) => p + (q - mean) ** 2, 0),
        9,
      );
    }
  });
});

it('averages the largest integers without overflow', () => {
  const got = k.scope(() => {
    const ptr = k.alloc(16);
    const out = k.alloc(16);
    inWasm('u32', ptr, 4).fill(4294967295);
    halveInto(k, { ptr, dtype: 'u32', width: 2, height: 2, stridePx: 2, nodata: null }, 'average', {
      ptr: out,
      stridePx: 1,
    });
    return inWasm('u32', out, 1)[0];
  });
  expect(got).toBe(4294967295);
});

it('merges summaries of parts to that of the whole', () => {
  const part = (values: number[]) => {
    const mean = values.reduce((p, q) => p + q, 0) / values.length;
    const squares = values.reduce((p, q) => p + (q - mean) ** 2, 0);
    return { count: values.length, minimum: Math.min(...values), maximum: Math.max(...values), mean, squares };
  };
  const empty = { count: 0, minimum: Infinity, maximum: -Infinity, mean: 0, squares: 0 };
  const whole = part([1, 2, 3, 10, 20]);
  expect(mergeSummaries(empty, mergeSummaries(part([1, 2, 3]), part([10, 20])))).toEqual({
    ...whole,
    mean: expect.closeTo(whole.mean, 12),
    squares: expect.closeTo(whole.squares, 10),
  });
  expect(mergeSummaries(whole, empty)).toBe(whole);
});
