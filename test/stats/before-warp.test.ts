// Masked pixels are taken out before scenes are resampled: the same as scenes that never had them.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import {
  type CompositeOptions,
  composite,
  type NumericArray,
  readScenes,
  type Scene,
  writeCog,
} from '../../build/index.js';
import { digestOf } from '../browser/digest.js';
import { seeded } from '../random.js';

const CLOUD = 9;
const RECIPE = 'SCL drop 9';
const [WIDTH, HEIGHT] = [150, 130];
/** Sample types and the missing value of each; what the classes' pixels are, in px of the band: as large, twice as large, half as large. */
type Kind = readonly [name: string, samples: (n: number) => NumericArray, nodata: number | null, step: number];
const KINDS: readonly Kind[] = [
  ['u16', (n) => new Uint16Array(n), 0, 1],
  ['u16, classes of 20 m', (n) => new Uint16Array(n), 0, 2],
  ['u16, classes of 5 m', (n) => new Uint16Array(n), 0, 0.5],
  ['i16', (n) => new Int16Array(n), -999, 1],
  ['u8', (n) => new Uint8Array(n), 255, 2],
  ['f32', (n) => new Float32Array(n), -1, 1],
];

let folder = '';
let serial = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-before-warp-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Four dates, two of one day; in one kind of scene cloudy pixels are bright, in the other they are missing. */
async function written([name, samples, nodata, step]: Kind): Promise<[cloudy: Scene[], clear: Scene[]]> {
  const random = seeded(7);
  const home = join(folder, `${++serial} ${name}`);
  for (const [date, left] of [
    ['20240601T100000', 500_000],
    ['20240601T101000', 500_700],
    ['20240611T100000', 500_000],
    ['20240621T100000', 499_800],
  ] as const) {
    const grid = {
      crs: parseCrs('EPSG:32631'),
      affine: [10, 0, left, 0, -10, 5_700_000],
      width: WIDTH,
      height: HEIGHT,
    } as const;
    const [across, down] = [Math.ceil(WIDTH / step), Math.ceil(HEIGHT / step)];
    const classes = Uint8Array.from({ length: across * down }, () => (random() < 0.2 ? CLOUD : 4));
    const frame = {
      ...grid,
      affine: [10 * step, 0, left, 0, -10 * step, 5_700_000],
      width: across,
      height: down,
    } as const;
    const values = samples(WIDTH * HEIGHT).map(() => 20 + Math.round(random() * 80));
    const cloudOf = (px: number) => {
      const [col, row] = [(px % WIDTH) + 0.5, Math.floor(px / WIDTH) + 0.5];
      return classes[Math.floor(row / step) * across + Math.floor(col / step)] === CLOUD;
    };
    for (const kind of ['cloudy', 'clear']) {
      const at = join(home, kind, `S_${date}`);
      await mkdir(at, { recursive: true });
      const own = values.map((value, px) =>
        cloudOf(px) ? (kind === 'cloudy' ? 200 : (nodata ?? 0)) : value,
      ) as NumericArray;
      const options = { tileSize: 64, overviews: 'none' } as const;
      await writeCog(join(at, 'B04.tif'), { grid, names: ['B04'], data: [own], nodata }, options);
      await writeCog(join(at, 'SCL.tif'), { grid: frame, names: ['SCL'], data: [classes], nodata: 0 }, options);
    }
  }
  return [await readScenes(join(home, 'cloudy')), await readScenes(join(home, 'clear'))];
}

const OPTIONS: CompositeOptions = { bands: ['B04'], statistics: 'mean,first,count', threads: 0 };
const TARGETS: readonly [name: string, change: CompositeOptions][] = [
  ['its own grid', {}],
  ['a coarser one', { resolution: 25 }],
  ['another CRS', { crs: 'EPSG:3035', resolution: 10 }],
  ['another CRS, coarser', { crs: 'EPSG:32632', resolution: 23 }],
];

