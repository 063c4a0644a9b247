import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composite, readScenes } from '../build/index.js';
import { makeCollection } from './browser/collection.js';
import { digestOf, OPTIONS } from './browser/digest.js';

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
      `"bd34480574e9c8e29f6409bee59648ff0e176de3f41a92c72d74698438f239d7"`,
    );
  });
});
