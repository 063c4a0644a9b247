import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layer, type PlanInput, planBlocks } from '../../build/jobs/plan.js';
import { parseBytes } from '../../build/limit.js';

const layer = (change: Partial<Layer> = {}): Layer => ({
  name: 'B02',
  usedBands: 1,
  storedBands: 1,
  bytesPerSample: 2,
  ratioX: 1,
  ratioY: 1,
  tileWidth: 512,
  tileHeight: 512,
  originCol: 0,
  originRow: 0,
  halo: 0,
  spread: [1, 0, 0, 1],
  cellBytes: 0,
  mask: false,
  tileBytes: 200_000,
  ...change,
});

function planInput(change: Partial<PlanInput> & { scenes?: number } = {}): PlanInput {
  const { scenes = 20, width = 2000, height = 1500, ...rest } = change;
  return {
    width,
    height,
    layers: [
      layer(),
      layer({ name: 'B11', ratioX: 2, ratioY: 2, tileWidth: 1024, tileHeight: 1024 }),
      layer({ name: 'SCL (mask)', bytesPerSample: 1, ratioX: 2, ratioY: 2, halo: 18, mask: true }),
    ],
    footprints: Array.from({ length: scenes }, (_, observation) => ({ col: 0, row: 0, width, height, observation })),
    nBand: 2,
    stackSampleBytes: 2,
    outputPixelBytes: 18,
    workPixelBytes: 28,
    threads: 2,
    memoryLimitBytes: 2 ** 30,
    canSpill: true,
    ...rest,
  };
}

const shapes = fc.record({
  width: fc.integer({ min: 1, max: 12_000 }),
  height: fc.integer({ min: 1, max: 12_000 }),
  scenes: fc.integer({ min: 1, max: 60 }),
  threads: fc.integer({ min: 0, max: 8 }),
  memoryLimitBytes: fc.integer({ min: 2 ** 26, max: 2 ** 33 }),
  canSpill: fc.boolean(),
  layers: fc.array(
    fc
      .record({
        tileWidth: fc.integer({ min: 16, max: 2048 }),
        tileHeight: fc.integer({ min: 1, max: 2048 }),
        originCol: fc.integer({ min: -5000, max: 5000 }),
        originRow: fc.integer({ min: -5000, max: 5000 }),
        halo: fc.integer({ min: 0, max: 40 }),
        bytesPerSample: fc.constantFrom(1, 2, 4, 8),
        mask: fc.boolean(),
      })
      .map(layer),
    { minLength: 1, maxLength: 5 },
  ),
});

/** The least limit that the refusal names, in bytes; null where the plan was made. */
function leastNamed(input: PlanInput): number | null {
  try {
    planBlocks(input);
    return null;
  } catch (error) {
    return parseBytes(/the least that works here is ([\d.]+ \w+)/.exec((error as Error).message)![1]!);
  }
}

describe('the plan', () => {
  it('stays within the limit, or names a least limit that works and is needed', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const input = planInput(shape);
        const least = leastNamed(input);
        if (least === null) {
          const plan = planBlocks(input);
          expect(plan.predictedPeakBytes).toBeLessThanOrEqual(input.memoryLimitBytes);
        } else {
          expect(least).toBeGreaterThan(input.memoryLimitBytes);
          const plan = planBlocks({ ...input, memoryLimitBytes: least });
          expect(plan.predictedPeakBytes).toBeLessThanOrEqual(least);
          expect(leastNamed({ ...input, memoryLimitBytes: Math.floor(least * 0.98) })).not.toBeNull();
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('tiles the grid exactly', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const [width, height] = [Math.min(shape.width, 3000), Math.min(shape.height, 3000)];
        const { blocks } = planBlocks(planInput({ ...shape, width, height, memoryLimitBytes: 2 ** 45 }));
        expect(blocks.reduce((sum, b) => sum + b.width * b.height, 0)).toBe(width * height);
        expect(new Set(blocks.map((b) => `${b.col},${b.row}`)).size).toBe(blocks.length);
        const inside = blocks.filter(
          (b, i) =>
            b.index === i &&
            Math.min(b.col, b.row, b.width - 1, b.height - 1, b.stripRows - 1) >= 0 &&
            b.col + b.width <= width &&
            b.row + b.height <= height,
        );
        expect(inside).toHaveLength(blocks.length);
        const edges = (at: 'col' | 'row') => new Set(blocks.map((b) => b[at])).size;
        expect(edges('col') * edges('row')).toBe(blocks.length);
      }),
      { numRuns: 25, seed: 2 },
    );
  });

  it('is plain data, and the same every time', () => {
    const plan = planBlocks(planInput());
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(planBlocks(planInput())).toEqual(plan);
  });

  it('follows the tiles where memory allows, and decodes each once', () => {
    const plan = planBlocks(planInput({ width: 4096, height: 4096, memoryLimitBytes: 2 ** 35, layers: [layer()] }));
    expect(plan.decodeFactor).toBe(1);
    expect(plan.blocks.every(({ col, row }) => col % 512 === 0 && row % 512 === 0)).toBe(true);
  });

  it('plans a large file of one-line strips', () => {
    const strips = [layer({ tileWidth: 16, tileHeight: 1 })];
    const plan = planBlocks(planInput({ width: 2609, height: 11_969, layers: strips, memoryLimitBytes: 2 ** 33 }));
    expect(plan.blocks.length).toBeGreaterThan(0);
  });

  it('reads ahead with what the best blocks leave of the limit, and cuts no block otherwise for it', () => {
    const near = planBlocks(planInput());
    expect(near.blocks.some((block) => 'aheadBytes' in block)).toBe(false);
    const far = planBlocks(planInput({ isFar: true }));
    expect(far.blocks).toEqual(near.blocks.map((block) => ({ ...block, aheadBytes: 32 * 2 ** 20 })));
    expect(far.predictedPeakBytes).toBe(near.predictedPeakBytes + 64 * 2 ** 20);
    const tight = near.predictedPeakBytes + 20 * 2 ** 20;
    const some = planBlocks(planInput({ isFar: true, memoryLimitBytes: tight }));
    expect(some.blocks[0]!.aheadBytes).toBe(10 * 2 ** 20);
    expect(some.predictedPeakBytes).toBeLessThanOrEqual(tight);
    const none = planBlocks(planInput({ isFar: true, memoryLimitBytes: near.predictedPeakBytes + 1000 }));
    expect(none).toEqual(planBlocks(planInput({ memoryLimitBytes: near.predictedPeakBytes + 1000 })));
  });

  it('has room for a codec in each thread', () => {
    const memoryLimitBytes = 2 ** 35;
    const peak = (codecBytes: number) => planBlocks(planInput({ memoryLimitBytes, codecBytes })).predictedPeakBytes;
    expect(peak(80 * 2 ** 20) - peak(0)).toBe(2 * 80 * 2 ** 20);
  });

  it('decodes less often again what decodes slowly', () => {
    const plan = (slowdown: number) =>
      planBlocks(planInput({ layers: [layer({ slowdown, halo: 40, mask: false })], memoryLimitBytes: 2 ** 29 }));
    expect(plan(17).decodeFactor).toBeLessThanOrEqual(plan(1).decodeFactor);
    expect(plan(17).decodeFactor).toBeGreaterThan(0.9);
  });

  it('names what fits with fewer threads', () => {
    expect(() => planBlocks(planInput({ threads: 8, memoryLimitBytes: 2 ** 28 }))).toThrow(/with --threads 1\)/);
  });
});
