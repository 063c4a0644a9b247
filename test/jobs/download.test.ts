import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { networkMeter } from '../../build/io/stores.js';
import { downloadFiles } from '../../build/jobs/download.js';
import { type FaultServer, startFaultServer } from '../fixture/fault-server.js';
import { seeded } from '../random.js';

const MIB = 2 ** 20;
const random = seeded(11);
const content = new Uint8Array(20 * MIB + 12345).map(() => Math.floor(random() * 256));
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder = '';
let server: FaultServer;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-download-'));
  server = await startFaultServer();
});
afterAll(async () => {
  server.stop();
  await rm(folder, { recursive: true, force: true });
});
let count = 0;
let home = '';
let name = '';
/** Stores remember files, so each test has one of its own. */
beforeEach(() => {
  home = path.join(folder, String(++count));
  name = `file-${count}.tif`;
  server.files.set(name, content);
  server.requests.length = 0;
  server.faults.length = 0;
});
const file = (sha256: string | null = null) => ({ url: `${server.root}/${name}`, name: 'red/a.tif', sha256 });
const ranges = () => server.requests.flatMap((line) => /bytes=\d+-\d+/.exec(line)?.[0] ?? []);

describe('a download', () => {
  it('survives a server that drops at 60 %, then answers 503 twice', async () => {
    const before = networkMeter.retries;
    server.faults.push(
      { kind: 'none' },
      { kind: 'drop', part: 0.6 },
      { kind: 'status', status: 503 },
      { kind: 'status', status: 503 },
    );
    const report = await downloadFiles(home, [file(digest(content))]);
    expect(report).toEqual({ fetched: 1, kept: 0, resumed: 0, bytes: content.length });
    expect(digest(await readFile(path.join(home, 'red/a.tif')))).toBe(digest(content));
    expect(networkMeter.retries - before).toBe(3);
    expect((await readdir(path.join(home, 'red'))).sort()).toEqual(['a.tif']);
  });

  it('goes on where it was stopped, while the file is the same', async () => {
    const stop = new AbortController();
    const onProgress = (done: number) => done > 8 * MIB - 1 && stop.abort(new Error('stopped'));
    await expect(downloadFiles(home, [file()], { signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    expect((await readdir(path.join(home, 'red'))).sort()).toEqual(['a.tif.part', 'a.tif.part.json']);
    server.requests.length = 0;
    const report = await downloadFiles(home, [file()]);
    expect(report).toMatchObject({ fetched: 1, resumed: 1 });
    expect(ranges()).toEqual([`bytes=${8 * MIB}-${16 * MIB - 1}`, `bytes=${16 * MIB}-${content.length - 1}`]);
    expect(digest(await readFile(path.join(home, 'red/a.tif')))).toBe(digest(content));
  });

  it('begins anew where the file on the server is another', async () => {
    await mkdir(path.join(home, 'red'), { recursive: true });
    await writeFile(path.join(home, 'red/a.tif.part'), new Uint8Array(5 * MIB));
    await writeFile(
      path.join(home, 'red/a.tif.part.json'),
      JSON.stringify({ url: file().url, bytes: content.length, tag: '"old"' }),
    );
    expect(await downloadFiles(home, [file()])).toMatchObject({ fetched: 1, resumed: 0 });
    expect(digest(await readFile(path.join(home, 'red/a.tif')))).toBe(digest(content));
  });

  it('leaves what is there, and fetches again what was cut', async () => {
    await downloadFiles(home, [file()]);
    server.requests.length = 0;
    expect(await downloadFiles(home, [file()])).toMatchObject({ fetched: 0, kept: 1 });
    expect(ranges()).toEqual([]);
    await writeFile(path.join(home, 'red/a.tif'), 'x');
    expect(await downloadFiles(home, [file()])).toMatchObject({ fetched: 1, kept: 0 });
    expect(digest(await readFile(path.join(home, 'red/a.tif')))).toBe(digest(content));
  });

  it('keeps nothing that is not what the item says', async () => {
    await expect(downloadFiles(home, [file('0'.repeat(64))])).rejects.toThrow(
      /its SHA-256 is [0-9a-f]{64}, and its item says 0000/,
    );
    expect(await readdir(path.join(home, 'red'))).toEqual(['a.tif.part.json']);
  });

  it('ends with the first failure, in one clear line', async () => {
    const gone = { url: `${server.root}/gone.tif`, name: 'blue/b.tif', sha256: null };
    await expect(downloadFiles(home, [file(), gone])).rejects.toThrow(/^cannot read .*gone\.tif: HTTP 404/);
  });

  it('takes many files side by side into folders that are not there yet', async () => {
    const small = new Uint8Array([1, 2, 3]);
    const many = Array.from({ length: 40 }, (_, i) => {
      server.files.set(`s${count}-${i}`, small);
      return {
        url: `${server.root}/s${count}-${i}`,
        name: `${['red', 'green', 'blue'][i % 3]}/${i}.tif`,
        sha256: digest(small),
      };
    });
    expect(await downloadFiles(home, many)).toMatchObject({ fetched: 40 });
    expect(await downloadFiles(home, many)).toMatchObject({ fetched: 0, kept: 40 });
    expect((await readdir(home)).sort()).toEqual(['blue', 'downloads.json', 'green', 'red']);
  });

  it('takes an empty file, and no file', async () => {
    server.files.set('empty', new Uint8Array(0));
    const empty = { url: `${server.root}/empty`, name: 'empty', sha256: digest(new Uint8Array(0)) };
    expect(await downloadFiles(home, [empty])).toMatchObject({ fetched: 1, bytes: 0 });
    expect(await downloadFiles(home, [])).toEqual({ fetched: 0, kept: 0, resumed: 0, bytes: 0 });
  });
});