describe('masks before the warp', () => {
  describe.each(KINDS.map((kind) => ({ name: kind[0], kind })))('$name', ({ kind }) => {
    let cloudy: Scene[] = [];
    let clear: Scene[] = [];
    beforeAll(async () => {
      [cloudy, clear] = await written(kind);
    });

    it.each(TARGETS)('are as if the pixels had never been: %s', async (_, change) => {
      for (const resampling of ['nearest', 'bilinear', 'cubic', 'average', 'mode'] as const) {
        const own: CompositeOptions = { ...OPTIONS, ...change, resampling };
        const masked = await composite(cloudy, { ...own, masks: [RECIPE], maskWhen: 'before-warp' });
        const wanted = await composite(clear, { ...own, masks: ['none'] });
        expect(Math.max(...wanted.results.count!.data[0]!), resampling).toBeGreaterThan(1);
        expect(digestOf(masked), resampling).toEqual(digestOf(wanted));
      }
    });
  });

  it('leave no trace of blocks, strips and threads, filters included', async () => {
    const [cloudy] = await written(KINDS[1]!);
    for (const resampling of ['bilinear', 'average'] as const) {
      const own: CompositeOptions = {
        ...{ ...OPTIONS, crs: 'EPSG:3035', resolution: 10, resampling },
        ...{ masks: ['SCL drop 9 | opening 1 | dilation 2'], maskWhen: 'before-warp' },
      };
      const one = await composite(cloudy, own);
      const two = await composite(cloudy, { ...own, threads: 2, memoryLimitBytes: 470 * 2 ** 20 });
      expect(digestOf(two)).toEqual(digestOf(one));
    }
  });

  it('want a missing value, and masks along the axes of the band', async () => {
    const [cloudy] = await written(KINDS[0]!);
    const own: CompositeOptions = { ...OPTIONS, masks: [RECIPE], maskWhen: 'before-warp', resampling: 'bilinear' };
    const turned = cloudy.map((scene) => ({ ...scene, bands: { ...scene.bands } }));
    const grid = {
      crs: parseCrs('EPSG:32632'),
      affine: [10, 0, 90_000, 0, -10, 5_720_000],
      width: 150,
      height: 130,
    } as const;
    const data = [new Uint8Array(150 * 130).fill(4)];
    const file = join(folder, 'elsewhere.tif');
    await writeCog(file, { grid, names: ['SCL'], data, nodata: 0 });
    turned[0]!.bands.SCL = { ...turned[0]!.bands.SCL!, href: file, grid };
    await expect(composite(turned, own)).rejects.toThrow(/B04\.tif: the mask of .* before-warp wants both along/);
    const none = join(folder, 'none_20240601.tif');
    await writeCog(none, { grid, names: ['B04'], data, nodata: null });
    const bare = cloudy[0]!;
    const [other] = await readScenes(none);
    const without = {
      ...bare,
      bands: { B04: { ...Object.values(other!.bands)[0]! }, SCL: { ...bare.bands.SCL!, href: file, grid } },
    };
    await expect(composite([without], { ...own, crs: 'EPSG:32632' })).rejects.toThrow(/no missing value.*--nodata/);
  });

  it.each([-9999, 70_000, 0.5, Number.NaN])('want a missing value that samples can hold: %s', async (nodata) => {
    const [cloudy] = await written(['u16', (n) => new Uint16Array(n), null, 1]);
    // As items say it of files that do not.
    const scenes = cloudy.map((one) => ({ ...one, bands: { ...one.bands, B04: { ...one.bands.B04!, nodata } } }));
    const own: CompositeOptions = { ...OPTIONS, masks: [RECIPE], maskWhen: 'before-warp' };
    await expect(composite(scenes, own)).rejects.toThrow(
      `B04.tif has the missing value ${nodata}, which is none of uint16, to mark masked pixels with: give --nodata`,
    );
  });
});
