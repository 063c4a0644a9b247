import { spawnSync } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCrs } from '../../../build/geo/crs.js';
import { regionOfGeoJson, touchesBox } from '../../../build/geo/region.js';
import { sceneInputs } from '../../../build/jobs/change/change-inputs.js';
import { ALGORITHM, detectScenes, openResults, planScenes, toJSON } from '../../../build/node.js';
import { stackScenes } from '../../fixture/change-files.js';
import { CORNER, changeScenes } from '../../fixture/change-scenes.js';

const cli = path.resolve('build/app/cli.js');
let folder = '';
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-change-scope-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cutOff = async (file: string, part: number) => {
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, Math.floor(bytes.length * part)));
};

async function pixelIn(store: string, x = CORNER.x, y = CORNER.y) {
  const results = await openResults(at(store), { readOnly: true });
  try {
    return toJSON((await results.pixel(ALGORITHM, { x: x + 15, y: y - 15 }))!.changes);
  } finally {
    await results.close();
  }
}

describe('scenes that cannot be read', () => {
  it.each([0, 2])(
    'are left out of the whole run, and run again when they are whole, with %i threads',
    async (threads) => {
      const own = await changeScenes(at(`cut-${threads}`), 'espa', { years: 2 });
      const [bad, gone] = [own.files[4]!.sr, own.files[9]!.qa];
      const whole = await readFile(bad);
      await cutOff(bad, 0.97);
      await cp(gone, `${gone}.kept`);
      await rm(gone);
      const target = { store: at(`store-${threads}`) };
      await expect(detectScenes(own.items, target, { threads })).rejects.toMatchObject({
        facts: { items: [expect.any(String)] },
      });
      const warnings: string[] = [];
      const skip = { threads, onError: 'skip', onWarning: (text: string) => warnings.push(text) } as const;
      const summary = await detectScenes(own.items, target, skip);
      expect(summary.dropped.map(({ id }) => id).sort()).toEqual(['espa-4', 'espa-9']);
      expect(summary.dropped.every(({ reason }) => reason.length > 10)).toBe(true);
      expect(warnings.join('\n')).toMatch(/dropped espa-\d.*starting again without/);
      // What is found is what the other scenes give.
      const { features } = JSON.parse(await readFile(own.items, 'utf8'));
      const others = path.join(path.dirname(own.items), 'others.json');
      const kept = features.filter(({ id }: { id: string }) => id !== 'espa-4' && id !== 'espa-9');
      await writeFile(others, JSON.stringify({ type: 'FeatureCollection', features: kept }));
      expect((await planScenes(others, target, { threads })).chips).toMatchObject({ toRun: 0 });
      await detectScenes(others, { store: at(`others-${threads}`) }, { threads });
      expect(await pixelIn(`store-${threads}`)).toEqual(await pixelIn(`others-${threads}`));
      // Mended, they are new inputs.
      await writeFile(bad, whole);
      await rename(`${gone}.kept`, gone);
      const mended = await detectScenes(own.items, target, skip);
      expect(mended.dropped).toEqual([]);
      expect(mended.chips.toRun).toBe(summary.chips.toRun);
      expect((await pixelIn(`store-${threads}`)).processing_mask).toHaveLength(own.dates.length);
    },
    60_000,
  );

  it('may be bare files that cannot even be opened', async () => {
    const { files } = await stackScenes(at('stacks'), { years: 1 });
    await cutOff(files[3]!, 0.01);
    const options = { qaScheme: 'fmask', thermalUnit: 'kelvin-10', threads: 0 } as const;
    await expect(detectScenes(at('stacks'), { store: at('x') }, options)).rejects.toThrow();
    const summary = await detectScenes(at('stacks'), { store: at('x') }, { ...options, onError: 'skip' });
    expect(summary.dropped.map(({ id }) => id)).toEqual([path.basename(files[3]!, '_stack.tif')]);
  });

  it('end a run that has no others', async () => {
    const own = await changeScenes(at('none'), 'espa', { years: 1 });
    for (const { qa } of own.files) await rm(qa);
    await expect(detectScenes(own.items, { store: at('y') }, { threads: 0, onError: 'skip' })).rejects.toThrow(
      /qa.tif/,
    );
    const wrong = planScenes(own.items, { store: at('y') }, { onError: 'drop' as 'skip' });
    await expect(wrong).rejects.toThrow(/on-error is one of fail, skip/);
  });

  it('are told by the command', async () => {
    const own = await changeScenes(at('told'), 'espa', { years: 1 });
    await cutOff(own.files[2]!.sr, 0.97);
    const args = ['ccdc', own.items, '--store', at('z'), '--on-error', 'skip', '--threads', '0'];
    const found = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
    expect(found.status).toBe(0);
    expect(found.stdout).toMatch(/^left out {8}espa-2: .*2_sr.tif/m);
    expect(found.stderr).toContain('starting again without');
    const json = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8' });
    expect(JSON.parse(json.stdout)).toMatchObject({ dropped: [{ id: 'espa-2' }], chips: { toRun: 0 } });
  });
});

describe('files that change while they are read', () => {
  it('fail the run, whose chips are made anew when it is started again', async () => {
    const own = await changeScenes(at('moving'), 'espa', { years: 2, width: 3, height: 2 });
    const target = { store: at('moving-store') };
    const touched = (donePx: number) => {
      if (donePx === 0) utimesSync(own.files[4]!.qa, 1, 1);
    };
    const run = detectScenes(own.items, target, { threads: 1, onProgress: touched });
    await expect(run).rejects.toMatchObject({ facts: { status: 'CHANGED', items: ['espa-4'] } });
    expect((await planScenes(own.items, target)).chips).toMatchObject({ toRun: 1, unchanged: 0 });
    expect((await detectScenes(own.items, target, { threads: 1 })).chips).toMatchObject({ toRun: 1 });
    expect((await planScenes(own.items, target)).chips).toMatchObject({ toRun: 0, unchanged: 1 });
  });
});

