import { describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import type { Grid } from '../../build/geo/grid.js';
import { SAMPLE_BYTES } from '../../build/io/raster.js';
import { Kernels } from '../../build/kernels/memory.js';
import { compositeBlock, samplesOf } from '../../build/stats/composite.js';
import { placeAcross, ratiosOf } from '../../build/stats/placement.js';
import type { CompositeSpec, Resampling, SourceScene } from '../../build/stats/spec.js';
import { frontDoor } from '../fixture/front-door.js';
import { blocksOf } from '../fixture/scenes.js';
import { type ZoneOptions, zoneStack } from '../fixture/zones.js';
import * as naive from '../reference.js';

type Stack = ReturnType<typeof zoneStack>;
type Cut = Parameters<typeof blocksOf>[1];

/** All results of a spec, each band as the bytes of the whole grid. */
async function results({ spec, cache }: Pick<Stack, 'spec' | 'cache'>, cut: Cut): Promise<Record<string, Uint8Array>> {
  const k = new Kernels();
  const { width, height } = spec.grid;
  const whole: Record<string, Uint8Array> = {};
  for (const block of blocksOf(spec, cut)) {
    const { planes } = await compositeBlock({ k, spec, cache }, block);
    for (const [i, output] of spec.outputs.entries()) {
      for (const [band, name] of output.bands.entries()) {
        const key = `${output.statistic.key} ${name}`;
        const size = SAMPLE_BYTES[output.dtype];
        whole[key] ??= new Uint8Array(width * height * size);
        for (let y = 0; y < block.height; y++) {
          const line = planes[i]![band]!.subarray(y * block.width * size, (y + 1) * block.width * size);
          whole[key].set(line, ((block.row + y) * width + block.col) * size);
        }
      }
    }
  }
  return whole;
}

const WHOLE: Cut = { width: 2000, height: 2000, stripRows: 2000, hold: 'memory' };
const CUTS: readonly Cut[] = [
  { ...WHOLE, stripRows: 1 },
  { width: 32, height: 32, stripRows: 7, hold: 'memory' },
  { width: 19, height: 11, stripRows: 4, hold: 'memory' },
  { width: 40, height: 75, stripRows: 5, hold: 'spill' },
];

/** The scenes of one day, whatever their CRS. */
const oneDay = ({ scenes }: Stack): Partial<CompositeSpec> => ({
  observations: [
    { timeMs: scenes[0]!.timeMs, scenes: scenes.slice(0, 6) },
    { timeMs: scenes[6]!.timeMs, scenes: scenes.slice(6) },
  ],
});

describe('scenes of several CRSs: a composite does not depend on how it is cut', () => {
  const methods: Resampling[] = ['nearest', 'bilinear', 'cubic', 'average', 'mode'];
  const cases: [string, ZoneOptions, ((stack: Stack) => Partial<CompositeSpec>)?][] = [
    ...methods.flatMap((resampling): [string, ZoneOptions][] => [
      [`${resampling}, finer`, { change: { resampling } }],
      [`${resampling}, coarser`, { targetPx: 27, dtype: 'f32', change: { resampling } }],
    ]),
    ['all of one day', {}, oneDay],
    ['masks after fusing', { change: { maskWhen: 'after-fuse', resampling: 'cubic' } }, oneDay],
  ];
  it.each(cases)('%s', async (_name, options, change) => {
    const stack = zoneStack(options);
    Object.assign(stack.spec, change?.(stack));
    const expected = await results(stack, WHOLE);
    const counts = samplesOf('u16', expected['count count']!.slice());
    expect(Math.max(...counts)).toBeGreaterThan(change ? 1 : 4);
    expect(Math.min(...counts)).toBe(0);
    for (const cut of CUTS) {
      const got = await results(stack, cut);
      for (const key of Object.keys(expected)) {
        expect(Buffer.compare(got[key]!, expected[key]!), `${key}, cut ${JSON.stringify(cut)}`).toBe(0);
      }
    }
  });
});

interface Look {
  source: naive.Source;
  own: Grid;
  exact: (x: number, y: number) => [number, number] | null;
}

async function lookAt({ spec, rasters, arrays }: Stack, scene: SourceScene, name: string): Promise<Look> {
  const { href } = scene.sources[name]!;
  const { grid, bands } = rasters.get(href)!.header;
  const { width, height } = grid!;
  const source = { data: arrays.get(href)!, width, height, nodata: bands[0]!.nodata };
  return { source, own: grid!, exact: await frontDoor(spec.grid, grid!) };
}

/** Positions a little around the exact one: cells may be 0.001 px off. */
const NEAR = [
  [0, 0],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
].map(([x, y]) => [x! * 0.0011, y! * 0.0011] as const);

/** The values that a pixel of one scene and band may have, missing ones NaN, over the whole grid. */
async function valuesOf(stack: Stack, scene: SourceScene, name: string): Promise<number[][]> {
  const { spec } = stack;
  const { source, own, exact } = await lookAt(stack, scene, name);
  const ratios = ratiosOf(await placeAcross(own, spec.grid));
  // Along the axes bilinear never sees more than four pixels.
  const narrow = spec.resampling === 'bilinear' && own.crs.epsg === spec.grid.crs.epsg;
  const ratio = narrow ? ([1, 1] as const) : ([naive.kernelRatioOf(ratios.x), naive.kernelRatioOf(ratios.y)] as const);
  const one = (x: number, y: number, [dx, dy]: readonly [number, number]): number[] => {
    const at = (ox: number, oy: number) => {
      const [px, py] = exact(x + ox, y + oy)!;
      return [px + dx, py + dy] as const;
    };
    const ring = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
    if (spec.resampling === 'nearest') return [naive.nearestOf(source, at(0.5, 0.5))];
    if (spec.resampling === 'average') return [naive.meanUnder(source, ring)];
    if (spec.resampling === 'mode') {
      const modes = naive.modesUnder(source, ring);
      return modes.length > 0 ? modes : [Number.NaN];
    }
    return [naive.blendOf(source, at(0.5, 0.5), { cubic: spec.resampling === 'cubic', ratio })];
  };
  const { width, height } = spec.grid;
  return Array.from({ length: width * height }, (_, px) =>
    NEAR.flatMap((near) => one(px % width, Math.floor(px / width), near)),
  );
}

/** Whether a pixel of one scene is masked, as far as its exact position says: 0, 1, or 2 where it is too near to another. */
async function maskOf(stack: Stack, scene: SourceScene): Promise<number[]> {
  const { source, exact } = await lookAt(stack, scene, 'cls');
  const [{ values, steps }] = stack.spec.masks as [CompositeSpec['masks'][number]];
  const mask = naive.morphologyOf(
    naive.classMaskOf(Float64Array.from(source.data), 'drop', values),
    source.width,
    source.height,
    steps,
  );
  const { width, height } = stack.spec.grid;
  return Array.from({ length: width * height }, (_, px) => {
    const [x, y] = exact((px % width) + 0.5, Math.floor(px / width) + 0.5)!;
    const seen = NEAR.map(([dx, dy]) => naive.nearestOf({ ...source, data: mask, nodata: null }, [x + dx, y + dy]));
    const bad = seen.map((value) => (Number.isNaN(value) ? 1 : value));
    return bad.every((value) => value === bad[0]) ? bad[0]! : 2;
  });
}

describe('scenes of several CRSs equal the naive reference', () => {
  it.each([
    ['nearest', 8],
    ['bilinear', 8],
    ['cubic', 8],
    ['average', 8],
    ['mode', 8],
    ['bilinear', 27],
    ['cubic', 27],
    ['average', 27],
    ['mode', 27],
  ] as const)('%s at %i m', async (resampling, targetPx) => {
    const stack = zoneStack({ dtype: 'f32', statistics: 'first', targetPx, change: { resampling } });
    const { width, height } = stack.spec.grid;
    let [compared, valid] = [0, 0];
    for (const scene of stack.scenes) {
      const spec = { ...stack.spec, observations: [{ timeMs: 0, scenes: [scene] }] };
      const got = await results({ spec, cache: stack.cache }, WHOLE);
      const mask = await maskOf(stack, scene);
      const bands = await Promise.all(spec.bands.map((name) => valuesOf(stack, scene, name)));
      for (let px = 0; px < width * height; px++) {
        const wanted = bands.map((band) => band[px]!);
        const gaps = wanted.map((values) => values.filter(Number.isNaN).length);
        // What is missing here and there around a position says nothing; `first` wants both bands.
        if (mask[px] === 2 || gaps.some((n, band) => n > 0 && n < wanted[band]!.length)) continue;
        compared++;
        for (const [band, name] of spec.bands.entries()) {
          const value = samplesOf('f32', got[`first ${name}`]!.slice() as Uint8Array<ArrayBuffer>)[px]!;
          if (mask[px] === 1 || gaps.some((n) => n > 0)) {
            expect(value).toBeNaN();
            continue;
          }
          valid++;
          const [low, high] = [Math.min(...wanted[band]!), Math.max(...wanted[band]!)];
          const place = `${scene.id} ${name} ${px % width},${Math.floor(px / width)}`;
          if (resampling === 'nearest' || resampling === 'mode') expect(wanted[band], place).toContain(value);
          else {
            expect(value, place).toBeGreaterThan(low - 0.5);
            expect(value, place).toBeLessThan(high + 0.5);
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(0.9 * width * height * stack.scenes.length);
    expect(valid).toBeGreaterThan(0.2 * compared);
  });

  it('of one day, masks after fusing: a class comes from the first scene that has one', async () => {
    const stack = zoneStack({ statistics: 'first', change: { maskWhen: 'after-fuse' } });
    const [mask] = stack.spec.masks as [CompositeSpec['masks'][number]];
    // Without filters the lattices of the classes do not show.
    Object.assign(stack.spec, {
      masks: [{ ...mask, steps: [] }],
      observations: oneDay(stack).observations!.slice(0, 1),
    });
    const scenes = stack.spec.observations[0]!.scenes;
    const got = await results(stack, WHOLE);
    const looks = await Promise.all(scenes.map((scene) => lookAt(stack, scene, 'cls')));
    const values = await Promise.all(
      scenes.map((scene) => Promise.all(['a', 'c'].map((b) => valuesOf(stack, scene, b)))),
    );
    const { width, height } = stack.spec.grid;
    const planes = ['a', 'c'].map((name) => samplesOf('u16', got[`first ${name}`]!.slice() as Uint8Array<ArrayBuffer>));
    let [compared, masked, valid] = [0, 0, 0];
    for (let px = 0; px < width * height; px++) {
      const classes = looks.map(({ source, exact }) => {
        const [x, y] = exact((px % width) + 0.5, Math.floor(px / width) + 0.5)!;
        return NEAR.map(([dx, dy]) => naive.nearestOf(source, [x + dx, y + dy]));
      });
      const sure = (list: readonly number[]) => list.every((v) => Object.is(v, list[0]));
      const bands = values.map((scene) => scene.map((band) => band[px]!));
      if (!classes.every(sure) || !bands.flat().every(sure)) continue;
      compared++;
      const own = classes.map(([first]) => first!).find((value) => !Number.isNaN(value));
      const pixels = bands.map((scene) => scene.map(([first]) => first!));
      const whole = pixels.find((pixel) => !pixel.some(Number.isNaN));
      const bad = own !== undefined && mask.values.includes(own);
      if (bad) masked++;
      if (own === undefined) continue;
      const wanted = bad || !whole ? [0, 0] : whole;
      if (!bad && whole) valid++;
      expect(planes.map((plane) => plane[px])).toEqual(wanted);
    }
    expect(compared).toBeGreaterThan(0.8 * width * height);
    expect(Math.min(masked, valid)).toBeGreaterThan(100);
  });
});

describe('cubic and mode along the axes', () => {
  it('equal those of the same pixels read naively', async () => {
    for (const resampling of ['cubic', 'mode'] as const) {
      const stack = zoneStack({ dtype: 'f32', statistics: 'first', change: { resampling, masks: [] } });
      const scene = stack.scenes[0]!;
      const own = scene.sources.a!.grid!;
      const [a, , c, , e, f] = own.affine;
      const grid = {
        ...own,
        crs: parseCrs('EPSG:32631'),
        affine: [a * 1.5, 0, c + 3, 0, e * 1.5, f + 20] as const,
        width: 50,
        height: 45,
      };
      const spec = { ...stack.spec, grid, bands: ['a'], outputs: [{ ...stack.spec.outputs[0]!, bands: ['a'] }] };
      const one = {
        ...stack,
        spec: { ...spec, observations: [{ timeMs: 0, scenes: [scene] }], bandDtypes: ['f32' as const] },
      };
      const got = samplesOf('f32', (await results(one, WHOLE))['first a']!.slice() as Uint8Array<ArrayBuffer>);
      const source = { data: stack.arrays.get('0/a')!, width: own.width, height: own.height, nodata: null };
      let valid = 0;
      for (let px = 0; px < 50 * 45; px++) {
        const at = (dx: number, dy: number) =>
          [0.3 + 1.5 * ((px % 50) + dx), -2 + 20 / e + 2 + 1.5 * (Math.floor(px / 50) + dy)] as const;
        const ring = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
        const wanted =
          resampling === 'mode'
            ? naive.modesUnder(source, ring)
            : [naive.blendOf(source, at(0.5, 0.5), { cubic: true, ratio: [1.5, 1.5] })];
        const value = got[px]!;
        if (wanted.length === 0 || wanted.some(Number.isNaN)) expect(value).toBeNaN();
        else {
          valid++;
          expect(
            wanted.some((v) => Math.abs(v - value) < 0.01),
            `${resampling} ${px}: ${value}, ${wanted}`,
          ).toBe(true);
        }
      }
      expect(valid).toBeGreaterThan(500);
    }
  });
});
