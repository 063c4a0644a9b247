import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackwiseIn } from '../fixture/command.js';
import { featureCollection, taskItem } from '../fixture/task-items.js';

let folder = '';
let items = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-tasks-cli-'));
  items = join(folder, 'items.json');
  const scenes = ['2019', '2020', '2021'].flatMap((year) =>
    [0, 1].map((i) =>
      taskItem({
        id: `${year} ${i}`,
        time: `${year}-06-15T01:30:00Z`,
        at: [131.2 + i, -24.8],
        properties: { 'dea:dataset_maturity': 'final' },
      }),
    ),
  );
  await writeFile(items, featureCollection(scenes));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const stackwise = (...args: string[]) => stackwiseIn(folder, args);

const GRID = ['--grid', 'epsg:4326;0.01;100'];

describe('stackwise save-tasks and tasks', () => {
  it('writes a set, and lists it as a dry run would', async () => {
    const saved = await stackwise('save-tasks', items, ...GRID, '--out', 'set');
    expect(saved).toMatchObject({ code: 0, out: 'set: 6 tasks of 6 scenes (6 found), 2019--P1Y to 2021--P1Y\n' });
    expect((await stackwise('tasks', 'set', ':2', '2021--P1Y,132,-25')).out.split('\n')).toEqual([
      'x131/y-25/2019--P1Y days=001 ds=0001',
      'x132/y-25/2019--P1Y days=001 ds=0001',
      'x132/y-25/2021--P1Y days=001 ds=0001',
      '',
    ]);
    // What is listed is an id, also of tiles to the left.
    const west = ['--grid', '{"crs":"EPSG:4326","resolution":0.01,"shape":[100,100],"origin":[0,133],"name":"west"}'];
    await stackwise('save-tasks', items, ...west, '--out', 'west');
    const { out } = await stackwise('tasks', 'west', '0');
    expect(out).toMatch(/^x-2\/y-25\/2019--P1Y days/);
    expect((await stackwise('tasks', 'west', out.split(' ')[0]!)).out).toBe(out);
    const ids = await stackwise('tasks', 'set', '-2:', '--ids');
    expect(ids.out).toBe('2021--P1Y/131/-25\n2021--P1Y/132/-25\n');
    await writeFile(join(folder, 'ids.txt'), ids.out);
    expect((await stackwise('tasks', 'set', '@ids.txt', '--ids')).out).toBe(ids.out);
  }, 60_000);

  it('takes a configuration of odc-stats, and the command line over it', async () => {
    const yaml = join(folder, 'config.yaml');
    await writeFile(
      yaml,
      'plugin: gm-ls\nproduct: {name: x}\ninput_products: ga_ls8c_ard_3\ngrid: au_30\nfrequency: all\ndataset_filter: >-\n  {"dataset_maturity": "final"}\nyear: 2019\n',
    );
    const saved = await stackwise(
      'save-tasks',
      items,
      '--config',
      yaml,
      ...GRID,
      '--temporal-range',
      '2020--P2Y',
      '--json',
    );
    expect(JSON.parse(saved.out)).toMatchObject({
      out: 'ga_ls8c_ard_3_2020--P2Y',
      tasks: 2,
      scenes: 4,
      periods: ['2020--P2Y'],
    });
    expect(JSON.parse(await readFile(join(folder, 'ga_ls8c_ard_3_2020--P2Y/tasks.json'), 'utf8')).temporalRange).toBe(
      '2020--P2Y',
    );
  }, 60_000);

  it.each([
    [2, ['save-tasks', 'items.json', '--out', 'x'], /--grid is wanted/],
    [
      2,
      ['save-tasks', 'items.json', ...GRID, '--year', '2019', '--temporal-range', '2019--P1Y'],
      /not both --year and --temporal-range/,
    ],
    [2, ['save-tasks', 'items.json', ...GRID, '--nonsense'], /unknown option '--nonsense'/],
    [2, ['tasks', 'set', '--nonsense'], /unknown option '--nonsense'/],
    [
      1,
      ['save-tasks', 'items.json', ...GRID, '--year', '1999', '--out', 'x'],
      /no tasks: 6 items in items.json, then 0 in or next to 1999--P1Y/,
    ],
    [1, ['save-tasks', 'items.json', '--grid', 'au_15', '--out', 'x'], /--grid: no grid is called "au_15"/],
    [
      1,
      ['save-tasks', 'items.json', ...GRID, '--frequency', 'weekly', '--out', 'x'],
      /no frequency is called "weekly"/,
    ],
    [1, ['save-tasks', 'items.json', ...GRID, '--tiles', '1:2'], /tiles are "x0:x1,y0:y1"/],
    [1, ['save-tasks', 'items.json', ...GRID], /give --out, or --input-products/],
    [1, ['save-tasks', ...GRID, '--out', 'x'], /scenes come from one place/],
    [
      1,
      ['save-tasks', 'items.json', '--config', 'gird: au_30', '--out', 'x'],
      /unknown key "gird"; did you mean "grid"/,
    ],
    [1, ['save-tasks', 'items.json', ...GRID, '--config', 'none.yaml'], /cannot read none.yaml: ENOENT/],
    [1, ['tasks', 'none'], /none is no set of tasks: it has no tasks.json/],
    [1, ['tasks', 'items.db'], /cannot read items.db: no such file/],
  ])(
    'exit %i: %j',
    async (code, args, message) => {
      const outcome = await stackwise(...args);
      expect(outcome.errors.join('\n')).toMatch(message);
      expect([outcome.code, outcome.errors.length]).toEqual([code, 1]);
      expect(existsSync(join(folder, 'x/tasks.json'))).toBe(false);
    },
    60_000,
  );

  it('makes a set of none where that is allowed', async () => {
    const saved = await stackwise('save-tasks', items, ...GRID, '--year', '1999', '--out', 'empty', '--allow-empty');
    expect(saved).toMatchObject({ code: 0, out: 'empty: 0 tasks of 0 scenes (6 found), no period\n' });
    expect(await stackwise('tasks', 'empty')).toMatchObject({ code: 0, out: '' });
  }, 60_000);
});
