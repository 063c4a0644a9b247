import { describe, expect, it } from 'vitest';
import { Kernels } from '../../build/kernels/memory.js';
import { compositeBlock, samplesOf } from '../../build/stats/composite.js';
import type { CompositeSpec, SourceScene } from '../../build/stats/spec.js';
import { copyTile } from '../fixture/copy-tile.js';
import { blocksOf, memoryStack, type StackOptions } from '../fixture/scenes.js';
import * as naive from '../reference.js';

type Stack = ReturnType<typeof memoryStack>;
type Image = { get(x: number, y: number): number };

/** A whole raster of one tile size, by ground coordinates; NaN outside and where missing. */
async function imageOf({ rasters }: Stack, { href }: { href: string }, isMask: boolean): Promise<Image> {
  const raster = rasters.get(href)!;
  const { width, height, levels, bands, grid } = raster.header;
  const { tileWidth, tileHeight, tilesAcross, tilesDown } = levels[0]!;
  const pixels = new Float64Array(width * height);
  for (let row = 0; row < tilesDown; row++) {
    for (let col = 0; col < tilesAcross; col++) {
      const [tile] = await copyTile(raster, { level: 0, col, row }, [0]);
      for (let y = 0; y < tileHeight && row * tileHeight + y < height; y++) {
        for (let x = 0; x < tileWidth && col * tileWidth + x < width; x++) {
          const value = Number(tile![y * tileWidth + x]);
          const missing = !isMask && value === bands[0]!.nodata;
          pixels[(row * tileHeight + y) * width + col * tileWidth + x] = missing ? Number.NaN : value;
        }
      }
    }
  }
  const mask = isMask ? naive.morphologyOf(naive.classMaskOf(pixels, 'drop', [3, 8]), width, height, STEPS) : null;
  const [px, , left, , py, top] = grid!.affine;
  return {
    get(x, y) {
      const [col, row] = [Math.floor((x - left) / px), Math.floor((y - top) / py)];
      if (col < 0 || row < 0 || col >= width || row >= height) return mask ? 1 : Number.NaN;
      return mask ? mask[row * width + col]! : pixels[row * width + col]!;
    },
  };
}

const STEPS = [
  { op: 'closing', radiusPx: 1 },
  { op: 'dilation', radiusPx: 2 },
] as const;

/** The observations [date][band] of every pixel: nearest, masked, and of one day the first scene that is valid in all bands. */
async function pixelsOf(stack: Stack): Promise<number[][][]> {
  const { spec } = stack;
  const images = new Map<SourceScene, { values: Image[]; mask: Image }>();
  for (const scene of spec.observations.flatMap(({ scenes }) => scenes)) {
    const values = await Promise.all(spec.bands.map((band) => imageOf(stack, scene.sources[band]!, false)));
    images.set(scene, { values, mask: await imageOf(stack, scene.sources.cls!, true) });
  }
  const [px, , left, , py, top] = spec.grid.affine;
  return Array.from({ length: spec.grid.width * spec.grid.height }, (_, i) => {
    const x = left + ((i % spec.grid.width) + 0.5) * px;
    const y = top + (Math.floor(i / spec.grid.width) + 0.5) * py;
    return spec.observations.map(({ scenes }) => {
      const seen = scenes.map((scene) => {
        const { values, mask } = images.get(scene)!;
        return values.map((image) => (mask.get(x, y) ? Number.NaN : image.get(x, y)));
      });
      if (seen.length === 1) return seen[0]!;
      return seen.find((v) => !v.some(Number.isNaN)) ?? seen.find((v) => !v.every(Number.isNaN)) ?? seen[0]!;
    });
  });
}

