import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { type CompositeOptions, composite, compositeToFolder, readScenes } from '../../build/node.js';

let folder = '';
let collection = '';
const at = (name: string) => path.join(folder, name);
const OPTIONS: CompositeOptions = { bands: ['B04', 'B11'], statistics: 'median,mean,count', threads: 0 };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-folder-'));
  collection = (await simulateScenes(at('c'), { dates: 4, size: 64, tileSize: 16 })).path;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What lies there but for the finished blocks of a run that is under way or was stopped. */
const results = async (name: string) => (await readdir(at(name))).filter((entry) => entry !== '.stackwise-work');
const ALL = ['count.tif', 'item.json', 'mean.tif', 'median.tif'];

describe('a composite into a folder', () => {
  it('writes the item last of all', async () => {
    const seen: string[][] = [];
    const preview = async () => {
      seen.push((await results('last')).sort());
      return null;
    };
    const { files } = await compositeToFolder(collection, at('last'), { ...OPTIONS, preview });
    expect(seen).toEqual([['.stackwise-lock', ...ALL.filter((name) => name !== 'item.json')]]);
    expect((await readdir(at('last'))).sort()).toEqual(ALL);
    expect(files.map((file) => path.basename(file)).sort()).toEqual(ALL);
  });

  it('takes an old item away before the first result is replaced', async () => {
    await compositeToFolder(collection, at('again'), OPTIONS);
    const seen: string[][] = [];
    const preview = async () => {
      seen.push(await readdir(at('again')));
      return null;
    };
    await compositeToFolder(collection, at('again'), { ...OPTIONS, preview, overwrite: true });
    expect(seen[0]).not.toContain('item.json');
    expect((await readdir(at('again'))).sort()).toEqual(ALL);
  });

  it('leaves old results as they are when a run fails before its end', async () => {
    await compositeToFolder(collection, at('kept'), OPTIONS);
    const before = await readFile(at('kept/median.tif'));
    const controller = new AbortController();
    const onProgress = (done: number) => done > 0 && controller.abort(new Error('enough'));
    const more = { overwrite: true, limit: 2, onProgress, signal: controller.signal };
    await expect(compositeToFolder(collection, at('kept'), { ...OPTIONS, ...more })).rejects.toThrow('enough');
    expect((await results('kept')).sort()).toEqual(ALL);
    expect(before.equals(await readFile(at('kept/median.tif')))).toBe(true);
  });

  it('leaves nothing when the end fails', async () => {
    const preview = async () => {
      throw new Error('no paint');
    };
    const run = compositeToFolder(collection, at('failed'), { ...OPTIONS, preview });
    await expect(run).rejects.toThrow('no paint');
    expect(await readdir(at('failed'))).toEqual([]);
  });
});

describe('an aborted composite', () => {
  it.each([0, 2])('leaves no thread behind: the process ends by itself (threads %d)', (threads) => {
    const script = `
      const { composite, readScenes } = await import(${JSON.stringify(pathToFileURL(path.resolve('build/node.js')).href)});
      const stop = new AbortController();
      const scenes = await readScenes(${JSON.stringify(collection)});
      const onProgress = () => setTimeout(() => stop.abort(new Error('enough')));
      await composite(scenes, { threads: ${threads}, signal: stop.signal, onProgress }).then(
        () => console.log('finished'),
        (error) => console.log(error.message),
      );`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stdout).toBe('enough\n');
    expect(status).toBe(0);
  });

  it('takes threads where node is told how to read its text', () => {
    const script = `
      const { composite, readScenes } = await import(${JSON.stringify(pathToFileURL(path.resolve('build/node.js')).href)});
      const { scenes } = await composite(await readScenes(${JSON.stringify(collection)}), { threads: 1 });
      console.log(scenes.used);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('options that are none of their words are refused', async () => {
    const scenes = await readScenes(collection);
    const wrong = { ...OPTIONS, group: 'week' } as unknown as CompositeOptions;
    await expect(composite(scenes, wrong)).rejects.toThrow('group is one of solar-day, none, and got "week"');
  });
});