describe('the area of a run', () => {
  const crs = parseCrs('EPSG:32610');
  const region = (coordinates: number[][][]) => regionOfGeoJson({ type: 'Polygon', coordinates }, { crs, from: crs });
  const square = (x: number, y: number, side: number) => [
    [x, y],
    [x + side, y],
    [x + side, y + side],
    [x, y + side],
    [x, y],
  ];
  const box = { west: 0, south: 0, east: 10, north: 10 };

  it.each([
    ['a polygon inside of the box', [square(4, 4, 2)], true],
    ['a polygon around the box', [square(-10, -10, 40)], true],
    ['a polygon whose hole the box lies in', [square(-10, -10, 40), square(-5, -5, 30)], false],
    ['a polygon beside it', [square(11, 0, 5)], false],
    [
      'a polygon whose bounds meet it, and which does not',
      [
        [
          [9, 20],
          [20, 9],
          [20, 20],
          [9, 20],
        ],
      ],
      false,
    ],
    [
      'an edge across a corner',
      [
        [
          [8, 20],
          [20, -2],
          [20, 20],
          [8, 20],
        ],
      ],
      false,
    ],
    [
      'an edge through the box',
      [
        [
          [-5, 5],
          [20, 8],
          [20, 30],
          [-5, 5],
        ],
      ],
      true,
    ],
  ])('%s', async (_, rings, touches) => {
    expect(touchesBox(await region(rings), box)).toBe(touches);
  });

  it('is the chips that polygons touch', async () => {
    // 3 × 2 chips of 100 px, of which a triangle touches some.
    const own = await changeScenes(at('wide'), 'espa', { width: 250, height: 120, years: 1 });
    const all = await planScenes(own.items, { jsonOut: at('j') }, { threads: 0 });
    const { features } = JSON.parse(await readFile(own.items, 'utf8'));
    expect(features.length).toBeGreaterThan(5);
    const lonLat = (x: number, y: number) => [-123 + (x - 500_000) / 75_900, 46.952 + (y - 5_200_000) / 111_150];
    const corner = [lonLat(CORNER.x, CORNER.y), lonLat(CORNER.x + 300, CORNER.y), lonLat(CORNER.x, CORNER.y - 300)];
    const geometry = { type: 'Polygon', coordinates: [[...corner, corner[0]!]] };
    const few = await planScenes(own.items, { jsonOut: at('j') }, { threads: 0, geometry });
    expect(few.chips.asked).toBeGreaterThan(0);
    expect(few.chips.asked).toBeLessThan(all.chips.asked);
    const args = ['--plan', '--json', '--json-out', at('j'), '--geometry', JSON.stringify(geometry)];
    const told = spawnSync(process.execPath, [cli, 'ccdc', own.items, ...args], { encoding: 'utf8' });
    expect(JSON.parse(told.stdout).chips).toEqual(few.chips);
    // Its bounds meet the scenes, and it does not.
    const around = [lonLat(450_000, 5_300_000), lonLat(600_000, 5_300_000), lonLat(600_000, 5_110_000)];
    const beside = { type: 'Polygon', coordinates: [[...around, around[0]!]] };
    const outside = planScenes(own.items, { jsonOut: at('j') }, { geometry: beside });
    await expect(outside).rejects.toThrow(/none of the \d+ scenes overlaps the area/);
    const both = planScenes(own.items, { jsonOut: at('j') }, { geometry, chip: [0, 0] });
    await expect(both).rejects.toThrow('give one area, not both --chip and --geometry');
    const none = planScenes(own.items, { jsonOut: at('j') }, { geometry: { type: 'Point', coordinates: [1, 2] } });
    await expect(none).rejects.toThrow(/must be a Polygon/);
  });

  it('tells of scenes in another CRS than the first', async () => {
    const own = await changeScenes(at('zones'), 'espa', { years: 1 });
    const document = JSON.parse(await readFile(own.items, 'utf8'));
    document.features[1].properties['proj:epsg'] = 32611;
    await writeFile(own.items, JSON.stringify(document));
    const warnings: string[] = [];
    await planScenes(own.items, { jsonOut: at('j') }, { threads: 0, onWarning: (text) => warnings.push(text) });
    expect(warnings).toEqual([
      expect.stringMatching(/^1 of \d+ scenes are in EPSG:32611, and are brought onto the pixels/),
    ]);
  });
});

describe('the inputs of a chip', () => {
  it('are the same in another place, and others when a file changes', async () => {
    const own = await changeScenes(at('here'), 'espa', { years: 1 });
    const target = { store: at('inputs') };
    const { chips } = await detectScenes(own.items, target, { threads: 0 });
    const toRun = async (items: string) => (await planScenes(items, target)).chips.toRun;
    await mkdir(at('there'));
    await rename(at('here'), at('there/now'));
    expect(await toRun(at('there/now/items.json'))).toBe(0);
    expect(await toRun(path.relative('.', at('there/now/items.json')))).toBe(0);
    const file = at('there/now/3_qa.tif');
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect(await toRun(at('there/now/items.json'))).toBe(chips.toRun);
  });

  it('do not depend on what signs an address', async () => {
    const scene = (query: string) => ({
      id: 'a',
      timeMs: 0,
      sources: { red: { href: `https://127.0.0.1:1/x/red.tif${query}`, bandIndex: 0, grid: null, nodata: null } },
    });
    const [one, two] = [await sceneInputs([scene('?sig=1')]), await sceneInputs([scene('?sig=2')])];
    expect(one).toEqual(two);
  }, 60_000);
});
