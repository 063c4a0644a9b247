import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError, type ResultStore } from '../../../build/node.js';
import { NAMED, someChip } from '../../fixture/results.js';

const cells = (...pairs: [h: number, v: number][]) => pairs.map(([h, v]) => ({ h, v }));

/** What all stores of requests do alike. `open` gives an empty store. */
export function describeChangeRequests(name: string, open: () => Promise<ResultStore>): void {
  describe(name, () => {
    let store: ResultStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    const waiting = async () => (await store.requests.next(99)).map(({ h, v }) => [h, v]);

    it('wait in the order of their arrival, each once, with the time when they came first', async () => {
      const { requests } = store;
      const some = { accepted: true, requested: 2, alreadyPending: 0 };
      expect(await requests.add(NAMED, cells([2, 1], [-1, 0]), { atMs: 10 })).toEqual(some);
      const again = await requests.add(NAMED, cells([0, 5], [2, 1], [0, 5]), { atMs: 20, refresh: true });
      expect(again).toEqual({ accepted: true, requested: 1, alreadyPending: 1 });
      expect(await waiting()).toEqual([
        [2, 1],
        [-1, 0],
        [0, 5],
      ]);
      expect(await requests.next(1)).toHaveLength(1);
      expect(await requests.next(0)).toEqual([]);
      expect(await requests.pending()).toBe(3);
      // Only what is wanted of it is more.
      expect(await requests.get(NAMED, { h: 2, v: 1 })).toEqual({
        ...{ algorithm: NAMED, h: 2, v: 1, requestedMs: 10, refresh: true, failure: null },
      });
      expect(await requests.get(NAMED, { h: -1, v: 0 })).toMatchObject({ requestedMs: 10, refresh: false });
      expect(await requests.get(NAMED, { h: 9, v: 9 })).toBeNull();
      expect(await requests.get('other', { h: 2, v: 1 })).toBeNull();
    });

    it('are taken all or not at all when only so many may wait', async () => {
      const { requests } = store;
      await requests.add(NAMED, cells([0, 0], [1, 0]), { atMs: 1 });
      const full = await requests.add(NAMED, cells([1, 0], [2, 0], [3, 0]), { atMs: 2, mostPending: 3 });
      expect(full).toEqual({ accepted: false, requested: 0, alreadyPending: 1 });
      expect(await requests.pending()).toBe(2);
      expect(await requests.add(NAMED, cells([2, 0]), { atMs: 2, mostPending: 3 })).toMatchObject({ accepted: true });
      // What waits already is no more than there was.
      const known = await requests.add(NAMED, cells([0, 0], [2, 0]), { atMs: 2, mostPending: 1 });
      expect(known).toEqual({ accepted: true, requested: 0, alreadyPending: 2 });
      expect(await requests.add(NAMED, [], { atMs: 2, mostPending: 1 })).toMatchObject({
        accepted: true,
        requested: 0,
      });
    });

    it('are taken one after the other where two ask at once', async () => {
      const { requests } = store;
      const ask = (...at: [number, number][]) => requests.add(NAMED, cells(...at), { atMs: 1, mostPending: 3 });
      const both = await Promise.all([ask([0, 0], [1, 0]), ask([1, 0], [2, 0], [3, 0])]);
      expect(both.map(({ accepted }) => accepted)).toEqual([true, false]);
      expect(await requests.pending()).toBe(2);
    });

    it('end with the write of their chip, and with that of no other', async () => {
      const { requests } = store;
      await requests.add(NAMED, cells([0, 0], [1, 0]), { atMs: 1 });
      await store.write(someChip(0, 0));
      expect(await waiting()).toEqual([[1, 0]]);
      expect(await requests.get(NAMED, { h: 0, v: 0 })).toBeNull();
      await store.remove(NAMED, { h: 1, v: 0 });
      expect(await requests.pending()).toBe(1);
      const bad = { ...someChip(1, 0), inputsMd5: 'x' };
      await expect(store.write(bad)).rejects.toThrow(InputError);
      expect(await requests.pending()).toBe(1);
      // One that comes after the write is a new one.
      expect(await requests.add(NAMED, cells([0, 0]), { atMs: 5 })).toMatchObject({ requested: 1 });
      expect(await waiting()).toEqual([
        [1, 0],
        [0, 0],
      ]);
    });

    it('stay with the reason why they failed, wait no more, and can be asked for anew', async () => {
      const { requests } = store;
      await requests.add(NAMED, cells([0, 0], [1, 0]), { atMs: 1 });
      await requests.fail(NAMED, { h: 0, v: 0 }, 'a scene\ncannot  be read');
      await requests.fail(NAMED, { h: 5, v: 5 }, 'nobody asked');
      expect(await requests.get(NAMED, { h: 0, v: 0 })).toMatchObject({ failure: 'a scene cannot be read' });
      expect(await requests.get(NAMED, { h: 5, v: 5 })).toBeNull();
      expect(await waiting()).toEqual([[1, 0]]);
      await requests.fail(NAMED, { h: 0, v: 0 }, 'once more');
      expect(await requests.get(NAMED, { h: 0, v: 0 })).toMatchObject({ failure: 'a scene cannot be read' });
      expect(await requests.add(NAMED, cells([0, 0]), { atMs: 9 })).toMatchObject({ requested: 1, alreadyPending: 0 });
      expect(await requests.get(NAMED, { h: 0, v: 0 })).toMatchObject({ failure: null, requestedMs: 9 });
      expect(await waiting()).toEqual([
        [1, 0],
        [0, 0],
      ]);
      await requests.fail(NAMED, { h: 1, v: 0 }, 'x'.repeat(5000));
      expect((await requests.get(NAMED, { h: 1, v: 0 }))!.failure).toHaveLength(1001);
      await store.write(someChip(1, 0));
      expect(await requests.get(NAMED, { h: 1, v: 0 })).toBeNull();
    });

    it('are taken back', async () => {
      const { requests } = store;
      await requests.add(NAMED, cells([0, 0], [1, 0]), { atMs: 1 });
      await requests.fail(NAMED, { h: 1, v: 0 }, 'no');
      expect(await requests.remove(NAMED, { h: 0, v: 0 })).toBe(true);
      expect(await requests.remove(NAMED, { h: 1, v: 0 })).toBe(true);
      expect(await requests.remove(NAMED, { h: 0, v: 0 })).toBe(false);
      expect(await requests.pending()).toBe(0);
      expect(await requests.within(NAMED, { hMin: -9, vMin: -9, hMax: 9, vMax: 9 })).toEqual([]);
    });

    it('of a range are listed row by row, and no others', async () => {
      const all = [-2, -1, 0, 1, 2].flatMap((v) => [-2, -1, 0, 1, 2].map((h) => ({ h, v })));
      await store.requests.add(NAMED, all.toReversed(), { atMs: 1 });
      await store.requests.add(`${NAMED}.1`, all, { atMs: 1 });
      await store.requests.fail(NAMED, { h: 0, v: 0 }, 'no');
      for (const range of [
        { hMin: -2, vMin: -2, hMax: 2, vMax: 2 },
        { hMin: -1, vMin: 0, hMax: 1, vMax: 1 },
        { hMin: 1, vMin: -1, hMax: 1, vMax: 2 },
        { hMin: 2, vMin: -9, hMax: 99, vMax: 99 },
        { hMin: 3, vMin: -9, hMax: 99, vMax: 99 },
        { hMin: 1, vMin: 0, hMax: 0, vMax: 0 },
        { hMin: -(2 ** 31), vMin: -(2 ** 31), hMax: 2 ** 31 - 1, vMax: 2 ** 31 - 1 },
      ]) {
        const found = (await store.requests.within(NAMED, range)).map(({ h, v }) => ({ h, v }));
        const wanted = all.filter(
          ({ h, v }) => h >= range.hMin && h <= range.hMax && v >= range.vMin && v <= range.vMax,
        );
        expect(found, JSON.stringify(range)).toEqual(wanted);
      }
    });

    it('are not of chips or algorithms that cannot be', async () => {
      const { requests } = store;
      await expect(requests.add(NAMED, cells([0, 0], [0.5, 0]), { atMs: 1 })).rejects.toThrow(InputError);
      await expect(requests.add('', cells([0, 0]), { atMs: 1 })).rejects.toThrow(InputError);
      const range = { hMin: 0, vMin: 0, hMax: 0.5, vMax: 0 };
      await expect(requests.within(NAMED, range)).rejects.toThrow(InputError);
      expect(await requests.pending()).toBe(0);
    });
  });
}
