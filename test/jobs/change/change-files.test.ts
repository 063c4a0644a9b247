import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCog } from '../../../build/io/cog.js';
import { fileStore } from '../../../build/io/file.js';
import { dateInName } from '../../../build/io/raster-scenes.js';
import { readWindow } from '../../../build/io/window.js';
import {
  ALGORITHM,
  type ChangeRunOptions,
  detect,
  detectChip,
  detectScenes,
  openResults,
  PYCCD_BANDS,
  type PyccdBand,
  planScenes,
  toJSON,
  toOrdinal,
  writeCog,
} from '../../../build/node.js';
import { ardScenes, stackScenes } from '../../fixture/change-files.js';
import { type ChangeData, CORNER } from '../../fixture/change-scenes.js';

const cli = path.resolve('build/app/cli.js');
let folder = '';
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-change-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const YATSM = { qaScheme: 'fmask', thermalUnit: 'celsius-100', threads: 0 } as const;

/** Results of the pixels of a source by their upper-left corners. */
async function resultsOf(sources: string, options: ChangeRunOptions, corners: readonly { x: number; y: number }[]) {
  const store = `${sources.replace(/[/*].*$/, '')}${Math.random()}`;
  const target = at(path.basename(store));
  const summary = await detectScenes(sources, { store: target }, options);
  const results = await openResults(target, { readOnly: true });
  try {
    const found = [];
    for (const { x, y } of corners) {
      const pixel = await results.pixel(ALGORITHM, { x: x + 15, y: y - 15 });
      found.push(toJSON(pixel!.changes));
    }
    return { summary, found };
  } finally {
    await results.close();
  }
}

const corners = Array.from({ length: 35 }, (_, px) => {
  return { x: CORNER.x + 30 * (px % 7), y: CORNER.y - 30 * Math.floor(px / 7) };
});

/** What each pixel's series gives. */
function expected(data: ChangeData, options: Partial<Parameters<typeof detect>[0]>) {
  return corners.map((_, px) => {
    const bands = PYCCD_BANDS.map((name, b) => [name, Int16Array.from(data.bands[px]![b]!)]);
    return toJSON(detect({ dates: data.dates, bands: Object.fromEntries(bands), qa: data.qa[px]!, ...options }));
  });
}

describe('change detection in Landsat ARD', () => {
  it.each([
    ['c1', false],
    ['c1', true],
    ['c2', false],
    ['c2', true],
  ] as const)(
    'gives each pixel of %s what its series gives (folders of scenes: %s)',
    async (kind, nested) => {
      const own = at(`${kind}-${nested}`);
      const data = await ardScenes(own, kind, { nested });
      const { summary, found } = await resultsOf(own, { threads: 0 }, corners);
      expect(summary.pixels).toMatchObject({ withSegments: 35, failed: 0 });
      const options = kind === 'c1' ? {} : ({ qaScheme: 'landsat-c2', wideInt: true } as const);
      expect(found).toEqual(expected(data, options));
    },
    60_000,
  );
});

