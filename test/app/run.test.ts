import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { saveTasks, verify } from '../../build/node.js';

const cli = resolve(import.meta.dirname, '../../build/app/cli.js');
const SIZE = 256;
/** Tiles of 128 px: the scenes fill four of them. */
const GRID = {
  crs: 'EPSG:32631',
  resolution: 10,
  shape: [128, 128],
  origin: [5_642_000 - SIZE * 10, 643_000],
  name: 'test',
};
const CONFIG = `plugin: gm-s2
plugin_config: {bands: [B03, B04, B11]}
product: {name: gm, short_name: gm, version: 1.2.0}
cog_opts: {blocksize: 64, zlevel: 1}
# Of save-tasks, which run passes over.
frequency: annual
grid: au_30
`;

let folder = '';
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-cli-'));
  const { path } = await simulateScenes(at('c'), { dates: 4, size: SIZE, tileSize: 32, overviews: false });
  await saveTasks([path], { grid: JSON.stringify(GRID), frequency: 'annual', tiles: '0:2,0:2', out: at('set') });
  await writeFile(at('run.yaml'), CONFIG);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | null;
  /** Lines. */
  out: string[];
  /** Of stderr, without progress; what was noted as its text. */
  told: string[];
}

function stackwise(args: readonly string[], stopWhen?: () => boolean): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder });
    const timer = setInterval(() => {
      if (!stopWhen?.()) return;
      clearInterval(timer);
      child.kill('SIGTERM');
    }, 5);
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.stderr.on('data', (part) => {
      err += part;
    });
    child.on('close', (code) => {
      clearInterval(timer);
      const lines = (text: string) => text.split('\n').filter(Boolean);
      const told = lines(err).flatMap((line) => {
        if (!line.startsWith('{')) return [line];
        const { event, text } = JSON.parse(line);
        return event === 'note' ? [text] : [];
      });
      done({ code, out: lines(out), told });
    });
  });
}

const run = (...args: string[]) => stackwise(['run', 'set', '--config', 'run.yaml', '--threads', '0', ...args]);
const itemOf = (out: string, x: number, y: number) =>
  `${out}/x0${x}/y0${y}/2024--P1Y/gm_x0${x}y0${y}_2024--P1Y.stac-item.json`;

