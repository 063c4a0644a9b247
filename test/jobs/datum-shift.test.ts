import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { type CompositeOptions, composite, type Grid, readScenes, type Scene, writeCog } from '../../build/index.js';
import { openRaster } from '../../build/io/open-raster.js';
import { readWindow } from '../../build/io/window.js';
import { prepareComposite } from '../../build/jobs/prepare.js';
import { digestOf } from '../browser/digest.js';
import { seeded } from '../random.js';

const cli = resolve(import.meta.dirname, '../../build/app/cli.js');
const GDAL = spawnSync('gdalwarp', ['--version']).status === 0;

/** Pixels of 1 m, so that the shift is one and a half of them; the south of Australia in a northern zone, and in GDA94's own. */
const FRAMES = [
  ['EPSG:32655', [1, 0, 500_000, 0, -1, -3_650_000]],
  ['EPSG:32755', [1, 0, 500_020, 0, -1, 6_350_010]],
  ['EPSG:28355', [1, 0, 500_000, 0, -1, 6_350_000]],
] as const;
const LIKE: Grid = {
  crs: parseCrs('EPSG:3577'),
  affine: [1, 0, 1_386_700, 0, -1, -3_681_400],
  width: 300,
  height: 300,
};

let folder = '';
let scenes: Scene[] = [];
let frame: Grid = LIKE;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-datums-'));
  const random = seeded(11);
  for (const [i, [crs, affine]] of FRAMES.entries()) {
    const [width, height] = [140, 120];
    const at = join(folder, 'scenes', `S_2024060${i + 1}`);
    await mkdir(at, { recursive: true });
    const values = Uint16Array.from({ length: width * height }, () => 1 + random() * 60_000);
    const classes = Uint8Array.from({ length: width * height }, () => (random() < 0.2 ? 9 : 4));
    const grid = { crs: parseCrs(crs), affine, width, height };
    const options = { tileSize: 64, overviews: 'none' } as const;
    await writeCog(join(at, 'B04.tif'), { grid, names: ['B04'], data: [values], nodata: 0 }, options);
    await writeCog(join(at, 'SCL.tif'), { grid, names: ['SCL'], data: [classes], nodata: 0 }, options);
  }
  scenes = await readScenes(join(folder, 'scenes'));
  const { results } = await composite(scenes.slice(0, 1), { ...OPTIONS, crs: 'EPSG:3577', resolution: 1 });
  frame = results.first!.grid;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPTIONS: CompositeOptions = { bands: ['B04'], statistics: 'first', masks: ['none'], threads: 0 };
const SHIFTED: CompositeOptions = { ...OPTIONS, crs: 'EPSG:3577', resolution: 1, transformCode: 'EPSG:9688' };

/** EPSG:9688 backwards, between the projections of a source and the target, as projinfo prints it. */
const pipeline = (source: string) =>
  [
    `+proj=pipeline +step +inv ${source} +ellps=WGS84 +step +proj=push +v_3 +step +proj=cart +ellps=WGS84`,
    '+step +inv +proj=helmert +x=0.06155 +y=-0.01087 +z=-0.04019 +rx=-0.0394924 +ry=-0.0327221 +rz=-0.0328979',
    '+s=-0.009994 +convention=coordinate_frame +step +inv +proj=cart +ellps=GRS80 +step +proj=pop +v_3',
    '+step +proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 +ellps=GRS80',
  ].join(' ');

async function readFirst(file: string): Promise<Uint16Array> {
  const raster = await openRaster(file);
  const { width, height } = raster.header;
  const [data] = await readWindow(raster, { level: 0, window: { col: 0, row: 0, width, height }, bands: [0] });
  await raster.close();
  return data as Uint16Array;
}

