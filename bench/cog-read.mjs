// Reading a COG tile by tile, one thread, against GDAL on one thread: MB/s of pixels, the file in the page cache.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCog } from '../build/io/cog.js';
import { fileStore } from '../build/io/file.js';

const peer = fileURLToPath(new URL('./peers/cog_read.py', import.meta.url));

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Seconds to read all tiles once, opening included; `sum` keeps the work from being dropped. */
async function readAll(path) {
  const start = performance.now();
  const raster = await openCog(path, { store: fileStore() });
  const { tilesAcross, tilesDown } = raster.header.levels[0];
  let sum = 0;
  for (let row = 0; row < tilesDown; row++) {
    for (let col = 0; col < tilesAcross; col++) {
      await raster.readTile({ level: 0, col, row }, [0], (plane) => {
        sum += plane[plane.length - 1];
      });
    }
  }
  await raster.close();
  return { seconds: (performance.now() - start) / 1000, sum };
}

/** Milliseconds to open a file whose directory is at its start. */
async function openCost(path, n) {
  const times = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    await (await openCog(path, { store: fileStore() })).close();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Bench of reading; without GDAL for Python there is no file to read and it says so. */
/** GDAL's Python comes from the system's packages. */
export const pythonVariable = 'STACKWISE_GDAL_PYTHON';

export async function run({ quick = false, python = process.env[pythonVariable] ?? '/usr/bin/python3' } = {}) {
  const size = quick ? 2048 : 4096;
  const rounds = quick ? 3 : 7;
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const path = join(folder, 'scene.tif');
  const ask = (...args) => JSON.parse(execFileSync(python, [peer, ...args], { encoding: 'utf8' }));
  const table = { name: 'cog-read', unit: 'MB/s', rows: [] };
  try {
    let version;
    try {
      version = ask('make', path, String(size)).gdal;
    } catch {
      console.log(`cog-read: skipped, ${python} has no GDAL`);
      return table;
    }
    const megabytes = (size * size * 2) / 1e6;
    await readAll(path);
    const ours = [];
    const theirs = [];
    for (let round = 0; round < rounds; round++) {
      ours.push((await readAll(path)).seconds);
      theirs.push(Math.min(...ask('read', path, '2').seconds));
    }
    const rate = { ours: megabytes / median(ours), gdal: megabytes / median(theirs) };
    table.rows.push({
      case: `${size}² u16 deflate + predictor 2, 512² tiles`,
      ours: rate.ours,
      peers: { [`GDAL ${version}`]: rate.gdal },
      ratio: rate.ours / rate.gdal,
      gate: 0.7,
      aim: 0.85,
    });
    table.rows.push({ case: 'opening it (ms, not MB/s)', ours: await openCost(path, 200), peers: {} });
    return table;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } });
  const table = await run({ quick: values.quick ?? false });
  for (const { case: name, ours, peers, ratio, gate } of table.rows) {
    const others = Object.entries(peers).map(([peer, rate]) => `, ${peer} ${rate.toFixed(0)}`);
    console.log(
      `${name}: ${ours.toFixed(2)}${others.join('')}${ratio ? `: ${ratio.toFixed(2)} × (gate ${gate})` : ''}`,
    );
  }
  if (values.json) writeFileSync(values.json, JSON.stringify(table, null, 2));
}
