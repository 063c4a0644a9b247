// Median of eight scenes of one band, files to file: from COGs and from JPEG 2000, against windows of 1000 rows and
// numpy.nanmedian over rasterio, and against our own bare decoding of the same tiles.
//   node bench/scenes.mjs [--quick] [--json FILE]      STACKWISE_PEER_PYTHON: a Python with rasterio and numpy;
//   STACKWISE_GDAL_PYTHON: one with GDAL, which makes the scenes (the system's, unless given)
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRaster } from '../build/io/open-raster.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const peer = here('./peers/scenes.py');
const child = here('./child/composite.mjs');
const GIB = 2 ** 30;
/** Side of a Sentinel-2 band at 10 m, px. */
const FULL_SIZE = 10_980;
const COUNT = 8;
const KINDS = [
  { kind: 'tif', label: 'COG', gate: 5, aim: 8 },
  { kind: 'jp2', label: 'JPEG 2000', gate: 1.1, aim: 1.5 },
];

/** The scenes, made at first use; null where no Python has GDAL. */
function scenes(size) {
  const folder = here(`../build/bench/scenes${size}`);
  if (existsSync(folder)) return folder;
  const python = process.env.STACKWISE_GDAL_PYTHON ?? '/usr/bin/python3';
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    execFileSync(python, [peer, 'make', making, String(size), String(COUNT)], { stdio: 'pipe' });
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    console.log(
      `scenes: skipped, ${python} cannot make them: ${String(error.stderr ?? error)
        .trim()
        .split('\n')
        .at(-1)}`,
    );
    return null;
  }
  renameSync(making, folder);
  return folder;
}

/** Ours, in a process of its own. */
function composite(folder, kind, options = {}) {
  const out = join(folder, 'out');
  const given = {
    statistics: 'median',
    bands: ['B04'],
    masks: ['none'],
    threads: 1,
    memoryLimitBytes: GIB,
    ...options,
  };
  const printed = execFileSync(process.execPath, [child, join(folder, `${kind}.json`), out, JSON.stringify(given)], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  rmSync(out, { recursive: true, force: true });
  return JSON.parse(printed.trim().split('\n').at(-1));
}

/** Seconds to decode every tile of every scene once, and nothing else. */
async function decodeAll(folder, kind) {
  const start = performance.now();
  let sum = 0;
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith(`.${kind}`))) {
    const raster = await openRaster(join(folder, name));
    const { tilesAcross, tilesDown } = raster.header.levels[0];
    for (let row = 0; row < tilesDown; row++) {
      for (let col = 0; col < tilesAcross; col++) {
        await raster.readTile({ level: 0, col, row }, [0], (plane) => {
          sum += plane[plane.length - 1];
        });
      }
    }
    await raster.close();
  }
  return { seconds: (performance.now() - start) / 1000, sum };
}

export async function run({ quick = false, python } = {}) {
  const size = quick ? 1100 : FULL_SIZE;
  const table = { name: 'median of scenes', unit: 'Mpx/s', rows: [] };
  const folder = scenes(size);
  if (!folder) return table;
  const megapixels = (size * size) / 1e6;
  for (const { kind, label, gate, aim } of KINDS) {
    const name = `${COUNT} ${label} scenes of ${size}²`;
    const ours = composite(folder, kind);
    const bare = await decodeAll(folder, kind);
    let theirs = null;
    if (python && !quick) {
      const printed = execFileSync(python, [peer, 'median', folder, kind, '1'], { encoding: 'utf8' });
      theirs = JSON.parse(printed);
    }
    const threads = availableParallelism();
    const all = composite(folder, kind, { threads });
    const rival = theirs && { [`rasterio ${theirs.rasterio}, numpy ${theirs.numpy}`]: megapixels / theirs.seconds[0] };
    const against = ({ seconds }) => rival && { peers: rival, ratio: theirs.seconds[0] / seconds };
    table.rows.push({ case: `${name}, one thread`, ours: megapixels / ours.seconds, ...against(ours) });
    table.rows.push({
      case: `${name}, ${threads} threads`,
      ours: megapixels / all.seconds,
      ...(rival && { ...against(all), gate, aim }),
    });
    table.rows.push({
      case: `${name}: all of it against bare decoding, seconds`,
      ours: ours.seconds,
      peers: { 'bare decoding': bare.seconds },
      ratio: ours.seconds / bare.seconds,
      ...(kind === 'jp2' && { gate: '≤ 1.15', aim: '≤ 1.05' }),
    });
    table.rows.push({
      case: `${name}: peak memory, GiB`,
      ours: Math.max(ours.peakBytes, all.peakBytes) / GIB,
      gate: '≤ 1',
    });
  }
  return table;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const python = process.env.STACKWISE_PEER_PYTHON;
  const result = await run({ quick: process.argv.includes('--quick'), python });
  console.table(result.rows);
  const json = process.argv.indexOf('--json');
  if (json > 0) writeFileSync(process.argv[json + 1], `${JSON.stringify(result, null, 2)}\n`);
}
