import { describe, expect, it } from 'vitest';
import { withCache } from '../../build/io/cache.js';
import { withHostLimit } from '../../build/io/host-limit.js';
import { parseRetryAfter } from '../../build/io/http.js';
import { memoryStore } from '../../build/io/memory.js';
import { storeMeter, withMeter } from '../../build/io/meter.js';
import type { Store } from '../../build/io/store.js';

const content = new Uint8Array(10_000).map((_, i) => i & 255);
const counted = () => {
  const meter = storeMeter();
  return {
    meter,
    store: withMeter(
      memoryStore(
        new Map([
          ['a', content],
          ['b', content],
        ]),
      ),
      meter,
    ),
  };
};
const tick = (ms = 5) => new Promise((done) => setTimeout(done, ms));

describe('a cache', () => {
  it('reads a range once, also for those who ask at the same time', async () => {
    const { meter, store } = counted();
    const cached = withCache(store);
    const range = { offset: 5, length: 100 };
    await Promise.all([cached.read('a', range), cached.read('a', range)]);
    await cached.read('a', range);
    expect(meter).toEqual({ requests: 1, bytes: 100, retries: 0 });
  });

  it('holds no more than its bytes, and drops what was used least lately', async () => {
    const { meter, store } = counted();
    const cached = withCache(store, { maxBytes: 3000, maxEntryBytes: 1000 });
    const at = (offset: number, length = 1000) => cached.read('a', { offset, length });
    for (const offset of [0, 1000, 2000]) await at(offset);
    await at(0); // Used again, so 1000 is the oldest.
    await at(3000);
    expect(meter.requests).toBe(4);
    await at(0);
    await at(2000);
    expect(meter.requests).toBe(4);
    await at(1000);
    expect(meter.requests).toBe(5);
    await at(0, 1001);
    await at(0, 1001);
    expect(meter.requests).toBe(7); // Too long to be kept.
  });

  it('does not keep failures, nor what was given up', async () => {
    let fails = true;
    const inner = memoryStore(new Map([['a', content]]));
    const store: Store = {
      ...inner,
      read: async (...given) => {
        await tick();
        if (fails) throw new Error('no');
        return inner.read(...given);
      },
    };
    const cached = withCache(store);
    const range = { offset: 0, length: 9 };
    await expect(cached.read('a', range)).rejects.toThrow('no');
    fails = false;
    const stop = new AbortController();
    const lost = cached.read('a', range, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(lost).rejects.toThrow('enough');
    expect(await cached.read('a', range)).toEqual(content.slice(0, 9));
  });

  it('forgets what is written', async () => {
    const { store } = counted();
    const cached = withCache(store);
    await cached.read('a', { offset: 0, length: 5 });
    await cached.write('a', content.slice(100));
    expect(await cached.read('a', { offset: 0, length: 5 })).toEqual(content.slice(100, 105));
  });
});

describe('a limit per host', () => {
  const slow = () => {
    const running = new Map<string, number>();
    const most = new Map<string, number>();
    const store: Store = {
      ...memoryStore(),
      async read(url) {
        const host = new URL(url).host;
        running.set(host, (running.get(host) ?? 0) + 1);
        most.set(host, Math.max(most.get(host) ?? 0, running.get(host)!));
        await tick();
        running.set(host, running.get(host)! - 1);
        if (url.endsWith('bad')) throw new Error('bad');
        return content;
      },
    };
    return { store, most };
  };

  it('keeps requests to each host few, others and failures notwithstanding', async () => {
    const { store, most } = slow();
    const limited = withHostLimit(store, { perHost: 3 });
    const urls = Array.from({ length: 40 }, (_, i) => `https://${i % 2 ? 'one' : 'two'}.org/${i % 5 ? i : 'bad'}`);
    const results = await Promise.allSettled(urls.map((url) => limited.read(url)));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(8);
    expect(Object.fromEntries(most)).toEqual({ 'one.org': 3, 'two.org': 3 });
  });

  it('lets go of who aborts in the queue, and of nobody else', async () => {
    const { store } = slow();
    const limited = withHostLimit(store, { perHost: 1 });
    const stop = new AbortController();
    const first = limited.read('https://one.org/1');
    const second = limited.read('https://one.org/2', undefined, { signal: stop.signal });
    const third = limited.read('https://one.org/3');
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(await first).toBe(content);
    expect(await third).toBe(content);
  });
});

describe('Retry-After', () => {
  it('is seconds or a date, and nothing else', () => {
    const now = Date.UTC(2024, 0, 1);
    expect(parseRetryAfter('120')).toBe(120_000);
    expect(parseRetryAfter('Mon, 01 Jan 2024 00:00:30 GMT', now)).toBe(30_000);
    expect(parseRetryAfter('Mon, 01 Jan 2023 00:00:30 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon')).toBeNull();
    expect(parseRetryAfter(null)).toBeNull();
  });
});
