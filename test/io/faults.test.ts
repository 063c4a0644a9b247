import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withCache } from '../../build/io/cache.js';
import { withCoalescing } from '../../build/io/coalesce.js';
import { openCog } from '../../build/io/cog.js';
import { httpStore } from '../../build/io/http.js';
import { storeMeter, withMeter } from '../../build/io/meter.js';
import { type RetryOptions, withRetry } from '../../build/io/retry.js';
import { readWindow } from '../../build/io/window.js';
import { type Fault, type FaultServer, startFaultServer } from '../fixture/fault-server.js';
import { buildTiff } from './tiff-builder.js';

const content = new Uint8Array(60_000).map((_, i) => (i * 11) & 255);
const values = Array.from({ length: 90 * 70 }, (_, i) => i % 251);
const tiff = buildTiff({ width: 90, height: 70, bands: [values], compression: 8, tile: [32, 32] });

let server: FaultServer;
let serial = 0;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests = [];
  server.faults = [];
});

/** A store without long waits, what it counted, and a file of its own. */
function fresh(options: RetryOptions = {}) {
  const meter = storeMeter();
  const onRetry = () => void meter.retries++;
  const store = withRetry(withMeter(httpStore(), meter), { baseMs: 2, timeoutMs: 200, onRetry, ...options });
  const name = `f${++serial}`;
  server.files.set(name, content);
  return { store, meter, url: `${server.root}/${name}`, name };
}

const RANGE = { offset: 1000, length: 20_000 };
const wanted = content.slice(1000, 21_000);
const BUSY: Fault = { kind: 'status', status: 503 };

describe('a server that fails for a while', () => {
  const passing: Record<string, Fault[]> = {
    'drops the connection at 60 %': [{ kind: 'drop', part: 0.6 }],
    'answers 503 twice': [BUSY, BUSY],
    'answers 429': [{ kind: 'status', status: 429 }],
    'answers 500': [{ kind: 'status', status: 500 }],
    stalls: [{ kind: 'stall' }],
    'returns a short range': [{ kind: 'short' }],
    'returns a wrong range': [{ kind: 'shifted' }],
    'does all of it': [BUSY, { kind: 'drop', part: 0.6 }, { kind: 'short' }, { kind: 'stall' }, { kind: 'shifted' }],
  };
  for (const [name, faults] of Object.entries(passing)) {
    it(`${name}: the bytes come, and the repetitions are counted`, async () => {
      const { store, meter, url } = fresh();
      server.faults = [...faults];
      expect(Buffer.from(await store.read(url, RANGE)).equals(wanted)).toBe(true);
      expect(meter).toEqual({ requests: faults.length + 1, bytes: RANGE.length, retries: faults.length });
      expect(server.requests).toHaveLength(faults.length + 1);
    });
  }

  it('gives whole files too', async () => {
    const { store, meter, url } = fresh();
    server.faults = [{ kind: 'drop', part: 0.6 }, { kind: 'stall' }, BUSY];
    expect(Buffer.from(await store.read(url)).equals(content)).toBe(true);
    expect(meter.retries).toBe(3);
  });

  it('gives the same pixels', async () => {
    const { store, meter, url, name } = fresh();
    server.files.set(name, tiff);
    server.faults = [BUSY, BUSY, { kind: 'none' }, { kind: 'drop', part: 0.6 }, { kind: 'short' }, { kind: 'stall' }];
    const raster = await openCog(url, { store });
    const window = { col: 0, row: 0, width: 90, height: 70 };
    const [band] = await readWindow(raster, { level: 0, window, bands: [0] });
    expect([...(band as Uint8Array)]).toEqual(values);
    expect(meter.retries).toBeGreaterThanOrEqual(2);
  });
});

describe('a server that goes on failing', () => {
  it('is left after the last attempt, in one line that counts them', async () => {
    const { store, url } = fresh({ attempts: 3 });
    server.faults = [BUSY, BUSY, BUSY, BUSY];
    await expect(store.read(url, RANGE)).rejects.toMatchObject({
      name: 'StoreError',
      message: `cannot read ${url}: HTTP 503 Service Unavailable (3 attempts)`,
      facts: { url, status: 503, retryable: true },
    });
    expect(server.requests).toHaveLength(3);
  });

  it('that stalls is not waited for longer than said', async () => {
    const { store, url } = fresh({ attempts: 2, timeoutMs: 50 });
    server.faults = [{ kind: 'stall' }, { kind: 'stall' }];
    await expect(store.read(url, RANGE)).rejects.toThrow(`cannot reach ${url}: not a byte came for 0.1 s (2 attempts)`);
  });

  it.each([400, 401, 403, 404, 410, 501])('is not asked again after HTTP %i', async (status) => {
    const { store, url } = fresh();
    server.faults = [{ kind: 'status', status }];
    await expect(store.read(url, RANGE)).rejects.toMatchObject({ facts: { status } });
    expect(server.requests).toHaveLength(1);
  });

  it('that ignores ranges is refused', async () => {
    const { store, url } = fresh();
    server.faults = [{ kind: 'whole' }];
    await expect(store.read(url, RANGE)).rejects.toThrow('the server ignores range requests (HTTP 200, not 206)');
    expect(server.requests).toHaveLength(1);
  });
});