/** Every statistic of one pixel in f64, keyed and banded as the outputs are. */
function statisticsOf(dates: readonly number[][]): Record<string, number[]> {
  const whole = dates.filter((values) => !values.some(Number.isNaN));
  const series = dates[0]!.map((_, band) =>
    naive.validSorted(
      dates.map((values) => values[band]!),
      null,
    ),
  );
  const none = dates[0]!.map(() => Number.NaN);
  const geomedian = whole.length > 0 ? naive.geomedianOf(whole) : none;
  return {
    median: series.map(naive.medianOf),
    p25: series.map((sorted) => naive.linearPercentile(sorted, 25)),
    mean: series.map(naive.meanOf),
    std: series.map(naive.stdOf),
    min: series.map(naive.minOf),
    max: series.map(naive.maxOf),
    count: [whole.length],
    first: whole[0] ?? none,
    last: whole.at(-1) ?? none,
    medoid: whole[naive.medoidOf(whole)] ?? none,
    geomedian,
    mads: whole.length > 0 ? naive.madsOf(whole, geomedian) : [NaN, NaN, NaN],
  };
}

/** How far results may be from the reference beyond their rounding: the geomedian stops at a step of eps. */
const TOLERANCE: Record<string, number> = { geomedian: 0.02, emad: 0.02, smad: 1e-4, bcmad: 1e-4 };

async function compare(stack: Stack): Promise<void> {
  const { spec, cache } = stack;
  const { width, height } = spec.grid;
  const [block] = blocksOf(spec, { width, height, stripRows: 9, hold: 'memory' });
  const { planes } = await compositeBlock({ k: new Kernels(), spec, cache }, block!);
  const expected = (await pixelsOf(stack)).map(statisticsOf);
  expect(expected.some(({ count }) => count![0] === 0) && expected.some(({ count }) => count![0]! > 3)).toBe(true);
  for (const [o, { statistic, dtype, bands, nodata }] of spec.outputs.entries()) {
    for (const [band, name] of bands.entries()) {
      const got = samplesOf(dtype, planes[o]![band]!);
      const wrong = expected.flatMap((pixel, i) => {
        const wanted = pixel[statistic.key]![band]!;
        const value = got[i] === nodata ? Number.NaN : got[i]!;
        if (Number.isNaN(wanted) || Number.isNaN(value)) return Number.isNaN(wanted) && Number.isNaN(value) ? [] : [i];
        const rounding = dtype.startsWith('f') ? 1e-6 * Math.abs(wanted) : 0.5;
        return Math.abs(value - wanted) <= rounding + (TOLERANCE[statistic.key] ?? TOLERANCE[name] ?? 0) ? [] : [i];
      });
      expect(wrong, `pixels that differ in ${statistic.key} ${name}`).toEqual([]);
    }
  }
}

const MASK: Partial<CompositeSpec> = {
  masks: [{ band: 'cls', mode: 'drop', values: [3, 8], steps: [...STEPS] }],
  eps: 0.001,
};

/** One day of three scenes. */
function twins({ scenes }: Stack): Partial<CompositeSpec> {
  const single = scenes.slice(3).map((scene) => ({ timeMs: scene.timeMs, scenes: [scene] }));
  return { observations: [{ timeMs: scenes[0]!.timeMs, scenes: scenes.slice(0, 3) }, ...single] };
}

describe('a composite of seeded random scenes equals the naive one in f64', () => {
  const cases: [string, StackOptions][] = [
    ['u8', { dtype: 'u8' }],
    ['u16', { dtype: 'u16' }],
    ['i16', { dtype: 'i16', nodata: -9999 }],
    ['f32', { dtype: 'f32', nodata: -1 }],
    ['one pixel high', { height: 1, width: 67, dates: 9 }],
    ['odd sizes, many dates', { width: 31, height: 17, dates: 16, seed: 3 }],
  ];
  describe.each(cases)('%s', (_name, options) => {
    it('dates of one scene', async () => {
      await compare(memoryStack({ ...options, change: MASK }));
    });
    it('same-day twins', async () => {
      const stack = memoryStack({ ...options, change: MASK });
      Object.assign(stack.spec, twins(stack));
      await compare(stack);
    });
  });
});
