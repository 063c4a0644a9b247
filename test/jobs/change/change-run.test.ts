import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCog } from '../../../build/io/cog.js';
import { fileStore } from '../../../build/io/file.js';
import { readWindow } from '../../../build/io/window.js';
import {
  ALGORITHM,
  CHIP_GRIDS,
  detect,
  detectChip,
  detectScenes,
  InputError,
  openResults,
  PYCCD_BANDS,
  planScenes,
  type ResultStore,
  readScenes,
  snap,
  toJSON,
  toOrdinal,
} from '../../../build/node.js';
import { type ChangeScenes, CORNER, changeScenes, type Kind } from '../../fixture/change-scenes.js';
import { startFaultServer } from '../../fixture/fault-server.js';

const cli = path.resolve('build/app/cli.js');
let folder = '';
const at = (name: string) => path.join(folder, name);
const made = {} as Record<Kind, ChangeScenes>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-ccdc-'));
  for (const kind of ['espa', 'c1', 'c2', 's2'] as const) {
    made[kind] = await changeScenes(at(kind), kind, { badQa: kind === 'c1' || kind === 'c2' ? 9 : -1 });
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withStore<T>(name: string, look: (store: ResultStore) => Promise<T>): Promise<T> {
  const store = await openResults(at(name), { readOnly: true });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** The answer for a pixel of what a naive reader has of it. */
function expected(scenes: ChangeScenes, kind: Kind, px: number) {
  const names = PYCCD_BANDS.slice(0, scenes.bands[px]!.length);
  return detect({
    dates: scenes.dates,
    bands: Object.fromEntries(names.map((name, b) => [name, Int16Array.from(scenes.bands[px]![b]!)])),
    qa: kind === 's2' ? scenes.classes[px]! : scenes.qa[px]!,
    qaScheme: kind === 'c1' ? 'pyccd' : kind === 'c2' ? 'landsat-c2' : 'fmask',
    wideInt: kind === 'c2' || kind === 's2',
    ...(kind === 's2' && { thermalBand: null }),
  });
}

describe('change detection from scenes', () => {
  it.each(['espa', 'c1', 'c2', 's2'] as const)('gives each pixel of %s what its series gives', async (kind) => {
    const scenes = made[kind];
    const summary = await detectScenes(scenes.items, { store: at(`out-${kind}`) }, { threads: 0 });
    const failed = kind === 'c1' || kind === 'c2' ? 1 : 0;
    expect(summary.pixels.failed).toBe(failed);
    expect(summary.pixels.withSegments).toBe(35 - failed);
    await withStore(`out-${kind}`, async (store) => {
      expect(store.grid).toMatchObject({ name: 'native', crs: 'EPSG:32610', originX: 15, originY: 15, pixelSize: 30 });
      for (let px = 0; px < 35; px++) {
        const [x, y] = [CORNER.x + 30 * (px % 7), CORNER.y - 30 * Math.floor(px / 7)];
        const found = (await store.pixel(ALGORITHM, { x: x + 15, y: y - 15 }))!;
        expect(found).toMatchObject({ x, y });
        if (failed && px === 9) expect(found.changes.failures.get(0)).toBe('QA value 0 has no class');
        else expect(toJSON(found.changes), `pixel ${px}`).toEqual(toJSON(expected(scenes, kind, px)));
      }
      // Beside the scenes nothing is found, and that is an answer.
      const beside = await store.pixel(ALGORITHM, { x: CORNER.x - 30, y: CORNER.y - 15 });
      expect(toJSON(beside!.changes)).toMatchObject({ change_models: [], cloud_prob: null });
    });
  });

  it('does not depend on threads and rows, and says how far it is', async () => {
    const progress: number[] = [];
    const onProgress = (done: number, total: number) => progress.push(done / total);
    await detectScenes(made.espa.items, { store: at('threads') }, { threads: 2, onProgress });
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.length).toBeGreaterThan(2);
    const all = (name: string) =>
      withStore(name, async (store) => {
        const { chip } = snap(store.grid, CORNER);
        return (await store.chip(ALGORITHM, chip))!.changes;
      });
    expect(await all('threads')).toEqual(await all('out-espa'));
  });

  it.each([0, 2])('tells requests and repetitions of all threads over a network (%d)', async (threads) => {
    const server = await startFaultServer();
    const home = at(`served${threads}`);
    await changeScenes(home, 'espa', { years: 1 });
    try {
      for (const name of await readdir(home, { recursive: true }))
        if (/\.(json|tif)$/.test(name)) server.files.set(`t${threads}/${name}`, await readFile(path.join(home, name)));
      server.faults = [
        { kind: 'none' },
        { kind: 'status', status: 503 },
        { kind: 'none' },
        { kind: 'status', status: 503 },
      ];
      const store = at(`remote${threads}`);
      const { network } = await detectScenes(`${server.root}/t${threads}/items.json`, { store }, { threads });
      expect(network).toMatchObject({ retries: 2, requests: server.requests.length });
      expect(network.bytes).toBeGreaterThan(1000);
    } finally {
      server.stop();
    }
  });

  it('leaves chips whose inputs are the same, runs changed ones again, and all with refresh', async () => {
    const copy = await changeScenes(at('again'), 'espa', { years: 3 });
    const target = { store: at('resume') };
    const run = (options = {}) => detectScenes(copy.items, target, { threads: 0, ...options });
    const first = await run();
    expect(first.chips).toMatchObject({ toRun: first.chips.asked, unchanged: 0 });
    expect(first.chips.toRun).toBeGreaterThan(0);
    const count = first.chips.toRun;
    expect((await run()).chips).toMatchObject({ toRun: 0, unchanged: count });
    expect((await run()).pixels).toEqual(first.pixels);
    expect((await run({ refresh: true })).chips).toMatchObject({ toRun: count });
    const fewer = { datetime: '../1985-06-01' };
    expect((await planScenes(copy.items, target, fewer)).chips.toRun).toBe(count);
    expect((await run({ detect: { params: { PEEK_SIZE: 5 } } })).chips.toRun).toBe(count);
    await run();
    await copyFile(made.espa.files[0]!.sr, copy.files[1]!.sr);
    expect((await planScenes(copy.items, target)).chips.toRun).toBe(count);
  });

  it('goes on where it was stopped', async () => {
    const stop = new AbortController();
    const wide = await changeScenes(at('wide'), 'espa', { width: 230, height: 3, years: 2 });
    const onProgress = (done: number) => done >= 10_000 && stop.abort(new Error('enough'));
    const target = { store: at('stopped') };
    const stopped = detectScenes(wide.items, target, { threads: 0, onProgress, signal: stop.signal });
    await expect(stopped).rejects.toThrow('enough');
    const plan = await planScenes(wide.items, target);
    expect(plan.chips.unchanged).toBeGreaterThan(0);
    expect(plan.chips.toRun).toBeGreaterThan(0);
    const rest = await detectScenes(wide.items, target, { threads: 0 });
    expect(rest.chips).toMatchObject({ toRun: plan.chips.toRun, unchanged: plan.chips.unchanged });
    expect(rest.pixels.withSegments + rest.pixels.empty).toBe(10_000 * (rest.chips.toRun + rest.chips.unchanged));
  });

  it('keeps within the memory limit by fewer rows, and refuses what does not fit', async () => {
    const plan = await planScenes(made.c2.items, { store: at('unmade') }, { threads: 1 });
    expect(existsSync(at('unmade'))).toBe(false);
    const tight = { threads: 1, memoryLimitBytes: 240 * 2 ** 20 };
    const smaller = await planScenes(made.c2.items, { jsonOut: at('none') }, tight);
    expect(smaller.predictedPeakBytes).toBeLessThanOrEqual(tight.memoryLimitBytes);
    expect(smaller.rows).toBeLessThanOrEqual(plan.rows);
    const none = planScenes(made.c2.items, { jsonOut: at('none') }, { ...tight, memoryLimitBytes: 2 ** 20 });
    const refused = /^104 dates need .* MiB on so many threads \(1\), and 1.00 MiB are allowed$/;
    await expect(none).rejects.toThrow(refused);
    const run = detectScenes(made.c2.items, { store: at('unmade') }, { ...tight, memoryLimitBytes: 2 ** 20 });
    await expect(run).rejects.toThrow(refused);
    expect(existsSync(at('unmade'))).toBe(false);
  });

  it('takes chips and tiles of the ARD grids, also from scenes in another CRS', async () => {
    const options = { threads: 0, grid: 'conus' };
    const summary = await detectScenes(made.espa.items, { store: at('conus') }, options);
    expect(summary.grid).toBe('conus');
    expect(summary.pixels.withSegments).toBeGreaterThan(20);
    await withStore('conus', async (store) => {
      expect(store.grid).toEqual(CHIP_GRIDS.conus);
      const [chip] = await store.summaries(ALGORITHM, { hMin: 0, vMin: 0, hMax: 2000, vMax: 2000 });
      const one = await planScenes(made.espa.items, { jsonOut: at('none') }, { ...options, chip: [chip!.h, chip!.v] });
      expect(one.chips).toMatchObject({ asked: 1, toRun: 1 });
      const tile = [Math.floor(chip!.h / 50), Math.floor(chip!.v / 50)];
      const whole = await planScenes(made.espa.items, { jsonOut: at('none') }, { ...options, tile });
      expect(whole.chips).toMatchObject({ asked: 2500, toRun: summary.chips.toRun });
    });
    const far = planScenes(made.espa.items, { jsonOut: at('none') }, { ...options, tile: [30, 20] });
    await expect(far).rejects.toThrow(/none of the \d+ scenes overlaps the area/);
  });

  it('refuses scenes and options that it cannot take', async () => {
    const refused = (items: string | string[], options: object, message: RegExp) =>
      expect(planScenes(items, { jsonOut: at('none') }, options)).rejects.toThrow(message);
    await refused([made.espa.items, made.c2.items], {}, /: give one kind$/);
    await refused(made.s2.items, { thermal: true }, /has no thermal band/);
    await refused(made.espa.items, { grid: 'conu' }, /no grid "conu"; did you mean "?conus"?|no grid "conu"/);
    await refused(made.espa.items, { chip: [1] }, /column and row of a chip/);
    await refused(made.espa.items, { chip: [1, 2], tile: [0, 0] }, /give one area/);
    await refused(made.espa.items, { detect: { params: { PEEK: 1 } } }, /PEEK/);
    await refused(made.espa.items, { detect: { alpha: -1 } }, /alpha must be/);
    const thermal = { thermal: false, detect: { params: { DETECTION_BANDS: [6] } } };
    await refused(made.espa.items, thermal, /detectionBands is needed: its default has "thermal"/);
    await expect(planScenes(made.espa.items, { jsonOut: at('none') }, { threads: -1 })).rejects.toThrow(InputError);
  });
});

describe('stackwise ccdc', () => {
  const stackwise = (...args: string[]) => spawnSync(process.execPath, [cli, 'ccdc', ...args], { encoding: 'utf8' });

  it('writes JSON, a file a chip, and exits 0', async () => {
    const out = execFileSync(process.execPath, [cli, 'ccdc', made.c1.items, '--json-out', at('json'), '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { files, pixels } = JSON.parse(out);
    expect(pixels).toMatchObject({ withSegments: 34, failed: 1 });
    const all = await Promise.all(files.map(async (file: string) => JSON.parse(await readFile(file, 'utf8'))));
    const rows = all.flat();
    expect(rows).toHaveLength(10_000 * files.length);
    const bad = rows.find((row) => !row.result_ok);
    expect(bad).toMatchObject({ x: CORNER.x + 60, y: CORNER.y - 30, result: 'QA value 0 has no class' });
    const good = rows.find((row) => row.x === CORNER.x && row.y === CORNER.y);
    expect(JSON.parse(good.result)).toEqual(toJSON(expected(made.c1, 'c1', 0)));
  }, 60_000);

  it('exits 2 for wrong usage and 1 for what fails, in one line', async () => {
    const gone = await changeScenes(at('gone'), 'espa', { years: 2 });
    await rm(gone.files[5]!.sr);
    for (const [args, status, message] of [
      [[made.c1.items], 2, 'stackwise: --store DIR or --json-out DIR is wanted\n'],
      [[made.c1.items, '--store', at('x'), '--gird', 'conus'], 2, ''],
      [[made.c1.items, '--store', at('x'), '--params', '{'], 1, 'stackwise: --params: neither JSON'],
      [[at('nothing.json'), '--store', at('x')], 1, 'stackwise: '],
      [[gone.items, '--store', at('x'), '--json'], 1, '5_sr.tif'],
    ] as const) {
      const found = stackwise(...args);
      expect(found.status, args.join(' ')).toBe(status);
      expect(found.stderr).toContain(message);
      // Progress as JSON lines may come first.
      const lines = found.stderr.trim().split('\n');
      expect(lines.filter((line) => !line.startsWith('{'))).toHaveLength(1);
    }
  });
});

const real = path.resolve(process.env.STACKWISE_DATA ?? '../shared/data', 'landsat57-sr-washington/items.json');

async function planes(file: string): Promise<ArrayLike<number>[]> {
  const raster = await openCog(file, { store: fileStore() });
  const { width, height, bands } = raster.header;
  const read = await readWindow(raster, {
    level: 0,
    window: { col: 0, row: 0, width, height },
    bands: bands.map((_, i) => i),
  });
  await raster.close();
  return read as ArrayLike<number>[];
}

describe.skipIf(!existsSync(real))('real Landsat 5 and 7 scenes (skipped without STACKWISE_DATA)', () => {
  it('give what their arrays give', async () => {
    await detectScenes(real, { store: at('real') }, { threads: 2 });
    const scenes = (await readScenes(real)).sort((a, b) => a.timeMs - b.timeMs);
    const [nPx, n] = [64 * 64, scenes.length];
    const data = new Int16Array(n * 7 * nPx);
    const qa = new Uint16Array(n * nPx);
    for (const [t, { bands }] of scenes.entries()) {
      const values = await planes(bands.red!.href);
      for (const [b, plane] of values.entries()) data.set(plane, (t * 7 + b) * nPx);
      qa.set((await planes(bands.cfmask!.href))[0]!, t * nPx);
    }
    const dates = scenes.map(({ timeMs }) => toOrdinal(new Date(timeMs).toISOString()));
    const whole = detectChip({ dates, data, qa, rows: 64, cols: 64, qaScheme: 'fmask' });
    await withStore('real', async (store) => {
      for (let px = 0; px < nPx; px += 37) {
        const point = { x: -2062080 + 30 * (px % 64), y: 2952960 - 30 * Math.floor(px / 64) };
        const found = (await store.pixel(ALGORITHM, point))!;
        expect(toJSON(found.changes)).toEqual(toJSON(whole, px));
      }
    });
  }, 120_000);
});
