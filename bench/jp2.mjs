// Reading JPEG 2000 tile by tile, one thread, against GDAL on one thread: MB/s of pixels, the file in the page cache. The picture is a
// reversible one in the layout of Sentinel-2's 10 m bands. Both decode with OpenJPEG; GDAL's is native code.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { codecMeter } from '../build/io/jp2-codec.js';
import { openRaster } from '../build/io/open-raster.js';
import { readWindow } from '../build/io/window.js';

const peer = fileURLToPath(new URL('./peers/jp2.py', import.meta.url));

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Seconds to read all tiles of a level once, opening included; `sum` keeps the work from being dropped. */
async function readAll(path, level) {
  const start = performance.now();
  const raster = await openRaster(path);
  const { tilesAcross, tilesDown } = raster.header.levels[level];
  let sum = 0;
  for (let row = 0; row < tilesDown; row++) {
    for (let col = 0; col < tilesAcross; col++) {
      await raster.readTile({ level, col, row }, [0], (plane) => {
        sum += plane[plane.length - 1];
      });
    }
  }
  await raster.close();
  return { seconds: (performance.now() - start) / 1000, sum };
}

/** Tiles decoded for a window of 1000 rows that touches two rows of tiles, over the tiles touched. */
async function decodesOfWindow(path) {
  const raster = await openRaster(path);
  const { width, levels } = raster.header;
  const before = codecMeter.tiles;
  await readWindow(raster, { level: 0, window: { col: 0, row: 500, width, height: 1000 }, bands: [0] });
  await raster.close();
  return { decoded: codecMeter.tiles - before, touched: 2 * levels[0].tilesAcross };
}

/** GDAL's Python comes from the system's packages. */
export const pythonVariable = 'STACKWISE_GDAL_PYTHON';

/** Bench of reading; without GDAL for Python there is no file to read and it says so. */
export async function run({ quick = false, python = process.env[pythonVariable] ?? '/usr/bin/python3' } = {}) {
  const size = quick ? 2048 : 4096;
  const rounds = quick ? 3 : 5;
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const path = join(folder, 'band.jp2');
  const ask = (...args) => JSON.parse(execFileSync(python, [peer, ...args], { encoding: 'utf8' }));
  const table = { name: 'jp2', unit: 'MB/s', rows: [] };
  try {
    let version;
    try {
      version = ask('make', path, String(size)).gdal;
    } catch {
      console.log(`jp2: skipped, ${python} has no GDAL with OpenJPEG`);
      return table;
    }
    for (const level of [0, 2]) {
      const megabytes = ((size >> level) ** 2 * 2) / 1e6;
      await readAll(path, level);
      const [ours, theirs] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ours.push(Math.min((await readAll(path, level)).seconds, (await readAll(path, level)).seconds));
        theirs.push(Math.min(...ask('read', path, '2', String(level)).seconds));
      }
      const rate = { ours: megabytes / median(ours), gdal: megabytes / median(theirs) };
      table.rows.push({
        case: `${size}² u16 reversible, 1024² tiles${level === 0 ? '' : `, reduced to 1/${2 ** level}`}`,
        ours: rate.ours,
        peers: { [`GDAL ${version}`]: rate.gdal },
        ratio: rate.ours / rate.gdal,
        ...(level === 0 && { gate: 0.6, aim: 0.8 }),
      });
    }
    const { decoded, touched } = await decodesOfWindow(path);
    table.rows.push({
      case: 'tiles decoded for 1000 rows, against tiles touched',
      ours: decoded,
      peers: { touched },
      ratio: decoded / touched,
      gate: 1,
    });
    return table;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } });
  const table = await run({ quick: values.quick ?? false });
  for (const { case: name, ours, peers, ratio, gate } of table.rows) {
    const others = Object.entries(peers).map(([peer, rate]) => `, ${peer} ${rate.toFixed(1)}`);
    console.log(`${name}: ${ours.toFixed(1)}${others.join('')}: ${ratio.toFixed(2)} ×${gate ? ` (gate ${gate})` : ''}`);
  }
  if (values.json) writeFileSync(values.json, JSON.stringify(table, null, 2));
}
