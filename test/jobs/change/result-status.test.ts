import { describe, expect, it } from 'vitest';
import { memoryResults, type StatusOptions, storeStatus } from '../../../build/node.js';
import { NAMED, SMALL_GRID, someChip } from '../../fixture/results.js';

async function filled() {
  const store = memoryResults(SMALL_GRID);
  await store.write(someChip(0, 0));
  await store.write(someChip(1, 2, { failed: [0, 5] }));
  await store.write(someChip(-1, -3, { failed: [5] }));
  const other = someChip(3, 0);
  other.changes.algorithm = 'other';
  await store.write(other);
  return store;
}

const failure = (px: number) => `QA value ${px} has no class – Ä`;

describe('the status of a store', () => {
  it('counts chips and pixels of all tiles that it has something of', async () => {
    const store = await filled();
    const [left, right, ...others] = await storeStatus(store);
    expect(others).toEqual([]);
    expect(left).toMatchObject({ h: -1, v: -1, complete: 0, incomplete: 1, missing: 8 });
    expect(left!.failures).toEqual([{ reason: failure(5), pixels: 1, samples: [{ x: -1030, y: 5110 }] }]);
    expect(left!.missingChips).not.toContainEqual({ h: -1, v: -3 });
    expect(right).toMatchObject({ h: 0, v: 0, complete: 1, incomplete: 1, missing: 7, pixels: { failed: 2 } });
    const { withSegments, empty, failed } = right!.pixels;
    expect(withSegments + empty + failed).toBe(32);
    expect(right!.missingChips).toEqual(
      [[1, 0], [2, 0], [0, 1], [1, 1], [2, 1], [0, 2], [2, 2]].map(([h, v]) => ({ h, v })), // biome-ignore format: chips
    );
    expect(right!.failures.map(({ reason, samples }) => [reason, samples])).toEqual([
      [failure(0), [{ x: -960, y: 4920 }]],
      [failure(5), [{ x: -950, y: 4910 }]],
    ]);
    expect(await storeStatus(memoryResults(SMALL_GRID))).toEqual([]);
    expect((await storeStatus(store, { algorithm: 'other' })).map(({ h, v }) => [h, v])).toEqual([[1, 0]]);
  });

  it('takes tiles by name, those without a chip too, and each once', async () => {
    const store = await filled();
    const tiles = await storeStatus(store, { tiles: [[0, 0], [5, 0], [0, 0], [5, 0]] }); // biome-ignore format: tiles
    expect(tiles.map(({ h, v, complete, missing, pixels }) => [h, v, complete, missing, pixels.failed])).toEqual([
      [0, 0, 1, 7, 2],
      [5, 0, 0, 9, 0],
    ]);
    expect(tiles[1]!.missingChips[0]).toEqual({ h: 15, v: 0 });
    await expect(storeStatus(store, { tiles: [[1.5, 0]] })).rejects.toThrow(/column and row of a tile/);
  });

  it('counts many pixels of one reason, and shows some', async () => {
    const store = memoryResults(SMALL_GRID);
    const chip = someChip(0, 0, { failed: [1, 2, 3, 4, 5, 6] });
    const failures = new Map([1, 2, 3, 4, 5].map((px) => [px, 'the same']));
    chip.changes.failures = failures.set(6, 'another');
    await store.write(chip);
    const progress: number[][] = [];
    const options: StatusOptions = { onProgress: (done, total) => progress.push([done, total]) };
    const [tile] = await storeStatus(store, options);
    expect(tile!.failures.map(({ reason, pixels, samples }) => [reason, pixels, samples.length])).toEqual([
      ['the same', 5, 3],
      ['another', 1, 1],
    ]);
    expect(progress).toEqual([[1, 1]]);
    const [quick] = await storeStatus(store, { reasons: false });
    expect(quick).toEqual({ ...tile, failures: [] });
    const stopped = storeStatus(store, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
    expect((await store.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 1, vMax: 1 })).length).toBe(1);
  });
});