describe('stackwise run', () => {
  it('lists, makes and skips, and tells what became of each task', async () => {
    const line = (x: number, y: number, flag: string) =>
      `x0${x}/y0${y}/2024--P1Y days=004 ds=0005 ${itemOf('out', x, y)} (${flag})`;
    expect(await run('--location', 'out', '--dryrun', ':2')).toEqual({
      code: 0,
      out: [line(0, 0, 'new'), line(0, 1, 'new')],
      told: [],
    });
    expect(existsSync(at('out'))).toBe(false);
    const made = await run('--location', 'out', '--apply_eodatasets3', '--no-public', '--threads', '-1', '0');
    expect(made).toMatchObject({ code: 0, out: [`2024--P1Y/0/0 done ${itemOf('out', 0, 0)}`] });
    expect(made.told.at(-1)).toBe('1 task: 1 done, 0 skipped, 0 failed');
    expect(existsSync(at(itemOf('out', 0, 0).replace('.stac-item.json', '.odc-metadata.yaml')))).toBe(true);
    const again = await run('--location', 'out', ':2', '--no-apply-eodatasets3', '--json');
    expect(again.out.map((text) => JSON.parse(text))).toMatchObject([
      { id: '2024--P1Y/0/0', status: 'skipped', reason: 'done before' },
      { id: '2024--P1Y/0/1', status: 'done', scenes: 5, dropped: [], uuid: expect.any(String) },
    ]);
    expect(readdirSync(at('out/x00/y01/2024--P1Y')).filter((name) => name.endsWith('.yaml'))).toEqual([]);
    const listed = await run('--location', 'out', '--dry-run', '--json', '0', '2024--P1Y/1/1');
    expect(listed.out.map((text) => JSON.parse(text))).toEqual([
      { id: '2024--P1Y/0/0', line: line(0, 0, 'skip'), trouble: null },
      { id: '2024--P1Y/1/1', line: line(1, 1, 'new'), trouble: null },
    ]);
    const over = await run('--location', 'out', '--dry-run', '--overwrite', '0');
    expect(over.out).toEqual([line(0, 0, 'recompute')]);
  }, 60_000);

  it('takes the set from the configuration, its arguments as tasks then, and tasks from a file', async () => {
    const args = ['run', '--config', `filedb: set\nlocation: filedb/{product}/{version}\n${CONFIG}`, '--dry-run'];
    const place = 'filedb/gm/1-2-0';
    const lines = async (...more: string[]) =>
      (await stackwise([...args, ...more])).out.map((text) => text.split(' ')[3]);
    expect(await lines('2024--P1Y/1/0')).toEqual([itemOf(place, 1, 0)]);
    await writeFile(at('ids.txt'), '# of the east\n2024--P1Y/1/1\n\nx1/y0/2024--P1Y  # a comment\n');
    expect(await lines('@ids.txt')).toEqual([itemOf(place, 1, 1), itemOf(place, 1, 0)]);
    expect(await lines('-1:')).toEqual([itemOf(place, 1, 1)]);
    expect(await lines()).toHaveLength(4);
  }, 60_000);

  it('ends with 1 when nobody reads its lines any more: tasks are not done', async () => {
    const args = [cli, 'run', 'set', '--config', 'run.yaml', '--threads', '0', '--location', 'pipe'];
    const child = spawn(process.execPath, args, { cwd: folder });
    child.stderr.resume();
    child.stdout.destroy();
    const code = await new Promise((done) => child.on('close', done));
    expect(code).toBe(1);
    // Its lock and drafts are gone after the next run.
    expect((await run('--location', 'pipe')).told.at(-1)).toMatch(/^4 tasks: .* 0 failed$/);
  }, 60_000);

  it('goes on when a task fails, and ends with 1', async () => {
    await cp(at('set'), at('broken'), { recursive: true });
    await writeFile(at('broken/tasks/2024--P1Y/+0000/+0001.json'), '{');
    const ended = await stackwise(['run', 'broken', ':2', '--config', 'run.yaml', '--threads', '0', '--location', 'b']);
    expect(ended.code).toBe(1);
    expect(ended.out).toEqual([`2024--P1Y/0/0 done ${itemOf('b', 0, 0)}`]);
    expect(ended.told.at(-1)).toMatch(/^stackwise: 1 of 2 tasks failed: 2024--P1Y\/0\/1 \(.*is not JSON.*\)$/);
    expect(ended.told).toContain('2 tasks: 1 done, 0 skipped, 1 failed');
  }, 60_000);

  it('reports where the time went, as lines and as a table', async () => {
    await run('--location', 'r', '--report', 'r.jsonl', ':2');
    const { code, out } = await stackwise(['report', 'r.jsonl', '--price', '0.05', '--set', 'set']);
    expect(code).toBe(0);
    expect(out[0]!.trim().split(/\s{2,}/)).toEqual([
      'task',
      'clock',
      'read',
      'warp',
      'compute',
      'write',
      'in',
      'out',
      'peak',
      'px/s/thread',
    ]);
    expect(
      out
        .slice(1, 3)
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual(['2024--P1Y/0/0', '2024--P1Y/0/1']);
    expect(out[3]).toMatch(/^all 2 .* (Ki|Mi)B .* MiB +\d+$/);
    expect(out[4]).toMatch(/^[\d.e-]+ vCPU-hours, 0\.\d{4}$/);
    expect(out[5]).toMatch(/^the set of 4 tasks: [\d.e-]+ vCPU-hours, 0\.\d{4}$/);
    const json = await stackwise(['report', 'r.jsonl', '--json']);
    const { rows, total, cost } = JSON.parse(json.out[0]!);
    expect([rows.length, total.px, cost]).toEqual([2, 2 * 128 * 128, null]);
    expect((await stackwise(['report', 'run.yaml'])).told).toEqual([
      'stackwise: run.yaml: line 1 is no report of a task',
    ]);
  }, 60_000);

  it.skipIf(process.platform === 'win32')(
    'stops cleanly on SIGTERM, and goes on when told to',
    async () => {
      const args = ['run', 'set', '--config', 'run.yaml', '--threads', '0', '--location', 'stopped'];
      const items = () =>
        [0, 1].flatMap((x) => [0, 1].map((y) => itemOf('stopped', x, y))).filter((path) => existsSync(at(path)));
      const first = await stackwise(args, () => items().length > 0);
      expect(first.code).toBe(1);
      expect(first.told.at(-1)).toBe(
        'stackwise: stopped by SIGTERM: what is finished stays, and the same command goes on',
      );
      const before = items().length;
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(4);
      const left = readdirSync(at('stopped'), { recursive: true, encoding: 'utf8' });
      expect(left.filter((name) => /partial|-lock/.test(name))).toEqual([]);
      expect((await verify(at('stopped'))).wrong).toBe(0);
      const next = await stackwise(args);
      expect(next.code).toBe(0);
      expect(next.out.filter((line) => line.includes(' skipped (done before) '))).toHaveLength(before);
      expect(items()).toHaveLength(4);
      const hidden = readdirSync(at('stopped'), { recursive: true, encoding: 'utf8' });
      expect(hidden.filter((name) => /(^|\/)\.|partial/.test(name))).toEqual([]);
    },
    60_000,
  );
});

describe('stackwise run, told what means nothing', () => {
  const base = ['run', 'set', '--config', 'run.yaml', '--location', 'wrong'];
  const inline = (yaml: string) => ['run', 'set', '--plugin', 'gm-s2', '--location', 'wrong', '--config', yaml];
  it.each([
    [2, ['run'], /--plugin is wanted, like gm-s2/],
    [2, ['run', 'set', '--plugin', 'gm-s2'], /--location is wanted: a folder or s3:/],
    [2, ['run', '--plugin', 'gm-s2', '--location', 'wrong'], /a set of tasks is wanted/],
    [2, [...base, '--nonsense'], /unknown option '--nonsense'/],
    [2, [...base, '0', '--from-sqs', 'queue'], /takes its tasks from the queue: give no others/],
    [1, [...base, '--from-sqs', 'queue'], /queues are not read yet/],
    [1, [...base, '--plugin', 'gm-s3'], /no plugin "gm-s3"; did you mean "gm-s2"/],
    [1, [...base, '--plugin', 'wofs-summary'], /the plugin wofs-summary cannot run yet/],
    [1, [...base, '--plugin-config', 'cloud_filter: {}'], /unknown key "cloud_filter"; did you mean "cloud_filters"\?/],
    [1, [...base, '--plugin-config', 'none.yaml'], /cannot read none\.yaml: ENOENT/],
    [1, [...base, '--cog-config', '- a\n- b'], /an object of keys is wanted, and got \["a","b"\]/],
    [1, [...base, '--cog-config', 'blocksiez: 512'], /unknown key "blocksiez"; did you mean "blocksize"\?/],
    [1, inline('ouput_location: x'), /unknown key "ouput_location"; did you mean "output_location"\?/],
    [1, inline('product: {shrot_name: x}'), /unknown key "shrot_name"; did you mean "short_name"\?/],
    [1, inline('on_error: ignore'), /on_error is one of fail, skip, not ignore/],
    [1, [...base, '--resolution', 'fine'], /a resolution is like 30 or -30,30 \(y, x\), and got "fine"/],
    [1, [...base, '--resolution', '30', '0'], /2024--P1Y\/0\/0 \(a resolution of 30 does not divide the tiles of test/],
    [1, [...base, '--resampling', 'lanczos'], /there is no resampling "lanczos"/],
    [1, [...base, '--threads', '-2'], /--threads takes a whole number/],
    [1, [...base, '--max-processing-time', 'long'], /--max-processing-time takes a number/],
    [1, [...base, '--report', 'none/r.jsonl'], /cannot write the report to none\/r\.jsonl: ENOENT/],
    [1, [...base, '@/dev/null'], /no task is named in \/dev\/null/],
    [1, [...base, '4'], /task 4: the set has 4 tasks, numbered from 0/],
    [1, [...base, '2024--P1Y/7/7'], /has no task 2024--P1Y\/7\/7/],
    [1, [...base, '@none.txt'], /cannot read tasks from none\.txt: ENOENT/],
    [1, ['run', 'nowhere', ...base.slice(2)], /nowhere is no set of tasks: it has no tasks\.json/],
    [1, ['run', 'nowhere.db', ...base.slice(2)], /cannot read nowhere\.db: no such file/],
    [1, ['run', 'future', ...base.slice(2)], /version/],
  ] as [number, string[], RegExp][])(
    'exit %i: %j',
    async (code, args, message) => {
      if (args[1] === 'future') {
        await cp(at('set'), at('future'), { recursive: true });
        const head = JSON.parse(await readFile(at('future/tasks.json'), 'utf8'));
        await writeFile(at('future/tasks.json'), JSON.stringify({ ...head, version: 99 }));
      }
      const ended = await stackwise(args);
      expect(ended.told.at(-1)).toMatch(message);
      expect(ended.code).toBe(code);
      expect(ended.out).toEqual([]);
      expect(existsSync(at('wrong/collection.json'))).toBe(false);
    },
    60_000,
  );
});
