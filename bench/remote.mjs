// A composite over HTTP from loopback, each answer some milliseconds late: reading ahead against scene after scene.
// node bench/remote.mjs [--quick]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simulateScenes } from '../build/app/simulate.js';
import { composite, readScenes } from '../build/node.js';

const quick = process.argv.includes('--quick');
const self = fileURLToPath(import.meta.url);

/** In a process of its own: answers come late, and as fast as the line is, however busy those who wait are. */
async function serve(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path)}`, readFileSync(path));
  }
  let latencyMs = 0;
  process.on('message', (ms) => {
    latencyMs = ms;
    process.send('set');
  });
  const answer = (request, response) => {
    // The first folder is a number of the run: no thread remembers its files.
    const bytes = files.get(request.url.replace(/^\/\d+/, ''));
    if (!bytes) return response.writeHead(404).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
    const end = Number(first) + part.length - 1;
    response.writeHead(first === undefined ? 200 : 206, {
      etag: `"${bytes.length}"`,
      'content-length': part.length,
      ...(first !== undefined && { 'content-range': `bytes ${first}-${end}/${bytes.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : part);
  };
  const server = createServer((request, response) => setTimeout(answer, latencyMs, request, response));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

const RUNS = [
  ['one thread', { threads: 1 }],
  ['two threads', { threads: 2 }],
];

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-remote-'));
  const child = fork(self, ['--serve', folder], { stdio: 'inherit' });
  try {
    const [dates, size] = quick ? [6, 512] : [20, 2048];
    await simulateScenes(folder, { dates, size, tileSize: 256 });
    child.send(0);
    const [port] = await once(child, 'message');
    const options = { bands: ['B02', 'B03', 'B04', 'B08'], statistics: 'median,count', memoryLimitBytes: 2 ** 30 };
    console.log(`${dates} dates of ${size} × ${size} px, 4 bands and a mask; load ${loadavg()[0].toFixed(1)}\n`);
    console.log('| latency | threads | s | requests | MiB |\n|---|---|---|---|---|');
    let serial = 0;
    const rows = [];
    for (const latency of quick ? [20] : [0, 20, 50, 100]) {
      child.send(latency);
      await once(child, 'message');
      for (const [name, own] of RUNS) {
        const scenes = await readScenes(`http://127.0.0.1:${port}/${++serial}/collection.json`);
        const begin = performance.now();
        const { network } = await composite(scenes, { ...options, ...own });
        const seconds = (performance.now() - begin) / 1000;
        rows.push(seconds);
        const mib = (network.bytes / 2 ** 20).toFixed(1);
        console.log(`| ${latency} ms | ${name} | ${seconds.toFixed(2)} | ${network.requests} | ${mib} |`);
      }
    }
    const scenes = await readScenes(folder);
    for (const [name, own] of RUNS) {
      const begin = performance.now();
      await composite(scenes, { ...options, ...own });
      console.log(`| local files | ${name} | ${((performance.now() - begin) / 1000).toFixed(2)} | 0 | 0 |`);
    }
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--serve') {
  // The folder is filled when the first message comes.
  process.once('message', () => void serve(process.argv[3]));
} else await main();