describe('change detection in stacks', () => {
  const given = 'blue,green,red,nir,swir1,swir2,thermal,qa'.split(',');

  it.each([
    ['in the usual order', {}, YATSM],
    ['with names of their order', {}, { ...YATSM, stackBands: given }],
    [
      'with descriptions',
      { names: ['Blue x 10,000', 'Green', 'red', 'NIR', 'SWIR 1', 'swir2', 'T_b x 100', 'Fmask'] },
      { thermalUnit: 'celsius-100', threads: 0 },
    ],
    ['whose nodata is a class', { nodata: 0 }, YATSM],
  ] as const)('%s gives each pixel what its series gives', async (name, writing, options) => {
    const own = at(name);
    const data = await stackScenes(own, { celsius: true, ...writing });
    const { found } = await resultsOf(own, options, corners);
    expect(found).toEqual(expected(data, { qaScheme: 'fmask' }));
  });

  it('reads pixel_qa and kelvin, and can do without temperature', async () => {
    const own = at('pixelqa');
    const data = await stackScenes(own, { kind: 'c1' });
    const { found } = await resultsOf(own, { qaScheme: 'pyccd', thermalUnit: 'kelvin-10', threads: 0 }, corners);
    expect(found).toEqual(expected(data, {}));
    const { found: without } = await resultsOf(
      own,
      { qaScheme: 'pyccd', thermal: false, threads: 0 },
      corners.slice(0, 1),
    );
    expect(without[0]!.change_models[0]).not.toHaveProperty('thermal');
  });

  it('refuses what does not tell which band is what', async () => {
    await stackScenes(at('told'), { years: 1 });
    const refused = (name: string, options: ChangeRunOptions, message: RegExp) =>
      expect(planScenes(at(name), { jsonOut: at('none') }, options)).rejects.toThrow(message);
    await refused('told', {}, /does not say how its QA is read: give pyccd, fmask or landsat-c2/);
    await refused(
      'told',
      { qaScheme: 'fmask' },
      /in which unit their temperatures are: give kelvin-10 .* or celsius-100/,
    );
    await refused('told', { ...YATSM, stackBands: given.slice(1) }, /blue is missing/);
    await refused('told', { ...YATSM, stackBands: [...given, '-'] }, /has 8 bands, and 9 names are given/);
    await refused('told', { ...YATSM, stackBands: ['bleu', ...given.slice(1)] }, /no band "bleu".*blue/);
    await refused('told', { ...YATSM, stackBands: ['blue', ...given] }, /blue stands there twice/);
    await stackScenes(at('odd'), { years: 1, names: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] });
    await refused('odd', YATSM, /no band is blue among a, b, c/);
    await writeCog(at('odd/20200101_float.tif'), {
      grid: {
        crs: { epsg: 32610, definition: null, geoKeys: null },
        affine: [30, 0, 15, 0, -30, 15],
        width: 1,
        height: 1,
      },
      names: Array(8).fill(''),
      data: Array.from({ length: 8 }, () => new Float32Array(1)),
      nodata: null,
    });
    const float = planScenes(at('odd/20200101_float.tif'), { jsonOut: at('none') }, YATSM);
    await expect(float).rejects.toThrow(/is a stack of f32: i16 is wanted .*, or u16 as Collection 2/);
    await ardScenes(at('ard'), 'c1', { years: 1 });
    await refused('ard', { qaScheme: 'fmask' }, /fmask is not how QA of Landsat Collection 1.* is read: pyccd/);
    await refused('ard', { thermalUnit: 'kelvin-10' }, /temperatures of Landsat Collection 1 .* have a known unit/);
  });
});

describe('stackwise ccdc', () => {
  it('takes what stacks do not tell from its options', async () => {
    const { dates } = await stackScenes(at('cli'), { years: 1, celsius: true });
    const names = ['--stack-bands', 'blue, green,red,nir,swir1,swir2,thermal,qa'];
    const units = ['--qa-scheme', 'fmask', '--thermal-unit', 'celsius-100'];
    const place = ['--pixel', `${CORNER.x},${CORNER.y}`];
    const run = (...args: string[]) => spawnSync(process.execPath, [cli, 'ccdc', ...args], { encoding: 'utf8' });
    const { stdout } = run('pixel', at('cli'), ...names, ...units, ...place);
    expect(JSON.parse(stdout).processing_mask).toHaveLength(dates.length);
    expect(run(at('cli'), '--json-out', at('cli-json'), '--plan', ...names, ...units).stdout).toMatch(
      /^chips +\d+ to run/,
    );
    expect(run(at('cli'), '--json-out', at('cli-json'), '--qa-scheme', 'sen2cor').status).toBe(2);
  }, 30_000);
});

const DATA = path.resolve(process.env.STACKWISE_DATA ?? '../shared/data');
const yatsm = path.join(DATA, 'landsat-yatsm-p035r032-5x5');
const python = process.env.STACKWISE_CCDC_PYTHON ?? '';

/** The arrays of the real stacks, [nTime][band], temperatures as kelvin × 10, halves to even; QA of −9999 is fill. */
async function yatsmArrays() {
  const names = readdirSync(yatsm).filter((name) => name.endsWith('.tif'));
  const dated = names.map((name) => ({ name, day: toOrdinal(new Date(dateInName(name)!).toISOString()) }));
  dated.sort((a, b) => a.day - b.day);
  const data = new Int16Array(dated.length * 7 * 25);
  const qa = new Uint16Array(dated.length * 25);
  for (const [t, { name }] of dated.entries()) {
    const raster = await openCog(path.join(yatsm, name), { store: fileStore() });
    const window = { col: 0, row: 0, width: 5, height: 5 };
    const planes = (await readWindow(raster, {
      level: 0,
      window,
      bands: [0, 1, 2, 3, 4, 5, 6, 7],
    })) as ArrayLike<number>[];
    await raster.close();
    for (let b = 0; b < 7; b++) for (let px = 0; px < 25; px++) data[(t * 7 + b) * 25 + px] = planes[b]![px]!;
    for (let px = 0; px < 25; px++) {
      const [celsius, at] = [planes[6]![px]!, (t * 7 + 6) * 25 + px];
      const whole = Math.floor((celsius + 27_315) / 10);
      const rest = celsius + 27_315 - 10 * whole;
      data[at] = celsius === -9999 ? -9999 : whole + (rest > 5 || (rest === 5 && whole % 2 === 1) ? 1 : 0);
      qa[t * 25 + px] = planes[7]![px] === -9999 ? 255 : planes[7]![px]!;
    }
  }
  return { dates: dated.map(({ day }) => day), data, qa };
}

