import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../build/io/store.js';

/** A store to be tested, and a folder in it (that ends with a slash), empty. */
export interface StoreUnderTest {
  store: Store;
  folder: string;
  /** Puts a file there in another way, for stores that do not write. */
  put?(name: string, bytes: Uint8Array): void;
  close?(): Promise<void> | void;
}

const CONTENT = new Uint8Array(100_000).map((_, i) => (i * 7 + (i >> 8)) & 255);

/** Equal bytes; vitest's own comparison takes long over many. */
function expectBytes(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.length).toBe(wanted.length);
  expect(Buffer.from(got).equals(wanted)).toBe(true);
}

/** What all stores do alike, over whatever they lie. */
export function describeStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  can: { write: boolean; list: boolean } = { write: true, list: true },
): void {
  describe(name, () => {
    let tested: StoreUnderTest;
    let store: Store;
    let url = '';
    const put = async (path: string, bytes: Uint8Array) => {
      if (tested.put) tested.put(path, bytes);
      else await store.write(tested.folder + path, bytes);
    };

    beforeAll(async () => {
      tested = await open();
      store = tested.store;
      url = `${tested.folder}a file.bin`.replace(/^(http.*) /, '$1%20');
      await put('a file.bin', CONTENT);
      await put('empty', new Uint8Array(0));
    });
    afterAll(() => tested.close?.());

    it('reads whole files and ranges, and past the end what is there', async () => {
      const read = (offset: number, length: number) => store.read(url, { offset, length });
      expectBytes(await store.read(url), CONTENT);
      expectBytes(await read(0, 10), CONTENT.slice(0, 10));
      expectBytes(await read(99, 4001), CONTENT.slice(99, 4100));
      expectBytes(await read(99_990, 50), CONTENT.slice(-10));
      expect(await read(100_000, 50)).toHaveLength(0);
      expect(await read(200_000, 50)).toHaveLength(0);
      expect(await read(5, 0)).toHaveLength(0);
      expect(await store.read(`${tested.folder}empty`)).toHaveLength(0);
    });

    it('reads many ranges at once, touching, overlapping, apart and alike', async () => {
      const ranges = Array.from({ length: 60 }, (_, i) => ({
        offset: (i * 7919) % 98_000,
        length: 1 + ((i * 331) % 2000),
      }));
      ranges.push({ offset: 10, length: 90 }, { offset: 10, length: 90 }, { offset: 100, length: 5 });
      const parts = await Promise.all(ranges.map((range) => store.read(url, range)));
      for (const [i, { offset, length }] of ranges.entries())
        expectBytes(parts[i]!, CONTENT.slice(offset, offset + length));
    });

    it('gives bytes that their reader may change', async () => {
      const range = { offset: 40, length: 30 };
      const [one, other] = await Promise.all([store.read(url, range), store.read(url, range)]);
      one.fill(0);
      expectBytes(other, CONTENT.slice(40, 70));
      expectBytes(await store.read(url, range), CONTENT.slice(40, 70));
    });

    it('puts bytes where the reader has room, or elsewhere', async () => {
      const into = new Uint8Array(64).fill(9);
      expectBytes(await store.read(url, { offset: 3, length: 50 }, { into }), CONTENT.slice(3, 53));
    });

    it('knows sizes', async () => {
      expect(await store.stat(url)).toMatchObject({ bytes: 100_000 });
      expect(await store.stat(`${tested.folder}empty`)).toMatchObject({ bytes: 0 });
    });

    it('says in one line what is missing', async () => {
      const missing = `${tested.folder}not-there`;
      const error = {
        name: 'StoreError',
        facts: { url: missing },
        message: expect.stringMatching(/^cannot read [^\n]+$/),
      };
      await expect(store.read(missing)).rejects.toMatchObject(error);
      await expect(store.read(missing, { offset: 0, length: 1 })).rejects.toMatchObject(error);
      await expect(store.stat(missing)).rejects.toMatchObject(error);
    });

    it('stops before it begins when told so', async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(store.read(url, undefined, { signal })).rejects.toThrow('enough');
      await expect(store.read(url, { offset: 0, length: 9 }, { signal })).rejects.toThrow('enough');
      await expect(store.stat(url, { signal })).rejects.toThrow('enough');
    });

    it('lets others read on when one gives up', async () => {
      const stop = new AbortController();
      const range = { offset: 7000, length: 500 };
      const lost = store.read(url, range, { signal: stop.signal }).catch((error: Error) => error.message);
      const kept = [store.read(url, range), store.read(url, { offset: 7100, length: 900 })];
      stop.abort(new Error('enough'));
      expectBytes(await kept[0]!, CONTENT.slice(7000, 7500));
      expectBytes(await kept[1]!, CONTENT.slice(7100, 8000));
      await lost;
    });

    it.runIf(can.list)('lists folders by name', async () => {
      // Folders of the disk must be made; elsewhere a name makes them.
      if (!tested.folder.startsWith('/')) await put('sub/deeper/x.tif', CONTENT.slice(0, 9));
      const names = await store.list(tested.folder);
      expect(names.filter((n) => n !== 'again')).toEqual([
        'a file.bin',
        'empty',
        ...(tested.folder.startsWith('/') ? [] : ['sub/']),
      ]);
      expect(await store.list(tested.folder.replace(/\/$/, ''))).toEqual(names);
      await expect(store.list(`${tested.folder}nowhere/`)).rejects.toMatchObject({ name: 'StoreError' });
    });

    it.runIf(can.write)('replaces files whole', async () => {
      const path = `${tested.folder}again`;
      await store.write(path, CONTENT.slice(0, 1000));
      expectBytes(await store.read(path, { offset: 0, length: 5 }), CONTENT.slice(0, 5));
      await store.write(path, CONTENT.slice(1000, 1500));
      expectBytes(await store.read(path, { offset: 0, length: 5 }), CONTENT.slice(1000, 1005));
      expectBytes(await store.read(path), CONTENT.slice(1000, 1500));
      expect(await store.stat(path)).toMatchObject({ bytes: 500 });
    });
  });
}
