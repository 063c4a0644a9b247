import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { claim } from '../../build/jobs/claim.js';
import { compositeToFolder, type FolderOptions, InputError, StoreError } from '../../build/node.js';

const cli = path.resolve('build/app/cli.js');
const claimModule = path.resolve('build/jobs/claim.js');
const NAMES = ['count.tif', 'item.json', 'mean.tif', 'median.tif'];
const WORK = '.stackwise-work';
/** Blocks are four tiles of the coarsest band wide, here 128 px: nine of them. */
const SIZE = 320;
const BLOCKS = 9;
const OPTIONS: FolderOptions = { bands: ['B04', 'B11'], statistics: 'median,mean,count', threads: 0 };

/** Of a process that has ended. */
const deadPid = spawnSync(process.execPath, ['--version']).pid;

let folder = '';
let collection = '';
const at = (name: string) => path.join(folder, name);

async function run(out: string, options: FolderOptions = {}, source = collection) {
  const notes: string[] = [];
  const onWarning = (text: string) => notes.push(text);
  const summary = await compositeToFolder(source, at(out), { ...OPTIONS, onWarning, ...options });
  return { ...summary, notes };
}

/** Stops a run when so many pixels are done; gives its notes. */
async function stopped(out: string, options: FolderOptions = {}, source = collection): Promise<string[]> {
  const stop = new AbortController();
  const notes: string[] = [];
  const onProgress = (done: number) => done >= 50_000 && stop.abort(new Error('enough'));
  const onWarning = (text: string) => notes.push(text);
  await expect(run(out, { signal: stop.signal, onProgress, onWarning, ...options }, source)).rejects.toThrow('enough');
  return notes;
}

async function blockFiles(work: string): Promise<string[]> {
  if (!existsSync(work)) return [];
  const entries = await readdir(work, { recursive: true });
  return entries.filter((name) => name.endsWith('.block')).map((name) => path.join(work, name));
}
const workOf = (out: string) => path.join(at(out), WORK);

