// Chips at points of a raster of 222 bands (37 years × 6), n = 10, two threads, against the extractor that stackwise replaces: chips
// a second, each run in a process of its own, opening included, the file in the page cache.
//   node bench/chips.mjs [--quick] [--json FILE]      STACKWISE_PEER_PYTHON names a Python with numpy and rasterio
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeCog } from '../build/index.js';
import { seeded } from './random.mjs';

const child = fileURLToPath(new URL('./child/chips.mjs', import.meta.url));
const peer = fileURLToPath(new URL('./peers/chips.py', import.meta.url));
const run1 = promisify(execFile);
const SIZE = 10;
const SEED = 42;
const GIB = 2 ** 30;
/** The raster of the peer's `make`. */
const GRID = { width: 988, height: 1305, px: 0.00026949458523585647, left: -74.88284343197603, top: 40.98015511472004 };
/** MB: GDAL's cache is a twentieth of the memory; this is that of a machine of 1 GiB, and its cost a point is the same for any number. */
const SMALL_CACHE = '51';
const SMALL_POINTS = 300;

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function pointsFile(folder, count, { width, height, px, left, top }) {
  const random = seeded(SEED);
  const points = Array.from({ length: count }, () => [left + random() * width * px, top - random() * height * px]);
  const file = join(folder, `points-${count}.json`);
  writeFileSync(file, JSON.stringify(points));
  return file;
}

async function answer(program, args, env = {}) {
  const { stdout } = await run1(program, args, { maxBuffer: 1 << 26, env: { ...process.env, ...env } });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const ours = (raster, points, options = {}) =>
  answer(process.execPath, [
    child,
    raster,
    points,
    JSON.stringify({ size: SIZE, bandsPerYear: 6, firstYear: 1984, threads: 2, anchor: 'topleft', ...options }),
  ]);

/** Both begin at the coordinate here, so that the same chips must have the same sums. */
function checkSums(own, theirs) {
  const known = new Map(own.sums.map(([[x, y], sum]) => [`${x},${y}`, sum]));
  let compared = 0;
  for (const [[x, y], sum] of theirs.sums) {
    const mine = known.get(`${x},${y}`);
    if (mine === undefined) continue;
    if (mine !== sum) throw new Error(`the chip at ${x}, ${y} sums up to ${mine}, and the original's to ${sum}`);
    compared++;
  }
  if (compared < 5) throw new Error(`only ${compared} chips could be compared`);
}

/** Rounds of ours and theirs in turn. */
async function compare({ raster, points, count, python, rounds }) {
  const speeds = { ours: [], theirs: [] };
  for (let i = 0; i < rounds; i++) {
    const own = await ours(raster, points);
    const theirs = await answer(python, [peer, 'run', raster, points, String(SIZE)]);
    checkSums(own, theirs);
    speeds.ours.push(count / own.seconds);
    speeds.theirs.push(count / theirs.seconds);
  }
  return { ours: middle(speeds.ours), theirs: middle(speeds.theirs) };
}

/** A small raster of our own making, without a peer: that the bench runs. */
async function quickly(folder) {
  const frame = { ...GRID, width: 128, height: 96 };
  const random = seeded(SEED);
  const data = Array.from({ length: 222 }, () => new Int32Array(128 * 96).map(() => random() * 5000));
  const grid = {
    crs: { epsg: 4326, definition: null, geoKeys: null },
    affine: [frame.px, 0, frame.left, 0, -frame.px, frame.top],
    width: 128,
    height: 96,
  };
  const raster = join(folder, 'small.tif');
  await writeCog(raster, { grid, names: data.map((_, i) => `b${i + 1}`), data, nodata: null }, { tileSize: 32 });
  const { seconds } = await ours(raster, pointsFile(folder, 100, frame));
  return [{ case: '100 points, a raster of 128 × 96 px', ours: 100 / seconds }];
}

async function fully(folder, python) {
  const raster = join(folder, 'land.tif');
  await run1(python, [peer, 'make', raster, String(SEED)]);
  const rows = [];
  for (const [count, rounds, gate, aim] of [
    [100, 5, 2, 3],
    [10_000, 1, 50, 100],
  ]) {
    const points = pointsFile(folder, count, GRID);
    const speed = await compare({ raster, points, count, python, rounds });
    rows.push({
      case: `${count} points`,
      ours: speed.ours,
      peers: { original: speed.theirs },
      ratio: speed.ours / speed.theirs,
      gate,
      aim,
    });
  }
  // Within 1 GiB: ours in batches; theirs with the cache that GDAL has there, so that strips are decoded again for each point.
  const within = await ours(raster, join(folder, 'points-10000.json'), { batches: true, memoryLimitBytes: GIB });
  const few = pointsFile(folder, SMALL_POINTS, GRID);
  const small = await answer(python, [peer, 'run', raster, few, String(SIZE)], { GDAL_CACHEMAX: SMALL_CACHE });
  checkSums(within, small);
  const [mine, theirs] = [10_000 / within.seconds, SMALL_POINTS / small.seconds];
  rows.push({
    case: '10000 points within 1 GiB, in batches',
    ours: mine,
    peers: { original: theirs },
    ratio: mine / theirs,
    gate: 50,
    aim: 100,
  });
  rows.push({ case: 'its peak memory, GiB', ours: within.peakBytes / GIB });
  rows.push({ case: 'its blocks decoded, of 1305', ours: within.decoded });
  return rows;
}

/** Without a Python, or with `quick`, only a small raster is cut, and nothing compared. */
export async function run({ quick = false, python } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  try {
    const rows = quick || !python ? await quickly(folder) : await fully(folder, python);
    return { name: 'chips of 222 bands, n = 10, two threads', unit: 'chips/s', rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const result = await run({ quick: args.includes('--quick'), python: process.env.STACKWISE_PEER_PYTHON });
  console.log(`${result.name} (${result.unit})`);
  for (const { case: name, ours: own, peers, ratio, gate, aim } of result.rows) {
    const against = peers
      ? `  original ${peers.original.toPrecision(3)}: ${ratio.toFixed(1)} × (gate ${gate}, aim ${aim})`
      : '';
    console.log(`  ${name.padEnd(38)} ${own.toPrecision(4).padStart(8)}${against}`);
  }
  const file = args[args.indexOf('--json') + 1];
  if (args.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (result.rows.some(({ ratio, gate }) => ratio !== undefined && ratio < gate)) process.exitCode = 1;
}
