import { describe, expect, inject, it } from 'vitest';
import { composite, encodeCog, readScenes } from '../../build/index.js';
import { openCog } from '../../build/io/cog.js';
import { copyTile } from '../fixture/copy-tile.js';
import { digestOf, OPTIONS, WARPED } from './digest.js';

const { url, expected, warped } = inject('collection');

describe('a composite over HTTP ranges', () => {
  it('has the bits that Node computes, in the page itself', async () => {
    const result = await composite(await readScenes(url), { ...OPTIONS, threads: 0 });
    expect(digestOf(result)).toEqual(expected);
  });

  it('has the bits that Node computes, in two workers', async () => {
    const result = await composite(await readScenes(url), { ...OPTIONS, threads: 2 });
    expect(result.plan.threads).toBe(2);
    expect(digestOf(result)).toEqual(expected);
  });

  it.each([0, 2])('has the bits that Node computes in another CRS, %i threads', async (threads) => {
    expect(digestOf(await composite(await readScenes(url), { ...WARPED, threads }))).toEqual(warped);
  });

  it('takes parsed documents, which need no store', async () => {
    const collection = (await (await fetch(url)).json()) as { links: { rel: string; href: string }[] };
    const href = new URL(collection.links.find(({ rel }) => rel === 'item')!.href, url).href;
    const item = (await (await fetch(href)).json()) as { assets: Record<string, { href: string }> };
    for (const asset of Object.values(item.assets)) asset.href = new URL(asset.href, href).href;
    const { results } = await composite(await readScenes(item), { bands: ['red'], statistics: 'median', threads: 0 });
    expect(results.median!.data[0]!.some((value) => value > 0)).toBe(true);
  });

  it('ends in one clear error where a scene is missing', async () => {
    const [first] = await readScenes(url);
    const gone = structuredClone(first!);
    gone.bands.B04!.href = gone.bands.B04!.href.replace('B04', 'gone');
    await expect(composite([gone], { bands: ['B04'], statistics: 'median', threads: 1 })).rejects.toThrow(/404/);
  });

  it('stops at once when it is aborted', async () => {
    const stopper = new AbortController();
    const scenes = await readScenes(url);
    const run = composite(scenes, {
      ...OPTIONS,
      threads: 2,
      signal: stopper.signal,
      onProgress: () => stopper.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
  });
});

describe('files', () => {
  it('are refused by name', async () => {
    await expect(readScenes('items.json')).rejects.toThrow('a browser has no files: give https URLs');
  });

  it.each(['deflate', 'zstd'] as const)('are written to memory (%s) and read back', async (compression) => {
    const [width, height] = [70, 50];
    const crs = { epsg: 32631, definition: null, geoKeys: null };
    const grid = { crs, affine: [10, 0, 643_000, 0, -10, 5_642_000] as const, width, height };
    const data = Uint16Array.from({ length: width * height }, (_, i) => (i * i) % 9973);
    const cog = await encodeCog({ grid, data: [data], names: ['a'], nodata: 0 }, { compression, tileSize: 64 });
    const store = {
      read: async (_: string, range?: { offset: number; length: number }) =>
        range ? cog.subarray(range.offset, range.offset + range.length) : cog,
      stat: async () => ({ tag: null, bytes: cog.length }),
      list: async () => [],
      write: async () => {},
    };
    const raster = await openCog('memory', { store });
    const [tile] = await copyTile(raster, { level: 0, col: 0, row: 0 }, [0]);
    expect(tile![0]).toBe(0);
    expect([...tile!.subarray(64, 64 + 5)]).toEqual([...data.subarray(70, 75)]);
  });
});
