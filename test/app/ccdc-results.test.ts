import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALGORITHM, openResults } from '../../build/node.js';
import { changeScenes } from '../fixture/change-scenes.js';
import { readPlanes } from '../fixture/planes.js';

const cli = path.resolve('build/app/cli.js');
let folder = '';
let items = '';
const at = (name: string) => path.join(folder, name);

function stackwise(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'ccdc', ...args], { encoding: 'utf8', input });
  const lines = stderr.split('\n').filter((line) => line && !line.startsWith('{"event":'));
  return { status, stdout, lines };
}

/** The results of scenes of three chips beside each other, one of which has failed pixels. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-results-cli-'));
  items = (await changeScenes(at('scenes'), 'c1', { width: 130, height: 3, years: 2, badQa: 7 })).items;
  const { status, lines } = stackwise([items, '--store', at('store'), '--threads', '0']);
  expect([status, lines]).toEqual([0, []]);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const SCENES_CHIPS = ['166,-1734', '167,-1734'];

describe('stackwise ccdc status', () => {
  it('prints a table, and why pixels failed', () => {
    const { status, stdout, lines } = stackwise(['status', '--store', at('store')]);
    expect([status, lines]).toEqual([0, []]);
    const [heads, row, failed, end] = stdout.split('\n');
    expect(heads!.trim().split(/ {2,}/)).toEqual([
      'tile',
      'complete',
      'incomplete',
      'missing',
      'with segments',
      'without',
      'failed',
    ]);
    expect(row!.trim().split(/ +/).slice(0, 4)).toEqual(['3,-35', '1', '1', '2498']);
    expect(failed).toMatch(/^tile 3,-35: 1 px failed: QA value 0 has no class; as at \(500265, 5200125\)$/);
    expect(end).toBe('');
  });

  it('prints missing chips in lines that are run again', async () => {
    const { stdout } = stackwise(['status', '--store', at('store'), '--missing']);
    const missing = stdout.trim().split('\n');
    expect(missing).toHaveLength(2498);
    expect(missing.filter((line) => SCENES_CHIPS.includes(line))).toEqual([]);
    // One chip is lost.
    const store = await openResults(at('store'));
    const [first] = SCENES_CHIPS.map((line) => line.split(',').map(Number) as [number, number]);
    const before = await store.chip(ALGORITHM, { h: first![0], v: first![1] });
    await store.remove(ALGORITHM, { h: first![0], v: first![1] });
    await store.close();
    const again = stackwise(['status', '--store', at('store'), '--tile', '3,-35', '--missing']);
    expect(again.stdout.trim().split('\n')).toHaveLength(2499);
    const run = ['--store', at('store'), '--threads', '0', '--json'];
    const { status, stdout: told } = stackwise([items, '--chips', '-', ...run], again.stdout);
    expect(status).toBe(0);
    expect(JSON.parse(told).chips).toEqual({ asked: 2499, outside: 2498, unchanged: 0, toRun: 1 });
    const healed = await openResults(at('store'), { readOnly: true });
    expect((await healed.chip(ALGORITHM, { h: first![0], v: first![1] }))!.changes).toEqual(before!.changes);
    await healed.close();
  });

  it('prints JSON, and refuses wrong usage', () => {
    const { stdout } = stackwise(['status', '--store', at('store'), '--tile', '3,-35', '--tile', '0,0', '--json']);
    const { grid, tiles } = JSON.parse(stdout);
    expect(grid).toBe('native');
    expect(tiles.map(({ h, v, missing }: Record<string, number>) => [h, v, missing])).toEqual([
      [3, -35, 2498],
      [0, 0, 2500],
    ]);
    for (const [args, status, message] of [
      [['status'], 2, /required option '--store <dir>' not specified/],
      [['status', '--store', at('store'), '--json', '--missing'], 2, /give --missing or --json/],
      [
        ['status', '--store', at('store'), '--tile', '1'],
        1,
        /--tile: column,row of a tile is wanted, like 3,9, got "1"/,
      ],
      [['status', '--store', at('nothing')], 1, /cannot be read \(ENOENT\)/],
      [['status', '--store', at('scenes')], 1, /scenes holds no results/],
    ] as const) {
      const found = stackwise(args);
      expect([found.status, found.lines]).toEqual([status, [expect.stringMatching(message)]]);
    }
  });
});

describe('stackwise ccdc --chips', () => {
  it('has nothing to do for a list of none, and says which line is none', async () => {
    await writeFile(at('none'), '\n');
    const none = stackwise([items, '--store', at('store'), '--chips', at('none')]);
    expect(none).toEqual({ status: 0, stdout: '', lines: [`${at('none')} names no chips: there is nothing to do`] });
    await writeFile(at('bad'), '166,-1734\n167;-1734\n');
    const bad = stackwise([items, '--store', at('store'), '--chips', at('bad')]);
    expect(bad.status).toBe(1);
    expect(bad.lines).toEqual([
      `stackwise: --chips: line 2 of ${at('bad')} should be column,row of a chip, and is "167;-1734"`,
    ]);
    const gone = stackwise([items, '--store', at('store'), '--chips', at('gone')]);
    expect([gone.status, gone.lines[0]]).toEqual([1, expect.stringContaining('--chips: cannot read')]);
  });
});

describe('stackwise ccdc products', () => {
  it('writes COGs and an item of each date', async () => {
    const args = ['products', '--store', at('store'), '--date', '1985-07-01,1986-07-01', '--out', at('maps')];
    const { status, stdout, lines } = stackwise([...args, '--product', 'SCMQA,synthetic']);
    expect([status, lines]).toEqual([0, []]);
    expect(stdout).toMatch(/200 × 100 px: 1 chips complete, 1 with failed pixels, 0 missing\n$/);
    const stem = 'CCDC_native_chips-h166v-1734-h167v-1734_1985_19850701_V01';
    expect((await readdir(at('maps'))).filter((name) => name.includes('1985')).sort()).toEqual([
      `${stem}.json`,
      `${stem}_SCMQA.tif`,
      `${stem}_SYNTHETIC.tif`,
    ]);
    const { header, planes } = await readPlanes(at(`maps/${stem}_SYNTHETIC.tif`));
    expect(header.bands.map(({ name }) => name)).toEqual(['blue', 'green', 'red', 'nir', 'swir1', 'swir2', 'thermal']);
    // Scenes begin in column 68 and row 99 of the chips: 500055 = 15 + 30 · 16668.
    const row = Math.round((header.grid!.affine[5] - 5_200_125) / 30);
    const col = Math.round((500_055 - header.grid!.affine[2]) / 30);
    const thermal = planes[6]!;
    expect(thermal[row * 200 + col]).toBeGreaterThan(2500);
    expect(thermal[row * 200 + col]).toBeLessThan(3300);
    expect(thermal[row * 200 + col - 1]).toBe(-9999);
    const again = stackwise([...args, '--product', 'SCMQA']);
    expect([again.status, again.lines]).toEqual([1, [expect.stringMatching(/exists already: give --overwrite/)]]);
  });

  it('exits 1 where nothing has run, and 2 for wrong usage', () => {
    for (const [args, status, message] of [
      [['--date', '2014-07-01', '--tile', '0,0'], 1, /nothing of chips 0, 0 to 49, 49 of the grid native has run/],
      [['--date', '2014-07-01', '--product', 'SCTIMES'], 1, /--product: there is no product "SCTIMES"/],
      [['--date', 'yesterday'], 1, /yesterday/],
      [['--date', '2014-07-01', '--memory-limit', '1MiB'], 1, /--memory-limit: .* 1.00 MiB are allowed/],
      [['--dates', '2014-07-01'], 2, /unknown option '--dates'|required option/],
      [[], 2, /required option '--date <days>' not specified/],
    ] as const) {
      const found = stackwise(['products', '--store', at('store'), '--out', at('none'), ...args]);
      expect([found.status, found.lines]).toEqual([status, [expect.stringMatching(message)]]);
    }
  });
});

describe('stackwise ccdc export', () => {
  it('writes JSON and Parquet, chip by chip', async () => {
    const json = stackwise(['export', '--store', at('store'), '--format', 'json', '--gzip', '--out', at('json')]);
    expect([json.status, json.lines]).toEqual([0, []]);
    expect(json.stdout).toMatch(/\n2 chips written, 0 missing\n$/);
    expect((await readdir(at('json'))).map((name) => path.extname(name))).toEqual(['.gz', '.gz']);
    const [h, v] = SCENES_CHIPS[0]!.split(',');
    const args = [
      'export',
      '--store',
      at('store'),
      '--format',
      'parquet',
      '--out',
      at('tables'),
      '--chip',
      `${h},${v}`,
    ];
    const { status, stdout } = stackwise([...args, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ chips: { exported: 1, missing: 0 } });
    const files = JSON.parse(stdout).files as string[];
    for (const file of files) expect((await readFile(file)).subarray(0, 4).toString()).toBe('PAR1');
    const refused = stackwise(args);
    expect([refused.status, refused.lines]).toEqual([1, [expect.stringContaining('exists already')]]);
    expect(stackwise([...args, '--format', 'csv']).status).toBe(2);
  });
});

describe('the command around them', () => {
  it('takes scenes as before, and shows what is in it', () => {
    const help = stackwise(['--help']).stdout;
    for (const name of ['products', 'export', 'status']) expect(help).toMatch(new RegExp(`^ +${name} `, 'm'));
    expect(stackwise(['products', '--help']).stdout).toContain('--magnitude-bands');
    const plan = stackwise([items, '--store', at('store'), '--plan', '--json']);
    expect(JSON.parse(plan.stdout).chips).toMatchObject({ asked: 2, unchanged: 2 });
    expect(stackwise([]).status).toBe(2);
  });
});