describe('waiting', () => {
  it('takes as long as the server asks for', async () => {
    const { store, url } = fresh();
    server.faults = [{ kind: 'status', status: 503, headers: { 'retry-after': '1' } }];
    const start = performance.now();
    await store.read(url, RANGE);
    expect(performance.now() - start).toBeGreaterThan(990);
  });

  it('ends at once where the server asks for too long', async () => {
    const { store, url } = fresh();
    server.faults = [{ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }];
    await expect(store.read(url, RANGE)).rejects.toThrow('it asks to wait 3600 s');
    expect(server.requests).toHaveLength(1);
  });

  it('grows twofold, at random from none to all of it', async () => {
    const seen: number[] = [];
    for (const random of [() => 0, () => 0.999]) {
      const { store, url } = fresh({ attempts: 5, baseMs: 20, random });
      server.faults = [BUSY, BUSY, BUSY, BUSY];
      const start = performance.now();
      await store.read(url, RANGE);
      seen.push(performance.now() - start);
    }
    expect(seen[1]! - seen[0]!).toBeGreaterThan(150); // 20 + 40 + 80 + 160, less what requests take more or less.
  });

  it('ends when told, between attempts and within', async () => {
    for (const faults of [
      [{ kind: 'status', status: 503, headers: { 'retry-after': '20' } } as Fault],
      [{ kind: 'stall' } as Fault],
    ]) {
      const { store, meter, url } = fresh({ timeoutMs: 20_000 });
      server.faults = [...faults];
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error('enough')), 60);
      const start = performance.now();
      await expect(store.read(url, RANGE, { signal: stop.signal })).rejects.toThrow('enough');
      expect(performance.now() - start).toBeLessThan(5000);
      expect(meter.requests).toBe(1);
    }
  });
});

describe('a file that changes between two reads', () => {
  it.each(['with its size', 'in its content'])('is an error, never a mixture (%s)', async (how) => {
    const { store, url, name } = fresh();
    await store.read(url, RANGE);
    server.files.set(name, how === 'in its content' ? content.map((b) => b ^ 1) : content.slice(0, 50_000));
    await expect(store.read(url, { offset: 0, length: 50 })).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /^cannot read \S+: the file changed between two reads: its (ETag|size) is another/,
      ),
      facts: { status: 'CHANGED', retryable: false },
    });
    // Whoever opens it anew sees the new state.
    await store.read(url, { offset: 0, length: 50 });
  });

  it('is not read from the cache any more', async () => {
    const { store, url, name } = fresh();
    const cached = withCache(store);
    const head = { offset: 0, length: 100 };
    await cached.read(url, head);
    server.files.set(
      name,
      content.map((b) => b ^ 1),
    );
    expect(await cached.read(url, head)).toEqual(content.slice(0, 100));
    await expect(cached.read(url, RANGE)).rejects.toMatchObject({ facts: { status: 'CHANGED' } });
    expect(await cached.read(url, head)).toEqual(content.slice(0, 100).map((b) => b ^ 1));
  });
});

describe('ranges asked for together', () => {
  it('are one request where they lie near, and as many as needed where not', async () => {
    const { store, url } = fresh();
    const near = withCoalescing(store, { gapBytes: 100, mostBytes: 10_000 });
    const at = (offset: number, length: number) => near.read(url, { offset, length });
    await Promise.all([at(0, 100), at(150, 50), at(300, 100), at(501, 9), at(20_000, 6000), at(26_000, 6000)]);
    expect(server.requests.map((r) => r.replace(/.*=/, '')).sort()).toEqual([
      '0-399',
      '20000-25999',
      '26000-31999',
      '501-509',
    ]);
  });

  it('outlive the abort of one, and end with that of the last', async () => {
    const { store, meter, url } = fresh({ timeoutMs: 20_000 });
    const near = withCoalescing(store);
    const stops = [new AbortController(), new AbortController()];
    const read = (i: number) => near.read(url, { offset: i * 100, length: 100 }, { signal: stops[i]!.signal });
    server.faults = [{ kind: 'stall' }];
    const reads = [read(0), read(1)].map((r) => r.catch((error: Error) => error.message));
    await new Promise((done) => setTimeout(done, 50));
    stops[0]!.abort(new Error('first'));
    expect(await Promise.race([reads[1], new Promise((done) => setTimeout(done, 50, 'still waiting'))])).toBe(
      'still waiting',
    );
    stops[1]!.abort(new Error('second'));
    expect(await Promise.all(reads)).toEqual(['first', 'second']);
    expect(meter.requests).toBe(1);
  });
});
