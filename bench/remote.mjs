// A composite over HTTP from loopback whose answers come late: the next scenes read ahead, against each at its turn.
// node bench/remote.mjs [--quick]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simulateScenes } from '../build/app/simulate.js';
import { compositeRunner } from '../build/jobs/composite-runner.js';
import { runBlocks } from '../build/jobs/pool.js';
import { prepareComposite } from '../build/jobs/prepare.js';
import { readScenes } from '../build/node.js';

const self = fileURLToPath(import.meta.url);
const OPTIONS = { bands: ['B02', 'B03', 'B04', 'B08'], statistics: 'median,count', memoryLimitBytes: 2 ** 30 };

/** In a process of its own: answers are as late as the parent says, however busy it is. */
function serve(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path)}`, readFileSync(path));
  }
  let latencyMs = 0;
  process.on('message', (ms) => {
    latencyMs = ms;
    process.send('so late');
  });
  const answer = (request, response) => {
    // The first folder is the number of a run: no thread remembers its files.
    const bytes = files.get(request.url.replace(/^\/\d+/, ''));
    if (!bytes) return response.writeHead(404).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`;
    const headers = { etag: '"1"', 'content-length': part.length };
    response.writeHead(first === undefined ? 200 : 206, { ...headers, ...(first && { 'content-range': range }) });
    response.end(request.method === 'HEAD' ? undefined : part);
  };
  const server = createServer((request, response) => setTimeout(answer, latencyMs, request, response));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

/** Seconds, requests and MiB of all blocks of a composite. */
async function measure(source, threads, isAhead) {
  const { spec, plan } = await prepareComposite(await readScenes(source), { ...OPTIONS, threads });
  const blocks = plan.blocks.map(({ aheadBytes, ...block }) => (isAhead ? { ...block, aheadBytes } : block));
  let [requests, bytes] = [0, 0];
  const onResult = async ({ network }) => {
    requests += network.requests;
    bytes += network.bytes;
  };
  const begin = performance.now();
  await runBlocks(compositeRunner, spec, blocks, { threads, describe: ({ index }) => `block ${index}`, onResult });
  return { seconds: (performance.now() - begin) / 1000, requests, mib: bytes / 2 ** 20 };
}

export async function run({ quick = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-remote-'));
  let child = null;
  try {
    const [dates, size] = quick ? [4, 512] : [12, 1024];
    await simulateScenes(folder, { dates, size, tileSize: 256 });
    child = fork(self, ['--serve', folder]);
    const [port] = await once(child, 'message');
    const rows = [];
    let serial = 0;
    for (const latency of quick ? [20] : [0, 20, 50, 100]) {
      child.send(latency);
      await once(child, 'message');
      for (const threads of [1, 2]) {
        const url = () => `http://127.0.0.1:${port}/${++serial}/collection.json`;
        const inTurn = await measure(url(), threads, false);
        const ahead = await measure(url(), threads, true);
        const name = `${latency} ms, ${threads} thread${threads > 1 ? 's' : ''}`;
        rows.push({
          case: name,
          ours: ahead.seconds,
          peers: { 'in turn': inTurn.seconds },
          ratio: inTurn.seconds / ahead.seconds,
          requests: [ahead.requests, inTurn.requests],
          mib: [ahead.mib, inTurn.mib],
        });
      }
    }
    const local = await measure(join(folder, 'collection.json'), 1, true);
    rows.push({ case: 'local files, 1 thread', ours: local.seconds, peers: {}, ratio: null });
    rows.push({ case: '(load average)', ours: loadavg()[0], peers: {}, ratio: null });
    return { name: `${dates} dates of ${size} × ${size} px over HTTP`, unit: 's', rows };
  } finally {
    child?.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--serve') serve(process.argv[3]);
else if (process.argv[1] === self) {
  const { name, rows } = await run({ quick: process.argv.includes('--quick') });
  console.log(`${name}\n\n| latency | read ahead, s | in turn, s | | requests | MiB |\n|---|---|---|---|---|---|`);
  for (const { case: what, ours, peers, ratio, requests = [], mib = [] } of rows) {
    const [a, b] = [peers['in turn']?.toFixed(2) ?? '', ratio ? `${ratio.toFixed(1)}×` : ''];
    const moved = mib.map((value) => value.toFixed(1));
    console.log(`| ${what} | ${ours.toFixed(2)} | ${a} | ${b} | ${requests.join(' / ')} | ${moved.join(' / ')} |`);
  }
}
