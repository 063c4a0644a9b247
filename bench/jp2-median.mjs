// Median of 8 scenes in JPEG 2000, in the layout of Sentinel-2's 10 m bands: against the bare decoding of the same tiles, and against
// windows of 1000 rows with rasterio and one nanmedian with numpy. Nothing is written.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { composite, readScenes } from '../build/index.js';
import { openRaster } from '../build/io/open-raster.js';

const maker = fileURLToPath(new URL('./peers/jp2.py', import.meta.url));
const peer = fileURLToPath(new URL('./peers/jp2_median.py', import.meta.url));
const N = 8;

/** Seconds to decode every tile of every file, in this thread. */
async function bare(paths) {
  const start = performance.now();
  for (const path of paths) {
    const raster = await openRaster(path);
    const { tilesAcross, tilesDown } = raster.header.levels[0];
    for (let row = 0; row < tilesDown; row++) {
      for (let col = 0; col < tilesAcross; col++) await raster.readTile({ level: 0, col, row }, [0], () => {});
    }
    await raster.close();
  }
  return (performance.now() - start) / 1000;
}

/** Seconds of a composite, opening included. */
async function ours(items, threads) {
  const start = performance.now();
  const { results } = await composite(await readScenes(items), {
    statistics: 'median',
    masks: ['none'],
    group: 'none',
    threads,
  });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, sum: results.median.data[0].reduce((a, b) => a + b, 0) };
}

function writeItem(folder, i, size) {
  const properties = { datetime: `2022-01-${String(i + 1).padStart(2, '0')}T10:00:00Z`, 'proj:epsg': 32631 };
  const place = { 'proj:shape': [size, size], 'proj:transform': [10, 0, 600_000, 0, -10, 5_600_000] };
  const assets = { red: { href: `${i}.jp2`, 'raster:bands': [{ nodata: 0 }], ...place } };
  const item = { type: 'Feature', stac_version: '1.0.0', id: `${i}`, geometry: null, properties, links: [], assets };
  writeFileSync(join(folder, `${i}.json`), JSON.stringify(item));
}

/** Bench of a whole median; the files are made by GDAL, and without it there is nothing to read. */
export async function run({ quick = false, python = process.env.STACKWISE_PEER_PYTHON ?? 'python3' } = {}) {
  const size = quick ? 1024 : 4096;
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const paths = Array.from({ length: N }, (_, i) => join(folder, `${i}.jp2`));
  const table = { name: 'jp2-median', unit: 's', rows: [] };
  try {
    try {
      const gdal = process.env.STACKWISE_GDAL_PYTHON ?? '/usr/bin/python3';
      for (const [i, path] of paths.entries()) execFileSync(gdal, [maker, 'make', path, String(size), String(i)]);
    } catch {
      console.log('jp2-median: skipped, there is no Python with GDAL and OpenJPEG');
      return table;
    }
    for (let i = 0; i < N; i++) writeItem(folder, i, size);
    const name = `median of ${N} scenes of ${size}²`;
    await bare(paths.slice(0, 1));
    const one = await ours(folder, 0);
    const decoding = await bare(paths);
    table.rows.push({
      case: `${name}, one thread`,
      ours: one.seconds,
      peers: { 'bare decoding': decoding },
      ratio: one.seconds / decoding,
      gate: 1.15,
      aim: 1.05,
    });
    const threads = availableParallelism();
    const all = await ours(folder, threads);
    try {
      const theirs = JSON.parse(execFileSync(python, [peer, ...paths], { encoding: 'utf8' }));
      if (Math.abs(theirs.sum / one.sum - 1) > 1e-3) throw new Error(`other medians: ${theirs.sum}, and ${one.sum}`);
      const peers = { [theirs.versions]: theirs.seconds };
      table.rows.push({ case: `${name}, one thread`, ours: one.seconds, peers, ratio: theirs.seconds / one.seconds });
      const ratio = theirs.seconds / all.seconds;
      table.rows.push({ case: `${name}, ${threads} threads`, ours: all.seconds, peers, ratio, gate: 1.1, aim: 1.5 });
    } catch (error) {
      console.log(`jp2-median: no peer: ${error.message.split('\n')[0]}`);
    }
    return table;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rows } = await run({ quick: process.argv.includes('--quick') });
  console.table(rows);
}