describe('a composite with a transform code', () => {
  it.skipIf(!GDAL).each([
    [0, '+proj=utm +zone=55', 'EPSG:32655'],
    [1, '+proj=utm +zone=55 +south', 'EPSG:32755'],
  ])('scene %d lies where gdalwarp -ct puts it', async (index, projection, name) => {
    const { results } = await composite([scenes[index]!], { ...SHIFTED, like: frame, resolution: undefined });
    const ours = results.first!.data[0]!;
    const [a, , c, , e, f] = frame.affine;
    const out = join(folder, `${index}.tif`);
    const file = scenes[index]!.bands.B04!.href;
    execFileSync('gdalwarp', [
      ...['-q', '-overwrite', '-et', '0', '-r', 'near', '-s_srs', name, '-t_srs', 'EPSG:3577'],
      ...['-ct', pipeline(projection), '-te', c, f + e * frame.height, c + a * frame.width, f].map(String),
      ...['-ts', frame.width, frame.height, '-srcnodata', 0, '-dstnodata', 0, file, out].map(String),
    ]);
    const theirs = await readFirst(out);
    const valid = theirs.filter((value) => value !== 0).length;
    const unequal = theirs.filter((value, px) => value !== ours[px]).length;
    expect(valid).toBeGreaterThan(10_000);
    expect(unequal / valid).toBeLessThan(0.003);
    // Without the operation hardly a pixel is where it should be.
    const plain = await composite([scenes[index]!], { ...OPTIONS, like: frame });
    expect(theirs.filter((value, px) => value !== plain.results.first!.data[0]![px]).length / valid).toBeGreaterThan(
      0.9,
    );
  });

  it('takes scenes of several datums together, each from its own, without a word', async () => {
    const warnings: string[] = [];
    const run: CompositeOptions = { ...SHIFTED, like: frame, resolution: undefined, statistics: 'count' };
    const onWarning = (text: string) => warnings.push(text);
    await composite(scenes, { ...run, onWarning });
    expect(warnings).toEqual([]);
    // What is on the target's datum already stays where it was.
    const own = await composite(scenes.slice(2), { ...run, statistics: 'first', onWarning });
    const plain = await composite(scenes.slice(2), { ...OPTIONS, like: frame });
    expect(digestOf(own)).toEqual(digestOf(plain));
    expect(warnings).toEqual([expect.stringMatching(/EPSG:9688 .*all scenes are on GDA94.*nothing is shifted/)]);
  });

  it.each(['nearest', 'bilinear', 'average'] as const)(
    'is the same in two threads, masks too: %s',
    async (resampling) => {
      const change = { resampling, masks: ['SCL drop 9 | dilation 1'], statistics: 'median,count' };
      for (const maskWhen of ['before-fuse', 'after-fuse'] as const) {
        const one = await composite(scenes, { ...SHIFTED, ...change, maskWhen });
        const two = await composite(scenes, {
          ...SHIFTED,
          ...change,
          maskWhen,
          threads: 2,
          memoryLimitBytes: 700 * 2 ** 20,
        });
        expect(digestOf(two)).toEqual(digestOf(one));
      }
    },
  );

  it('masks lie with the values they belong to', async () => {
    // Every pixel's class is known by its value: masked ones are those whose own class is 9.
    const [first] = scenes;
    const values = await readFirst(first!.bands.B04!.href);
    const classes = await readFirst(first!.bands.SCL!.href);
    const bad = new Set<number>();
    const good = new Set<number>();
    for (const [px, value] of values.entries()) (classes[px] === 9 ? bad : good).add(value);
    const { results } = await composite([first!], { ...SHIFTED, masks: ['SCL drop 9'] });
    const kept = results.first!.data[0]!.filter((value) => value !== 0);
    expect(kept.length).toBeGreaterThan(10_000);
    expect(kept.filter((value) => bad.has(value) && !good.has(value))).toHaveLength(0);
  });

  it('is part of the spec only where it is given', async () => {
    const plain = (await prepareComposite(scenes, { ...SHIFTED, transformCode: undefined })).spec;
    expect(Object.keys(plain)).not.toContain('datumShift');
    const { datumShift, ...rest } = (await prepareComposite(scenes, { ...SHIFTED, like: frame, resolution: undefined }))
      .spec;
    expect(datumShift).toMatchObject({ code: 'EPSG:9688', from: 4283, to: 4326 });
    expect(Object.keys(rest).sort()).toEqual(Object.keys(plain).sort());
  });

  it('says in one line what it cannot do', async () => {
    const message = (change: CompositeOptions) =>
      composite(scenes, { ...SHIFTED, ...change }).then(
        () => 'nothing',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    expect(await message({ transformCode: 'EPSG:1' })).toMatch(
      /^InputError: there is no datum operation "EPSG:1" here/,
    );
    expect(await message({ transformCode: 'EPSG:1188' })).toMatch(
      /^InputError: EPSG:1188 leads from NAD83 to WGS 84 or back, and the scenes are on WGS 84, GDA94, the result on GDA94$/,
    );
  });
});

describe('stackwise composite --transform-code', () => {
  it('shifts, and the item says so', async () => {
    const out = join(folder, 'out');
    const run = (code: string) =>
      spawnSync(
        process.execPath,
        [
          ...[cli, 'composite', join(folder, 'scenes'), '--out', out, '--bands', 'B04', '--stat', 'first'],
          ...['--mask', 'none', '--crs', 'EPSG:3577', '--res', '1', '--threads', '0', '--transform-code', code],
        ],
        { encoding: 'utf8' },
      );
    const wrong = run('EPSG:4711');
    expect(wrong.status).not.toBe(0);
    expect(wrong.stderr.trim().split('\n')).toHaveLength(1);
    expect(wrong.stderr).toMatch(/no datum operation "EPSG:4711".*EPSG:9688/);
    const done = run('EPSG:9688');
    expect(done.stderr).not.toMatch(/datum/);
    expect(done.status).toBe(0);
    const item = JSON.parse(await readFile(done.stdout.split('\n').find((line) => line.endsWith('.json'))!, 'utf8'));
    expect(JSON.stringify(item)).toContain('"transformCode":"EPSG:9688"');
    const { results } = await composite(scenes, SHIFTED);
    expect(await readFirst(join(out, 'first.tif'))).toEqual(results.first!.data[0]);
  });
});
