// Change detection against PyCCD itself, alternated with it in one run on the same pixels, the memory of a whole chip, and two threads
// beside two bare spinners.
// node bench/ccdc.mjs [--quick] [--threads] [--json FILE]: --threads runs the last of them alone. Data from STACKWISE_DATA; the peer runs where STACKWISE_CCDC_PYTHON names a Python that
// has lcmap-pyccd 2018.10.17 (bench/peers/requirements-ccdc.txt).
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { detectChip, fromOrdinal, PYCCD_BANDS, writeCog } from '../build/index.js';
import { spinners } from './spinners.mjs';

export const pythonVariable = 'STACKWISE_CCDC_PYTHON';
const DATA = join(process.env.STACKWISE_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url)), 'ccdc');
/** Pixels of chip20 that PyCCD runs: every 13th, so that its real and its perturbed ones are both among them. */
const SAMPLE_STEP = 13;

/** The content of a .npy file. */
function npy(name, Type) {
  const bytes = readFileSync(join(DATA, name));
  return new Type(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
}

function chip20() {
  const [dates, data, qa] = [
    npy('chip20_dates.npy', Int32Array),
    npy('chip20_bands.npy', Int16Array),
    npy('chip20_qa.npy', Uint16Array),
  ];
  return { dates, data, qa, rows: 20, cols: 20, qaScheme: 'fmask' };
}

/** The dense pixels of the Landsat archive, a chip each. */
function densePixels() {
  const { pixels } = JSON.parse(readFileSync(join(DATA, 'pixels.json'), 'utf8'));
  return pixels
    .filter(({ name }) => name.startsWith('ard_'))
    .map(({ dates, bands, qa }) => {
      const data = Int16Array.from(
        { length: dates.length * 7 },
        (_, i) => bands[PYCCD_BANDS[i % 7]][Math.floor(i / 7)],
      );
      return {
        dates: Int32Array.from(dates),
        data,
        qa: Uint16Array.from(qa),
        rows: 1,
        cols: 1,
        qaScheme: 'pyccd',
      };
    });
}

/** Every `step`th pixel of a chip, as a chip of one row. */
function sampled(chip, step) {
  const nPx = chip.rows * chip.cols;
  const places = Array.from({ length: Math.ceil(nPx / step) }, (_, i) => i * step);
  const pick = (values) =>
    values.constructor.from({ length: (values.length / nPx) * places.length }, (_, i) => {
      return values[Math.floor(i / places.length) * nPx + places[i % places.length]];
    });
  return { ...chip, data: pick(chip.data), qa: pick(chip.qa), rows: 1, cols: places.length };
}

/** The peer as a process that answers one line per request. */
function peer(python) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const script = fileURLToPath(new URL('peers/ccdc.py', import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the peer ended: is lcmap-pyccd installed in ${python}?`);
    return value;
  };
  const written = new Map();
  return {
    ready: answer,
    async run(chip) {
      if (!written.has(chip)) {
        const prefix = join(folder, `chip${written.size}`);
        for (const [name, values] of Object.entries({ dates: chip.dates, bands: chip.data, qa: chip.qa })) {
          writeFileSync(`${prefix}.${name}`, values);
        }
        written.set(chip, prefix);
      }
      const pixels = Array.from({ length: chip.rows * chip.cols }, (_, i) => i);
      child.stdin.write(`${[written.get(chip), chip.qaScheme, ...pixels].join(' ')}\n`);
      return JSON.parse(await answer());
    },
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Start days of each pixel's segments. */
function startsOf({ nPx, segments: { offsets, startDay } }) {
  return Array.from({ length: nPx }, (_, px) => [...startDay.subarray(offsets[px], offsets[px + 1])]);
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Median milliseconds a pixel over the chips, each run `times` over. */
function oursMs(chips, times) {
  const found = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    for (const chip of chips) detectChip(chip);
    found.push((performance.now() - start) / chips.reduce((sum, { rows, cols }) => sum + rows * cols, 0));
  }
  return middle(found);
}

async function theirsMs(other, chips) {
  let [seconds, nPx] = [0, 0];
  for (const chip of chips) {
    const result = await other.run(chip);
    if (JSON.stringify(result.starts) !== JSON.stringify(startsOf(detectChip(chip)))) {
      throw new Error('PyCCD found other segments: is it 2018.10.17 with the libraries of requirements-ccdc.txt?');
    }
    seconds += result.seconds;
    nPx += chip.rows * chip.cols;
  }
  return (1000 * seconds) / nPx;
}

async function measure({ name, chips, few, gate, aim }, { quick, other }) {
  const rounds = quick ? 1 : 3;
  const times = quick ? 3 : 9;
  oursMs(chips, 3);
  const ours = [];
  const pairs = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(oursMs(chips, times));
    // Each round is a pair of its own, on the same pixels.
    if (other) pairs.push({ ours: oursMs(few, times), theirs: await theirsMs(other, few) });
  }
  const best = middle(ours);
  return {
    case: name,
    ours: best,
    spread: (Math.max(...ours) - Math.min(...ours)) / best,
    peers: other ? { pyccd: middle(pairs.map(({ theirs }) => theirs)) } : {},
    ratio: other ? middle(pairs.map((pair) => pair.theirs / pair.ours)) : null,
    gate,
    aim,
  };
}

/** Peak memory of a process that runs 100 × 100 pixels of 423 dates, in MB. */
function memoryCase() {
  const script = fileURLToPath(new URL('child/ccdc.mjs', import.meta.url));
  const peakMb = Number(execFileSync(process.execPath, [script, DATA], { encoding: 'utf8' }));
  return {
    case: 'peak MB of 10 000 px × 423',
    ours: peakMb,
    spread: 0,
    peers: {},
    ratio: null,
    gate: '600 MB',
    aim: '300 MB',
  };
}

/** Scenes written at a time. */
const AT_ONCE = 32;

/** px a side of the scenes that threads read: 16 chips of the native grid, in one tile of 512 × 512 as writers of COGs make them. */
const SIDE = 400;

/** 20 × 20 pixels over and over. */
function tiled(plane) {
  const out = new plane.constructor(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let col = 0; col < SIDE; col += 20) {
      const from = (row % 20) * 20;
      out.set(plane.subarray(from, from + 20), row * SIDE + col);
    }
  }
  return out;
}

/** chip20 over and over as scenes, with Fmask classes as ESPA has them; their items. */
async function writeScenes(folder, { dates, data, qa }) {
  const [width, height] = [SIDE, SIDE];
  const grid = {
    crs: { epsg: 32610, definition: null, geoKeys: null },
    affine: [30, 0, 300_000, 0, -30, 5_100_000],
    width,
    height,
  };
  mkdirSync(folder, { recursive: true });
  const scene = async (day, t) => {
    const planes = PYCCD_BANDS.map((_, b) => tiled(data.subarray((t * 7 + b) * 400, (t * 7 + b + 1) * 400)));
    const classes = tiled(Uint8Array.from(qa.subarray(t * 400, (t + 1) * 400)));
    await writeCog(join(folder, `${t}_sr.tif`), { grid, names: PYCCD_BANDS, data: planes, nodata: -9999 });
    await writeCog(join(folder, `${t}_qa.tif`), { grid, names: ['cfmask'], data: [classes], nodata: null });
    const asset = (href, own) => ({
      href: `./${href}`,
      type: 'image/tiff; application=geotiff',
      roles: ['data'],
      'proj:shape': [height, width],
      'proj:transform': grid.affine,
      'eo:bands': own.map((name) => ({ name })),
    });
    return {
      type: 'Feature',
      stac_version: '1.0.0',
      id: `scene-${t}`,
      collection: 'espa',
      bbox: [-125.6, 45.9, -125.5, 46],
      geometry: null,
      properties: { datetime: `${fromOrdinal(day)}T18:54:39Z`, platform: 'landsat-5', 'proj:epsg': 32610 },
      links: [],
      assets: { sr: asset(`${t}_sr.tif`, PYCCD_BANDS), cfmask: asset(`${t}_qa.tif`, ['cfmask']) },
    };
  };
  const features = [];
  for (let t = 0; t < dates.length; t += AT_ONCE) {
    const days = [...dates.subarray(t, t + AT_ONCE)];
    features.push(...(await Promise.all(days.map((day, i) => scene(day, t + i)))));
  }
  const items = join(folder, 'items.json');
  writeFileSync(items, JSON.stringify({ type: 'FeatureCollection', features }));
  return items;
}

/**
 * Whole runs from scenes to a store with one and with two threads, alternated with the spinners. What a run pays once is in it: finding
 * what there is, modules, opening files, and the engine's compiling, which a second thread does again while it is free beside one thread.
 * Of two chips that is a tenth; sixteen are still far fewer than an archive's thousands.
 */
async function threadsCase(chip, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const found = [];
  try {
    const items = await writeScenes(folder, chip);
    const script = fileURLToPath(new URL('child/changes.mjs', import.meta.url));
    const seconds = (threads) => JSON.parse(execFileSync(process.execPath, [script, items, threads])).seconds;
    for (let i = 0; i < rounds; i++) {
      const machine = (await spinners(2)) / (await spinners(1));
      const [one, two] = [seconds(1), seconds(2)];
      found.push({ ours: one / two, machine, one, two });
      console.log(`  ${one.toFixed(1)} s, on two threads ${two.toFixed(1)} s: ${(one / two).toFixed(2)}`);
      console.log(`  spinners ${machine.toFixed(2)}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const ratios = found.map(({ ours }) => ours);
  const ours = middle(ratios);
  return {
    case: `two threads against one, ${SIDE} × ${SIDE} px × ${chip.dates.length} from scenes to the store`,
    ours,
    spread: (Math.max(...ratios) - Math.min(...ratios)) / ours,
    peers: { spinners: middle(found.map(({ machine }) => machine)) },
    ratio: middle(found.map((pair) => pair.ours / pair.machine)),
    gate: '0.95 × the spinners',
    aim: 'theirs',
  };
}

/** Runs all cases: milliseconds a pixel, ratio = PyCCD / ours (null without the peer). No rows where the data is absent. */
export async function run({ quick = false, threads = false, python = process.env[pythonVariable] } = {}) {
  const rows = [];
  if (!existsSync(join(DATA, 'pixels.json'))) {
    console.log('ccdc skipped: STACKWISE_DATA names no folder with the vectors of PyCCD');
    return { name: 'ccdc', unit: 'ms/px', rows };
  }
  const chip = chip20();
  if (threads) return { name: 'ccdc', unit: 'ms/px', rows: [await threadsCase(chip, 3)] };
  const dense = densePixels();
  const cases = [
    {
      name: 'chip20, 423 dates',
      chips: [chip],
      few: [sampled(chip, SAMPLE_STEP)],
      gate: '280 ×, 0.5 ms',
      aim: '560 ×, 0.25 ms',
    },
    { name: '3 dense pixels', chips: dense, few: dense, gate: '150 ×, 3 ms', aim: '300 ×, 1.5 ms' },
  ];
  const other = python ? peer(python) : null;
  await other?.ready();
  for (const item of cases) rows.push(await measure(item, { quick, other }));
  other?.close();
  rows.push(memoryCase());
  if (!quick) rows.push(await threadsCase(chip, 3));
  return { name: 'ccdc', unit: 'ms/px', rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [quick, threads] = ['--quick', '--threads'].map((option) => process.argv.includes(option));
  const result = await run({ quick, threads });
  if (!threads && !process.env[pythonVariable]) console.log(`PyCCD skipped: ${pythonVariable} is not set`);
  for (const { case: name, ours, spread, peers, ratio, gate, aim } of result.rows) {
    const theirs = peers.spinners
      ? `; spinners ${peers.spinners.toFixed(2)}, ${ratio.toFixed(2)} of them`
      : ratio
        ? `; PyCCD ${peers.pyccd.toFixed(1)}, ${ratio.toFixed(0)} ×`
        : '';
    console.log(`${name}: ${ours.toPrecision(3)} ± ${(50 * spread).toFixed(0)} %${theirs} (gate ${gate}, aim ${aim})`);
  }
  const file = process.argv[process.argv.indexOf('--json') + 1];
  if (process.argv.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}
