import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gridOfSize } from '../../build/geo/grid.js';
import { type CompositeOptions, composite, readScenes } from '../../build/index.js';
import { prepareComposite } from '../../build/jobs/prepare.js';
import { HEIGHT, JP2, type Jp2Fixture, jp2Bytes, WIDTH } from '../fixture/jp2.js';
import { data } from '../io/corpus.js';

const AFFINE = [10, 0, 600_000, 0, -10, 5_600_000] as const;
const CRS = { epsg: 32631, definition: null, geoKeys: null };
const OPTIONS: CompositeOptions = { statistics: 'median', masks: ['none'], group: 'none', threads: 0 };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-jp2-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a scene of one band and its item, which may state a frame of `width` px. */
async function scene(id: string, fixture: Jp2Fixture, frame: { width: number; height: number } | null) {
  const at = path.join(folder, id);
  await mkdir(at);
  await writeFile(path.join(at, 'red.j2k'), jp2Bytes(fixture));
  const step = frame && (10 * WIDTH) / frame.width;
  const place = frame && {
    'proj:shape': [frame.height, frame.width],
    'proj:transform': [step, 0, AFFINE[2], 0, -step!, AFFINE[5]],
  };
  const red = { href: 'red.j2k', 'raster:bands': [{ nodata: 0 }], ...place };
  const properties = { datetime: '2022-01-05T10:00:00Z', 'proj:epsg': 32631 };
  const item = { type: 'Feature', stac_version: '1.0.0', id, geometry: null, properties, links: [], assets: { red } };
  await writeFile(path.join(at, 'item.json'), JSON.stringify(item));
  return readScenes(path.join(at, 'item.json'));
}

const truth = Array.from({ length: WIDTH * HEIGHT }, (_, i) => JP2.index.value(0, i % WIDTH, Math.floor(i / WIDTH)));

describe('a composite of JPEG 2000', () => {
  it('is placed by the file', async () => {
    const { results } = await composite(await scene('boxes', JP2.index, null), OPTIONS);
    expect(results.median!.grid).toMatchObject({ affine: AFFINE, width: WIDTH, height: HEIGHT });
    expect([...results.median!.data[0]!]).toEqual(truth);
  });

  it('is placed by the item where the file does not tell', async () => {
    const scenes = await scene('item', JP2.codestream, { width: WIDTH, height: HEIGHT });
    const { results } = await composite(scenes, OPTIONS);
    expect(results.median!.grid).toMatchObject({ affine: AFFINE, width: WIDTH, height: HEIGHT });
    expect([...results.median!.data[0]!]).toEqual(truth);
  });

  it('is spread over the frame of an item that speaks of a larger original, and says so', async () => {
    const scenes = await scene('reduced', JP2.codestream, { width: 12 * WIDTH, height: 12 * HEIGHT });
    const warnings: string[] = [];
    const like = { crs: CRS, affine: AFFINE, width: WIDTH, height: HEIGHT };
    const { results } = await composite(scenes, { ...OPTIONS, like, onWarning: (text) => warnings.push(text) });
    expect([...results.median!.data[0]!]).toEqual(truth);
    expect(warnings.join()).toContain('the item says size 864 × 600, the file says 72 × 50');
  });

  it('is refused where the sizes of file and item have nothing to do with each other', async () => {
    const scenes = await scene('odd', JP2.codestream, { width: 100, height: 90 });
    await expect(composite(scenes, OPTIONS)).rejects.toThrow(
      /no georeference, and its 72 × 50 px are no whole fraction of the item's 100 × 90/,
    );
  });

  it('reads a reduced resolution for a coarse target', async () => {
    const like = { crs: CRS, affine: [40, 0, 600_000, 0, -40, 5_600_000] as const, width: 18, height: 12 };
    const { results } = await composite(await scene('coarse', JP2.index, null), { ...OPTIONS, like });
    // Near the middle of a ramp, the low band is the ramp.
    const got = results.median!.data[0]![5 * 18 + 5]!;
    expect(Math.abs(got - JP2.index.value(0, 4 * 5 + 1.5, 4 * 5 + 1.5))).toBeLessThanOrEqual(60);
  });

  it('counts the memory of the codec, in each thread', async () => {
    const scenes = await scene('memory', JP2.index, null);
    const peak = async (threads: number, from = scenes) => {
      const { plan } = await prepareComposite(from, { ...OPTIONS, threads });
      return plan.predictedPeakBytes;
    };
    const [one, two] = [await peak(1), await peak(2)];
    expect(two - one).toBeGreaterThan((96 + 80) * 2 ** 20);
  });
});

describe('the grid of a picture in another size', () => {
  const grid = { crs: CRS, affine: AFFINE, width: 10980, height: 10980 };
  it.each([
    [915, 120],
    [5490, 20],
    [687, 109_800 / 687],
    [10980, 10],
    [21960, 5],
  ])('%i px have steps of %d m', (size, step) => {
    const own = gridOfSize(grid, { width: size, height: size })!;
    expect(own.affine[0]).toBeCloseTo(step, 9);
    expect(own.affine.slice(2, 3)).toEqual([600_000]);
    expect(own.width).toBe(size);
  });

  it.each([384, 7000, 10979])('%i px are a part, not a copy', (size) => {
    expect(gridOfSize(grid, { width: size, height: size })).toBeNull();
  });
});

const multidate = path.join(data, 's2-l2a-33TWM-120m');
const there = existsSync(multidate);
const SCENES = ['20230810', '20230813', '20230815', '20230818', '20230820'].map((date) =>
  ['S2A', 'S2B']
    .map((platform) => `${platform}_33TWM_${date}_0_L2A`)
    .find((id) => existsSync(path.join(multidate, id))),
);

describe.skipIf(!there)(there ? 'real scenes of an archive' : 'real scenes (skipped: there is no such data)', () => {
  /** The archive's own items, with bands from files beside them. */
  const withFiles = async (name: string, hrefOf: (id: string, band: string) => string) => {
    const at = path.join(folder, name);
    await mkdir(at);
    for (const id of SCENES as string[]) {
      const item = JSON.parse(readFileSync(path.join(multidate, id, `${id}.json`), 'utf8'));
      const { red, scl } = item.assets;
      item.assets = { red: { ...red, href: hrefOf(id, 'B04') }, scl: { ...scl, href: hrefOf(id, 'SCL') } };
      await writeFile(path.join(at, `${id}.json`), JSON.stringify(item));
    }
    return readScenes(at);
  };

  it('gives the same composite from codestreams and from COGs of their pixels', async () => {
    const codestreams = await withFiles('j2k', (id, band) => path.join(multidate, id, `${band}.j2k`));
    const cogs = await withFiles('cog', (id, band) => path.join(multidate, 'cog', id, `${band}.tif`));
    const options: CompositeOptions = {
      bands: ['red'],
      statistics: 'median,mean,count',
      masks: ['scl drop 0,1,3,8,9,10,12'],
      like: path.join(multidate, 'cog', SCENES[0]!, 'B04.tif'),
      threads: 0,
    };
    const [ours, wanted] = [await composite(codestreams, options), await composite(cogs, options)];
    for (const name of ['median', 'mean', 'count']) {
      expect([...ours.results[name]!.data[0]!], name).toEqual([...wanted.results[name]!.data[0]!]);
    }
    expect(ours.results.count!.data[0]!.some((n) => n > 2)).toBe(true);
  });
});
