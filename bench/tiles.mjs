// Tasks as `stackwise run` makes them: gm-s2 of ten bands, 75 dates and SCL, on its own grid and warped from two UTM zones; pixels a second
// and core, peak memory as the tile grows, and odc-algo with geomad on the same files, where its Python is there.
//   node bench/tiles.mjs [--quick] [--json FILE]
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crsToLonLat, lonLatToCrs, parseCrs } from '../build/geo/crs.js';
import { frameOfGrid } from '../build/geo/outline.js';
import { collection, inZone, stretched } from './collections.mjs';

/** Python with peers/requirements-tiles.txt. */
export const pythonVariable = 'STACKWISE_TILES_PYTHON';

const child = fileURLToPath(new URL('./child/tiles.mjs', import.meta.url));
const peer = fileURLToPath(new URL('./peers/tiles.py', import.meta.url));
const out = fileURLToPath(new URL('../build/bench/tiles-out', import.meta.url));
const run1 = promisify(execFile);
const GIB = 2 ** 30;
/** The upper left corner of the simulated scenes. */
const [WEST, NORTH] = [643_000, 5_642_000];

const last = ({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1));
const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** One tile of `size` px in the corner of the scenes. */
const ownGrid = (size) =>
  JSON.stringify({
    crs: 'EPSG:32631',
    resolution: 10,
    shape: [size, size],
    origin: [NORTH - size * 10, WEST],
    name: 'own',
  });

async function task(items, grid, options) {
  return last(await run1(process.execPath, [child, items, out, grid, JSON.stringify(options)], { maxBuffer: 1 << 24 }));
}

async function theirs(python, items, grid) {
  return last(await run1(python, [peer, items, grid, '1'], { maxBuffer: 1 << 24 }));
}

/** A tile of another projection in the middle of scenes of `size` px. */
async function warpedGrid(size, tilePx) {
  const [lon, lat] = (await crsToLonLat(parseCrs('EPSG:32631')))(WEST + size * 5, NORTH - size * 5);
  const [x, y] = (await lonLatToCrs(parseCrs('EPSG:3035')))(lon, lat).map((v) => Math.round(v / 10) * 10 - tilePx * 5);
  return JSON.stringify({ crs: 'EPSG:3035', resolution: 10, shape: [tilePx, tilePx], origin: [y, x], name: 'laea' });
}

/** Half of the dates in the neighbouring zone, over the same ground. */
async function twoZones(name, items, size) {
  const path = items.replace(/items\.json$/, `${name}.json`);
  if (existsSync(path)) return path;
  const document = JSON.parse(readFileSync(items, 'utf8'));
  for (const [i, item] of document.features.entries()) {
    if (i % 2 === 1) await inZone(items, item, size);
    const { 'proj:transform': affine, 'proj:shape': shape } = item.assets.B02;
    const crs = parseCrs(item.properties['proj:code']);
    Object.assign(item, await frameOfGrid({ crs, affine, height: shape[0], width: shape[1] }));
  }
  writeFileSync(path, JSON.stringify(document));
  return path;
}

const perCore = ({ px, seconds, cpuSeconds }) => px / Math.max(seconds, cpuSeconds);

async function rounds(count, work) {
  const done = [];
  for (let i = 0; i < count; i++) done.push(await work());
  return middle(done.map(perCore));
}

export async function run({ quick, python }) {
  try {
    return quick ? await quickRun() : await wholeRun(python);
  } finally {
    for (const path of [out, `${out}-set`]) rmSync(path, { recursive: true, force: true });
  }
}

async function quickRun() {
  const source = await collection('quick', { size: 128, dates: 6 });
  const bands = ['B02', 'B03', 'B04', 'B08', 'B11', 'B12'];
  const done = await task(source, ownGrid(128), { threads: 1, pluginConfig: { bands } });
  return { name: 'tiles', unit: 'px/s/core', rows: [{ case: 'gm-s2, 6 bands × 6 dates, 128²', ours: perCore(done) }] };
}

async function wholeRun(python) {
  const rows = [];
  const mixed = await collection('mixed', { size: 1024, dates: 75, twentyMetreBands: 6, twins: false });
  const own = stretched('tile2k', mixed, 2048);
  const onGrid = await rounds(3, () => task(own, ownGrid(2048), { threads: 1 }));
  rows.push({ case: 'gm-s2 on its own grid, 2048²', ours: onGrid, gate: 60_000, aim: 100_000 });

  const wide = await twoZones('zones', stretched('tile4k', mixed, 4096), 4096);
  const laea = await warpedGrid(4096, 2048);
  const warped = await rounds(3, () => task(wide, laea, { threads: 1 }));
  rows.push({ case: 'warped from two UTM zones, bilinear, 2048²', ours: warped, gate: 15_000, aim: 40_000 });

  const large = await task(stretched('tile', mixed, 9600), ownGrid(9600), { threads: 2, memoryLimitBytes: GIB });
  rows.push({ case: '9600², two threads, limit 1 GiB: peak memory, GiB', ours: large.peakBytes / GIB, gate: 1 });
  rows.push({ case: '9600², two threads, limit 1 GiB: px/s/core', ours: large.px / large.seconds / 2 });

  for (const size of [256, 512, 1024]) {
    const ours = await task(own, ownGrid(size), { threads: 1, memoryLimitBytes: GIB });
    const other = python ? await theirs(python, own, ownGrid(size)) : null;
    const name = `${size}², one core`;
    rows.push({
      case: `${name}: px/s`,
      ours: ours.px / ours.seconds,
      ...(other && {
        peers: { 'odc-algo': other.px / other.seconds },
        ratio: ours.px / ours.seconds / (other.px / other.seconds),
        gate: 3,
        aim: 5,
      }),
    });
    rows.push({
      case: `${name}: peak memory, GiB`,
      ours: ours.peakBytes / GIB,
      ...(other && { peers: { 'odc-algo': other.peakBytes / GIB } }),
    });
  }
  return { name: 'tiles', unit: 'px/s/core', rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await run({ quick: process.argv.includes('--quick'), python: process.env[pythonVariable] });
  console.table(result.rows);
  const json = process.argv.indexOf('--json');
  if (json > 0) writeFileSync(process.argv[json + 1], `${JSON.stringify(result, null, 2)}\n`);
}
