import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ChipResult, openResults, type ResultStore, StoreError } from '../../build/node.js';
import { md5, NAMED, SMALL_GRID, someChanges } from '../fixture/results.js';
import { smallDisk } from '../fixture/small-disk.js';

const GRID = { ...SMALL_GRID, chipPx: 30 };
const DISK_BYTES = 6 * 2 ** 20;
const disk = smallDisk(DISK_BYTES);
const at = (name: string) => path.join(disk!.folder, name);

function chip(h: number, seed = h + 1): ChipResult {
  return { h, v: 0, changes: someChanges(GRID.chipPx ** 2, { seed }), inputsMd5: md5(`${h}`), producedMs: seed };
}

/** Takes what is left of the disk, but for some bytes. */
function fill(file: string, left = 0): void {
  const { bavail, bsize } = statfsSync(disk!.folder);
  writeFileSync(file, Buffer.alloc(bavail * bsize - left));
}

async function whole(store: ResultStore): Promise<number> {
  const found = await store.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 999, vMax: 0 });
  for (const { h, producedMs } of found) expect(await store.chip(NAMED, { h, v: 0 })).toEqual(chip(h, producedMs));
  return found.length;
}

/** Another process writes a chip; what it says. */
function other(folder: string, h: number): string {
  const build = path.resolve('build/node.js');
  const code = `
    const { openResults } = await import(${JSON.stringify(build)});
    const store = await openResults(${JSON.stringify(folder)});
    const one = await store.chip(${JSON.stringify(NAMED)}, { h: 0, v: 0 });
    await store.write({ ...one, h: ${h} }).then(() => console.log('written'), (error) => console.log(error.message));
    await store.close();`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
}

describe.skipIf(!disk)('a store on a full disk (skipped where no small disk can be mounted)', () => {
  afterAll(() => disk?.unmount());

  it('says so in one line, keeps all chips whole, and takes more when there is room', async () => {
    const folder = at('store');
    writeFileSync(at('ballast'), Buffer.alloc(2 ** 20));
    const store = await openResults(folder, { grid: GRID });
    let count = 0;
    let error: unknown = null;
    while (!error && count < 100) {
      error = await store.write(chip(count)).catch((e: unknown) => e);
      if (!error) count++;
    }
    expect(count).toBeGreaterThan(1);
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).facts).toEqual({ url: path.join(folder, 'results.mdb'), status: 'ENOSPC' });
    expect((error as Error).message).toMatch(
      /^the result store .*results\.mdb failed: the disk is full \(.* written\)$/,
    );
    expect(await whole(store)).toBe(count);
    // Also a chip that is there cannot be replaced, and stays as it was.
    fill(at('rest'));
    await expect(store.write(chip(0, 77))).rejects.toThrow('the disk is full');
    expect(other(folder, count)).toMatch(/the disk is full/);
    expect(await whole(store)).toBe(count);
    rmSync(at('ballast'));
    rmSync(at('rest'));
    await store.write(chip(count));
    expect(await whole(store)).toBe(count + 1);
    expect(await store.remove(NAMED, { h: count, v: 0 })).toBe(true);
    expect(other(folder, count)).toBe('written\n');
    await store.close();
    const again = await openResults(folder);
    expect(await again.chip(NAMED, { h: count, v: 0 })).toEqual({ ...chip(0), h: count });
    await again.close();
  });

  it('is not made, and does not end the process', () => {
    rmSync(at('store'), { recursive: true, force: true });
    const build = path.resolve('build/node.js');
    const make = (folder: string) => {
      const code = `
        const { openResults, CHIP_GRIDS } = await import(${JSON.stringify(build)});
        await openResults(${JSON.stringify(folder)}, { grid: CHIP_GRIDS.conus }).catch((e) => console.log(e.message));`;
      return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    };
    mkdirSync(at('new'));
    fill(at('ballast'));
    const { status, stdout } = make(at('new'));
    expect(status).toBe(0);
    expect(stdout).toBe(`the result store ${at('new/results.mdb')} cannot be opened: the disk is full\n`);
    rmSync(at('ballast'));
    expect(make(at('new'))).toMatchObject({ status: 0, stdout: '' });
    // A file of locks that has only its length.
    rmSync(at('new/results.mdb-lock'));
    writeFileSync(at('new/results.mdb-lock'), '');
    truncateSync(at('new/results.mdb-lock'), 8272);
    fill(at('ballast'));
    expect(make(at('new'))).toMatchObject({ status: 0, stdout: expect.stringContaining('the disk is full') });
    rmSync(at('ballast'));
  });

  it('is read where nothing can be written', async () => {
    const folder = at('read');
    const store = await openResults(folder, { grid: GRID });
    await store.write(chip(0));
    await store.close();
    execFileSync('mount', ['-o', 'remount,ro', disk!.folder]);
    try {
      const reader = await openResults(folder, { readOnly: true });
      expect(await reader.chip(NAMED, { h: 0, v: 0 })).toEqual(chip(0));
      await reader.close();
      await expect(openResults(folder)).rejects.toThrow(`the result store ${folder} cannot be written (EROFS)`);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', disk!.folder]);
    }
  });
});
