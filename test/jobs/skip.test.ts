import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composite, readScenes, type Scene } from '../../build/index.js';
import { makeCollection } from '../browser/collection.js';
import { digestOf } from '../browser/digest.js';

const OPTIONS = { bands: ['B04'], statistics: 'median,count' };

let collection: Awaited<ReturnType<typeof makeCollection>>;
let scenes: Scene[];
let cut: Scene;

beforeAll(async () => {
  collection = await makeCollection();
  scenes = await readScenes(collection.path);
  cut = scenes[1]!;
  const { href } = cut.bands.B04!;
  const bytes = await readFile(href);
  await writeFile(href, bytes.subarray(0, Math.floor(bytes.length * 0.9)));
});
afterAll(() => collection.remove());

describe('a scene that is cut off', () => {
  it.each([0, 2])('is dropped from the whole run, with %i threads', async (threads) => {
    const result = await composite(scenes, { ...OPTIONS, threads, onError: 'skip' });
    expect(result.scenes.dropped.map(({ id }) => id)).toEqual([cut.id]);
    const without = await composite(
      scenes.filter((scene) => scene !== cut),
      { ...OPTIONS, threads },
    );
    expect(digestOf(result)).toEqual(digestOf(without));
  });

  it.each([0, 2])('ends a run that may not skip, with %i threads', async (threads) => {
    const run = composite(scenes, { ...OPTIONS, threads });
    await expect(run).rejects.toMatchObject({ name: 'FormatError', facts: { items: [cut.id] } });
  });
});

describe('a scene at an address that no store understands', () => {
  /** The last scene but with its band elsewhere: nobody opens it before the blocks are run. */
  const elsewhere = () => {
    const whole = scenes.filter((scene) => scene !== cut);
    const last = whole.at(-1)!;
    const bands = { ...last.bands, B04: { ...last.bands.B04!, href: 'ftp://example.org/B04.tif' } };
    return { whole, last, all: [...whole.slice(0, -1), { ...last, bands }] };
  };

  it.each([0, 2])('is dropped like one that cannot be read, with %i threads', async (threads) => {
    const { whole, last, all } = elsewhere();
    const result = await composite(all, { ...OPTIONS, threads, onError: 'skip' });
    expect(result.scenes.dropped.map(({ id }) => id)).toEqual([last.id]);
    const without = await composite(whole.slice(0, -1), { ...OPTIONS, threads });
    expect(digestOf(result)).toEqual(digestOf(without));
  });

  it('is named where nothing may be dropped', async () => {
    const { last, all } = elsewhere();
    const run = composite(all, { ...OPTIONS, threads: 0 });
    await expect(run).rejects.toMatchObject({ name: 'UnsupportedError', facts: { items: [last.id] } });
  });
});
