import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composite, readScenes } from '../build/index.js';
import { makeCollection } from './browser/collection.js';
import { digestOf, OPTIONS, WARPED } from './browser/digest.js';

let collection: Awaited<ReturnType<typeof makeCollection>>;
beforeAll(async () => {
  collection = await makeCollection();
});
afterAll(() => collection.remove());

describe('a composite', () => {
  // Pinned here for every version of Node, and compared with this in Chromium (test/browser/).
  it.each([0, 1, 3])('has the same bits everywhere, with %i threads', async (threads) => {
    const digests = digestOf(await composite(await readScenes(collection.path), { ...OPTIONS, threads }));
    const hash = createHash('sha256').update(JSON.stringify(digests));
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"4cf4c8ed5b0d86bf8d1082d9ff1d6d4486c980c789158154d1ef56a1465fb561"`,
    );
  });

  it.each([0, 2])('has the same bits everywhere in another CRS, with %i threads', async (threads) => {
    const digests = digestOf(await composite(await readScenes(collection.path), { ...WARPED, threads }));
    const hash = createHash('sha256').update(JSON.stringify(digests));
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"8bd0159d69f9b53169e902d3c90887f5468433f4307f53d8822b1d109a8653f0"`,
    );
  });
});
