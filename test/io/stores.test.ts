import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withCache } from '../../build/io/cache.js';
import { withCoalescing } from '../../build/io/coalesce.js';
import { fileStore } from '../../build/io/file.js';
import { withHostLimit } from '../../build/io/host-limit.js';
import { httpStore } from '../../build/io/http.js';
import { memoryStore } from '../../build/io/memory.js';
import { storeMeter, withMeter } from '../../build/io/meter.js';
import { withRetry } from '../../build/io/retry.js';
import { s3Store } from '../../build/io/s3-store.js';
import type { Store } from '../../build/io/store.js';
import { storeFor } from '../../build/io/stores.js';
import { startFaultServer } from '../fixture/fault-server.js';
import { startS3, useS3 } from '../fixture/s3-server.js';
import { describeStore } from './store-suite.js';

describeStore('memory', async () => ({ store: memoryStore(), folder: 'mem/' }));

describeStore('the disk', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'stackwise-store-'));
  return { store: fileStore(), folder: `${folder}/`, close: () => rm(folder, { recursive: true, force: true }) };
});

const overHttp = (wrap: (store: Store) => Store) => async () => {
  const server = await startFaultServer();
  const put = (name: string, bytes: Uint8Array) => void server.files.set(name.replace(' ', '%20'), bytes);
  return { store: wrap(httpStore()), folder: `${server.root}/`, put, close: () => server.stop() };
};
const READ_ONLY = { write: false, list: false };

describeStore(
  'HTTP',
  overHttp((store) => store),
  READ_ONLY,
);
describeStore(
  'HTTP as readers get it',
  overHttp(() => storeFor('http://x')),
  READ_ONLY,
);

describeStore('S3', async () => {
  const server = await startS3('scenes');
  const store = s3Store({ endpoint: server.endpoint, anonymous: true, region: 'us-east-1' });
  return { store, folder: 's3://scenes/a b/c+d/', close: () => server.stop() };
});

describeStore('S3 as readers get it', async () => {
  const server = await startS3('scenes');
  const undo = useS3(server);
  const close = async () => {
    undo();
    await server.stop();
  };
  return { store: storeFor('s3://scenes/x'), folder: 's3://scenes/', close };
});

const WRAPPERS: Record<string, (store: Store) => Store> = {
  retry: (store) => withRetry(store),
  coalescing: (store) => withCoalescing(store),
  cache: (store) => withCache(store),
  'a cache without room': (store) => withCache(store, { maxBytes: 0 }),
  'a limit of one': (store) => withHostLimit(store, { perHost: 1 }),
  meter: (store) => withMeter(store, storeMeter()),
};
for (const [name, wrap] of Object.entries(WRAPPERS)) {
  describeStore(`memory with ${name}`, async () => ({ store: wrap(memoryStore()), folder: 'mem/' }));
  describeStore(`HTTP with ${name}`, overHttp(wrap), READ_ONLY);
}
