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