/** Same bytes as the run that nobody stopped, and nothing beside them. */
async function expectClean(out: string): Promise<void> {
  expect((await readdir(at(out))).sort()).toEqual(NAMES);
  for (const name of NAMES.filter((n) => n.endsWith('.tif'))) {
    expect((await readFile(at(`${out}/${name}`))).equals(await readFile(at(`clean/${name}`)))).toBe(true);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-resume-'));
  collection = (await simulateScenes(at('c'), { dates: 4, size: SIZE, tileSize: 16 })).path;
  const { blocks } = await run('clean');
  expect(blocks).toEqual({ total: BLOCKS, restored: 0 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a run that was stopped', () => {
  it.each([0, 2])(
    'keeps finished blocks, says so, and goes on from there to the same results (threads %d)',
    async (threads) => {
      const out = `stopped${threads}`;
      const notes = await stopped(out, { threads });
      const kept = (await blockFiles(workOf(out))).length;
      expect(kept).toBeGreaterThan(1);
      expect(notes.at(-1)).toContain(`${kept} of ${BLOCKS} blocks are kept in ${workOf(out)}`);
      expect(await readdir(at(out))).toEqual([WORK]);
      const next = await run(out);
      expect(next.blocks).toEqual({ total: BLOCKS, restored: kept });
      expect(next.notes).toContain(`${kept} of ${BLOCKS} blocks were finished before: going on from there`);
      await expectClean(out);
    },
  );

  it('does not compute kept blocks again: what they hold is what comes out', async () => {
    await stopped('forged');
    const [file] = (await blockFiles(workOf('forged'))).sort();
    const planes = (await readFile(file!)).subarray(64).fill(7);
    await writeFile(file!, Buffer.concat([Buffer.from(createHash('sha256').update(planes).digest('hex')), planes]));
    await run('forged');
    const [forged, clean] = [await readFile(at('forged/count.tif')), await readFile(at('clean/count.tif'))];
    expect(forged.equals(clean)).toBe(false);
  });

  it('computes a block again whose file is cut off or has another content', async () => {
    await stopped('damaged');
    const [cut, other] = (await blockFiles(workOf('damaged'))).sort();
    await writeFile(cut!, (await readFile(cut!)).subarray(0, 1000));
    const bytes = await readFile(other!);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(other!, bytes);
    const kept = (await blockFiles(workOf('damaged'))).length;
    expect((await run('damaged')).blocks.restored).toBe(kept - 2);
    await expectClean('damaged');
  });

  it('computes all again when a scene has changed since', async () => {
    await cp(at('c'), at('changing'), { recursive: true });
    const source = at('changing/collection.json');
    await stopped('changed', {}, source);
    const [scene] = (await readdir(at('changing'), { recursive: true })).filter((name) => name.endsWith('B04.tif'));
    await utimes(at(`changing/${scene}`), 1e9, 1e9);
    const { blocks, notes } = await run('changed', {}, source);
    expect(blocks.restored).toBe(0);
    expect(notes.join()).toMatch(/B04\.tif has changed since blocks of it were finished: all are computed again/);
    await expectClean('changed');
  });

  it('starts anew with other options, and nothing of the old run is left in the end', async () => {
    await stopped('options');
    expect((await run('options', { statistics: 'median' })).blocks.restored).toBe(0);
    const kept = (await blockFiles(workOf('options'))).length;
    expect(kept).toBe(0);
    await run('options', { overwrite: true });
    await expectClean('options');
  });

  it('takes up results that got their names before the item did', async () => {
    await stopped('late');
    await cp(at('clean/median.tif'), at('late/median.tif'));
    await writeFile(at('late/.mean.tif.0123456789ab.partial'), 'cut off');
    expect((await run('late')).blocks.restored).toBeGreaterThan(0);
    await expectClean('late');
  });

  it('keeps its blocks where it is told, or nowhere', async () => {
    await stopped('elsewhere', { workDir: at('work') });
    expect(await readdir(at('elsewhere'))).toEqual([]);
    expect((await blockFiles(at('work'))).length).toBeGreaterThan(0);
    expect((await run('moved', { workDir: at('work') })).blocks.restored).toBeGreaterThan(0);
    await expectClean('moved');
    expect(existsSync(at('work'))).toBe(false);
    await stopped('nowhere', { workDir: false });
    expect(await readdir(at('nowhere'))).toEqual([]);
  });

  it('leaves a run alone that a living process is at', async () => {
    await stopped('busy');
    const [key] = await readdir(workOf('busy'));
    await writeFile(
      path.join(workOf('busy'), key!, 'owner.json'),
      JSON.stringify({ pid: process.ppid, host: hostname() }),
    );
    const failure = await run('busy').catch((error) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(failure.message).toContain(
      `process ${process.ppid} is at work in ${path.join(workOf('busy'), key!)} already`,
    );
    expect((await blockFiles(workOf('busy'))).length).toBeGreaterThan(0);
  });

  it('computes all again where the notes on the files are damaged', async () => {
    await stopped('torn');
    const [key] = await readdir(workOf('torn'));
    // Half of a line, and behind it what the next run wrote.
    await appendFile(
      path.join(workOf('torn'), key!, 'sources.jsonl'),
      '[["0123456789abcdef","1[["0123456789abcdef",null]]\n',
    );
    const { blocks, notes } = await run('torn');
    expect(blocks.restored).toBe(0);
    expect(notes.join()).toMatch(
      /what is noted in .* has changed since blocks of it were finished: all are computed again/,
    );
    await expectClean('torn');
  });

  it('takes a run over whose owner is not told', async () => {
    await stopped('unowned');
    const [key] = await readdir(workOf('unowned'));
    await writeFile(path.join(workOf('unowned'), key!, 'owner.json'), '');
    expect((await run('unowned')).blocks.restored).toBeGreaterThan(0);
    await expectClean('unowned');
  });

  it('says where blocks cannot be kept', async () => {
    await writeFile(at('file'), '');
    const failure = await run('no-work', { workDir: at('file/work') }).catch((error) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure.message).toMatch(/^cannot make the folder .*file/);
  });

  it('goes on without keeping when its place is gone, and says so', async () => {
    const work = at('vanishing');
    await mkdir(work);
    let isGone = false;
    const onProgress = async (done: number) => {
      if (done === 0 || isGone) return;
      isGone = true;
      await rm(work, { recursive: true });
    };
    const { notes } = await run('gone', { workDir: work, onProgress });
    expect(notes.join()).toMatch(/finished blocks are not kept any more: cannot write to .* \(ENOENT\)/);
    await expectClean('gone');
  });
});

describe('a folder that another process writes to', () => {
  const LOCK = '.stackwise-lock';
  const owner = (pid: number, host = hostname()) => JSON.stringify({ pid, host, id: 'x' });

  it('is left alone, whatever the options, and told', async () => {
    await mkdir(at('taken'));
    await writeFile(at(`taken/${LOCK}`), owner(process.ppid));
    for (const options of [{}, { statistics: 'max', workDir: false, overwrite: true } as const]) {
      const failure = await run('taken', options).catch((error) => error);
      expect(failure).toBeInstanceOf(InputError);
      expect(failure.message).toBe(
        `process ${process.ppid} is at work in ${at('taken')} already: wait for it, stop it, or remove ${at(`taken/${LOCK}`)}`,
      );
    }
    expect(await readdir(at('taken'))).toEqual([LOCK]);
  });

  it('is left alone by a second run of the same process', async () => {
    let second: Promise<unknown> | null = null;
    const onProgress = (done: number) => {
      if (done > 0) second ??= run('same', { statistics: 'max', overwrite: true }).catch((error) => error);
    };
    await run('same', { onProgress });
    expect((await second!) as Error).toBeInstanceOf(InputError);
    await expectClean('same');
  });

  it.each([
    ['was killed', () => owner(deadPid)],
    ['had the number of this process', () => owner(process.pid)],
    ['was killed while it wrote its name', () => ''],
    ['wrote nonsense', () => '[1'],
  ])('is taken over when the other %s', async (name, text) => {
    const out = `dead-${name.replaceAll(' ', '-')}`;
    await mkdir(at(out));
    await writeFile(at(`${out}/${LOCK}`), text());
    await run(out);
    await expectClean(out);
  });

  it('of another machine is left alone while that gives signs of life', async () => {
    await mkdir(at('far'));
    await writeFile(at(`far/${LOCK}`), owner(1, 'elsewhere'));
    await expect(run('far')).rejects.toThrow('process 1 of elsewhere is at work');
    const longAgo = Date.now() / 1000 - 3600;
    await utimes(at(`far/${LOCK}`), longAgo, longAgo);
    await run('far');
    await expectClean('far');
  });

  it('goes to one of many processes that take a dead one over', async () => {
    const path = at('crowd.lock');
    const taken = `import { claim } from ${JSON.stringify(pathToFileURL(claimModule).href)};
      process.stdin.resume();
      await new Promise((begin) => process.stdin.once('data', begin));
      await claim(${JSON.stringify(path)}, 'here').then(() => console.log('won'), (error) => console.log(error.message));
      process.stdin.once('end', () => process.exit());`;
    await writeFile(path, owner(deadPid));
    const crowd = Array.from({ length: 4 }, () => spawn(process.execPath, ['--input-type=module', '-e', taken]));
    const said = crowd.map(
      (child) => new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text)))),
    );
    for (const child of crowd) child.stdin.write('go');
    const words = await Promise.all(said);
    for (const child of crowd) child.stdin.end();
    expect(words.filter((word) => word.startsWith('won'))).toHaveLength(1);
    expect(words.filter((word) => word.includes('is at work in here already'))).toHaveLength(3);
  });

  it('is held once in one process, until it is given free', async () => {
    const path = at('one.lock');
    const first = await claim(path, 'here');
    await expect(claim(path, 'here')).rejects.toThrow(`process ${process.pid} is at work in here already`);
    await first.release();
    await (await claim(path, 'here')).release();
    expect(existsSync(path)).toBe(false);
  });
});