describe.skipIf(!existsSync(yatsm))('real stacks of YATSM (skipped without STACKWISE_DATA)', () => {
  const places = Array.from({ length: 25 }, (_, px) => {
    return { x: 336_375 + 30 * (px % 5), y: 4_462_425 - 30 * Math.floor(px / 5) };
  });
  const found: ReturnType<typeof toJSON>[] = [];
  beforeAll(async () => {
    const store = at('yatsm');
    await detectScenes(yatsm, { store }, { ...YATSM });
    const results = await openResults(store, { readOnly: true });
    for (const { x, y } of places)
      found.push(toJSON((await results.pixel(ALGORITHM, { x: x + 15, y: y - 15 }))!.changes));
    await results.close();
  }, 60_000);

  it('give what their arrays give', async () => {
    const { dates, data, qa } = await yatsmArrays();
    const whole = detectChip({ dates, data, qa, rows: 5, cols: 5, qaScheme: 'fmask' });
    expect(found).toEqual(places.map((_, px) => toJSON(whole, px)));
  });

  it('give what PyCCD gave for three of their pixels', async () => {
    const { pixels } = JSON.parse(await readFile(path.join(DATA, 'ccdc/pixels.json'), 'utf8'));
    const known = pixels.filter(({ name }: { name: string }) => /^p035r032_r\dc\d$/.test(name));
    expect(known.length).toBe(3);
    for (const { name, expected: wanted } of known) {
      const [, row, col] = /r(\d)c(\d)$/.exec(name)!;
      const own = found[5 * Number(row) + Number(col)]!;
      expect(own.change_models.map((m) => [m.start_day, m.end_day, m.break_day, m.curve_qa])).toEqual(
        wanted.change_models.map((m: Record<string, number>) => [m.start_day, m.end_day, m.break_day, m.curve_qa]),
      );
      expect(own.processing_mask.join('')).toBe(wanted.processing_mask);
      for (const [i, model] of own.change_models.entries()) {
        for (const band of PYCCD_BANDS) {
          const [ours, theirs] = [model[band] as PyccdBand, wanted.change_models[i][band]];
          expect(Math.abs(ours.rmse! - theirs.rmse)).toBeLessThanOrEqual(1e-9 * theirs.rmse);
        }
      }
    }
  });

  it.skipIf(python === '')(
    'give what PyCCD gives now (skipped without STACKWISE_CCDC_PYTHON)',
    async () => {
      const { dates, data, qa } = await yatsmArrays();
      const series = [0, 7, 12, 20].map((px) => ({
        px,
        bands: PYCCD_BANDS.map((_, b) => dates.map((_, t) => data[(t * 7 + b) * 25 + px]!)),
        qa: dates.map((_, t) => qa[t * 25 + px]!),
      }));
      const program = `
import json, sys, numpy as np
if not hasattr(np, 'bool'): np.bool = bool
import ccd
job = json.load(sys.stdin)
fmask = dict(QA_BITPACKED=False, QA_FILL=255, QA_CLEAR=0, QA_WATER=1, QA_SHADOW=2, QA_SNOW=3, QA_CLOUD=4)
out = []
for s in job['series']:
    bands = [np.array(b, dtype=np.int16) for b in s['bands']]
    r = ccd.detect(np.array(job['dates']), *bands, np.array(s['qa'], dtype=np.uint16), params=fmask)
    out.append([[m['start_day'], m['end_day'], m['break_day'], m['observation_count'], m['curve_qa'], m['nir']['rmse'], m['thermal']['intercept']] for m in r['change_models']])
print(json.dumps(out))`;
      const input = JSON.stringify({ dates, series });
      const theirs = JSON.parse(
        execFileSync(python, ['-c', program], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] }),
      );
      for (const [i, { px }] of series.entries()) {
        const ours = found[px]!.change_models.map((m) => [
          m.start_day,
          m.end_day,
          m.break_day,
          m.observation_count,
          m.curve_qa,
          (m.nir as PyccdBand).rmse!,
          (m.thermal as PyccdBand).intercept!,
        ]);
        expect(ours.map((m) => m.slice(0, 5))).toEqual(theirs[i].map((m: number[]) => m.slice(0, 5)));
        for (const [j, m] of ours.entries()) {
          expect(Math.abs(m[5]! - theirs[i][j][5])).toBeLessThanOrEqual(1e-9 * theirs[i][j][5]);
          expect(Math.abs(m[6]! - theirs[i][j][6])).toBeLessThanOrEqual(1e-7 * Math.abs(theirs[i][j][6]));
        }
      }
    },
    120_000,
  );
});
