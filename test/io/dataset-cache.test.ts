import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError, InputError } from '../../build/errors.js';
import { type DatasetCache, openDatasetCache } from '../../build/io/dataset-cache.js';
import { fileStore } from '../../build/io/file.js';
import type { Store } from '../../build/io/store.js';
import { seeded } from '../random.js';

const folder = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-dscache-db');
const real = describe.skipIf(!existsSync(folder));

async function collected<T>(values: AsyncGenerator<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** A file in memory. */
const memory = (bytes: Uint8Array): Store => ({
  ...fileStore(),
  stat: async () => ({ bytes: bytes.length, tag: null }),
  read: async (_, range) => bytes.subarray(range?.offset ?? 0, (range?.offset ?? 0) + (range?.length ?? bytes.length)),
});

async function readAll(cache: DatasetCache): Promise<number> {
  const groups = await collected(cache.groups());
  const datasets = await collected(cache.datasets());
  for (const { uuids } of groups) if (uuids[0]) await cache.dataset(uuids[0]);
  return datasets.length;
}

real('a cache of odc-stats (real files)', () => {
  it.each(['test_tiles.db', 'ga_ls8c_ard_3_2015-01--P3M.db'])(
    '%s equals what py-lmdb and zstandard read',
    async (name) => {
      const cache = await openDatasetCache(join(folder, name), { store: fileStore() });
      const truth = JSON.parse(readFileSync(join(folder, `${name}.index.json`), 'utf8'));
      expect(cache.config).toEqual(truth.info['stats/config']);
      const groups = await collected(cache.groups());
      expect(Object.fromEntries(groups.map(({ key, uuids }) => [key, uuids]))).toEqual(truth.groups);
      for (const [grid, spec] of cache.grids) {
        const stored = truth.info[`grid/${grid}`];
        expect([spec.originY, spec.originX]).toEqual(stored.origin);
        expect([spec.height * spec.resolutionY, spec.width * spec.resolutionX]).toEqual(stored.tile_size);
      }
      const lines = gunzipSync(readFileSync(join(folder, `${name}.datasets.jsonl.gz`))).toString();
      const wanted = new Map(
        lines
          .trim()
          .split('\n')
          .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
      );
      const datasets = await collected(cache.datasets());
      expect(datasets.length).toBe(wanted.size);
      for (const dataset of datasets) expect(dataset).toEqual(wanted.get(dataset.id));
      expect(await cache.dataset(datasets[7]!.id)).toEqual(datasets[7]);
      expect(await cache.group(groups[0]!.key)).toEqual(groups[0]);
      await expect(cache.group('au-30/2015--P1Y/+0000/+0000')).rejects.toThrow(/has no task/);
      await expect(cache.dataset('00000000-0000-0000-0000-000000000000')).rejects.toThrow(/has no dataset/);
    },
  );

  it('never loops, crashes or takes memory for files with changed bytes', async () => {
    const whole = new Uint8Array(readFileSync(join(folder, 'test_tiles.db')));
    const random = seeded(11);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const bytes = whole.slice(0, round % 5 === 0 ? Math.floor(random() * whole.length) : whole.length);
      for (let flips = 1 + Math.floor(random() * 40); flips > 0 && bytes.length > 0; flips--) {
        // Half of them where pages and entries begin: elsewhere only values change.
        const page = Math.floor((random() * bytes.length) / 4096) * 4096;
        const at = random() < 0.5 ? page + Math.floor(random() * 64) : Math.floor(random() * bytes.length);
        bytes[Math.min(at, bytes.length - 1)] = Math.floor(random() * 256);
      }
      const outcome = await openDatasetCache('flipped.db', { store: memory(bytes) })
        .then(readAll)
        .then(
          () => 'read',
          (error: Error) => {
            const good = error instanceof FormatError || error instanceof InputError;
            return good && !error.message.includes('\n') ? error.name : `${error.stack}`;
          },
        );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].filter((name) => !['read', 'FormatError', 'InputError'].includes(name))).toEqual([]);
    expect(outcomes.get('FormatError')).toBeGreaterThan(50);
  }, 60_000);
});

describe('a file that is no cache', () => {
  it.each([
    ['empty', new Uint8Array(0), /beyond its 0/],
    ['text', new TextEncoder().encode('x'.repeat(9000)), /does not begin with a meta page/],
    ['zeros', new Uint8Array(16_384), /does not begin with a meta page/],
  ])('%s: one line says so', async (_, bytes, message) => {
    await expect(openDatasetCache('none.db', { store: memory(bytes) })).rejects.toThrow(message);
  });
});