describe('two processes that begin the same run at the same moment', () => {
  it('leave it to one of them', async () => {
    const args = ['composite', collection, '--bands', 'B04,B11', '--stat', 'median,mean,count', '--threads', '0'];
    const both = [0, 1].map(async () => {
      const child = spawn(process.execPath, [cli, ...args, '--out', at('twins')], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let text = '';
      child.stderr.on('data', (part) => {
        text += part;
      });
      return { code: await new Promise((resolve) => child.on('close', resolve)), text };
    });
    const ends = await Promise.all(both);
    expect(ends.some(({ code }) => code === 0)).toBe(true);
    // The later one may also find the results there.
    for (const { code, text } of ends)
      if (code !== 0) expect(text).toMatch(/is at work in .*twins already|exists already/);
    await rm(at('twins/preview.png'));
    await expectClean('twins');
  });
});

describe.skipIf(process.platform === 'win32')('a process that was killed (needs signals)', () => {
  it('loses only the blocks that were under way', async () => {
    const args = ['composite', collection, '--bands', 'B04,B11', '--stat', 'median,mean,count', '--threads', '2'];
    const start = () => spawn(process.execPath, [cli, ...args, '--out', at('killed'), '--json']);
    const child = start();
    const ended = new Promise((resolve) => child.on('close', resolve));
    while (child.exitCode === null && (await blockFiles(workOf('killed'))).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(at('killed/item.json'))).toBe(false);
    const kept = (await blockFiles(workOf('killed'))).length;
    expect(kept).toBeGreaterThanOrEqual(2);
    const next = start();
    let out = '';
    next.stdout.on('data', (part) => {
      out += part;
    });
    expect(await new Promise((resolve) => next.on('close', resolve))).toBe(0);
    expect(JSON.parse(out).blocks).toEqual({ total: BLOCKS, restored: kept });
    await rm(at('killed/preview.png'));
    await expectClean('killed');
  });
});
