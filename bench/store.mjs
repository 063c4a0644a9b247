// The result store: writing a chip of 10 000 pixels and 13 000 segments, counting the chips of a tile, reading pixels, exporting,
// and drawing change products.
// node bench/store.mjs [--quick]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ALGORITHM,
  CHIP_GRIDS,
  chipJson,
  countChips,
  exportResults,
  openResults,
  PYCCD_BANDS,
  productsToFolder,
  snap,
} from '../build/node.js';

const N_PX = 10_000;
const N_SEGMENT = 13_000;
const N_TIME = 423;
const N_BAND = PYCCD_BANDS.length;

/** Results of a chip, of about the size and spread of real ones. */
function changes(nPx = N_PX, nSegment = N_SEGMENT) {
  const reals = (length) => Float64Array.from({ length }, (_, i) => Math.sin(i) * 1e4);
  const days = () => Int32Array.from({ length: nSegment }, (_, i) => 724_000 + (i % 9000));
  return {
    algorithm: ALGORITHM,
    nPx,
    dates: Int32Array.from({ length: N_TIME }, (_, i) => 724_000 + 16 * i),
    processingMask: Uint8Array.from({ length: nPx * N_TIME }, (_, i) => (i % 7 > 3 ? 1 : 0)),
    cloudProbability: reals(nPx),
    snowProbability: reals(nPx),
    waterProbability: reals(nPx),
    failures: new Map(),
    segments: {
      bandNames: PYCCD_BANDS,
      avgDaysYr: 365.2425,
      offsets: Uint32Array.from({ length: nPx + 1 }, (_, i) => Math.floor((i * nSegment) / nPx)),
      startDay: days(),
      endDay: days(),
      breakDay: days(),
      observationCount: days(),
      changeProbability: new Float64Array(nSegment),
      curveQa: new Uint8Array(nSegment).fill(8),
      magnitude: reals(nSegment * N_BAND),
      rmse: reals(nSegment * N_BAND),
      intercept: reals(nSegment * N_BAND),
      coefficients: reals(nSegment * N_BAND * 7),
    },
  };
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Milliseconds of `work`, each time anew. */
async function timed(times, work) {
  const found = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work(i);
    found.push(performance.now() - start);
  }
  const ours = middle(found);
  return { ours, spread: (Math.max(...found) - Math.min(...found)) / ours, peers: {}, ratio: null };
}

/** Counts of a tile of which every chip is there: rows of chips of one pixel, as counting reads no pixel. */
async function counting(folder, times) {
  const grid = { ...CHIP_GRIDS.conus, name: 'one', pixelSize: 3000, chipPx: 1 };
  const store = await openResults(join(folder, 'tile'), { grid });
  const [one, n] = [changes(1, 1), grid.tileChips];
  for (let i = 0; i < n * n; i++) {
    await store.write({ h: i % n, v: Math.floor(i / n), changes: one, inputsMd5: '0'.repeat(32), producedMs: i });
  }
  const found = await timed(times, async () => {
    const { complete } = await countChips(store, ALGORITHM, { h: 0, v: 0 });
    if (complete !== n * n) throw new Error(`${complete} chips were counted`);
  });
  await store.close();
  return { case: 'counts of 2 500 chips', ...found, gate: '50 ms', aim: '10 ms' };
}

/** Runs all cases: milliseconds. */
export async function run({ quick = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const times = quick ? 3 : 11;
  try {
    const store = await openResults(join(folder, 'chips'), { grid: CHIP_GRIDS.conus });
    const chip = { h: 0, v: 0, changes: changes(), inputsMd5: '0'.repeat(32), producedMs: 0 };
    const written = await timed(times, (i) => store.write({ ...chip, h: i % 5 }));
    const read = await timed(times, () => store.chip(ALGORITHM, { h: 0, v: 0 }));
    const { x, y } = snap(store.grid, { x: store.grid.originX, y: store.grid.originY }).chip;
    const pixels = await timed(times, async () => {
      for (let i = 0; i < 1000; i++) await store.pixel(ALGORITHM, { x: x + 30 * (i % 100), y: y - 30 * (i % 97) });
    });
    const json = await timed(Math.min(times, 3), () => {
      let chars = 0;
      for (const piece of chipJson(store, chip)) chars += piece.length;
      return chars;
    });
    const parquet = await timed(Math.min(times, 5), () => {
      return exportResults(store, join(folder, 'parquet'), { format: 'parquet', chip: [0, 0], overwrite: true });
    });
    // Of a tile 5 chips have run.
    const drawn = (products) => {
      const options = { dates: ['2014-07-01'], tile: [0, 0], overwrite: true, products };
      return timed(Math.min(times, 5), () => productsToFolder(store, join(folder, 'products'), options));
    };
    const products = await drawn(['SCTIME', 'SCLAST', 'SCMAG', 'SCSTAB', 'SCMQA']);
    const synthetic = await drawn(['SYNTHETIC']);
    await store.close();
    const rows = [
      { case: 'write 10 000 px, 13 000 segments', ...written, gate: '400 ms', aim: '150 ms' },
      await counting(folder, times),
      { case: 'read it back', ...read },
      { case: 'read 1 000 pixels', ...pixels },
      { case: 'export it as JSON', ...json },
      { case: 'export it as Parquet', ...parquet },
      { case: "LCMAP's 5 products of a tile with 5 chips", ...products },
      { case: 'synthetic image of the same', ...synthetic },
    ];
    return { name: 'store', unit: 'ms', rows };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { case: name, ours, spread, gate, aim } of (await run({ quick: process.argv.includes('--quick') })).rows) {
    const goal = gate ? ` (gate ${gate}, aim ${aim})` : '';
    console.log(`${name}: ${ours.toPrecision(3)} ms ± ${(50 * spread).toFixed(0)} %${goal}`);
  }
}
