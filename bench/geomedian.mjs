// Geometric medians against geomad, alternated with it in one run, and against the same iteration in plain JavaScript.
// node bench/geomedian.mjs [--quick] [--json FILE]; the peer runs where STACKWISE_PEER_PYTHON names a Python that has geomad.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { geomedianInto } from '../build/kernels/geomedian.js';
import { dateStrideBytes, kernels } from '../build/kernels/memory.js';
import { seeded } from './random.mjs';

const N_TIME = 50;
const N_PX = 4096;
const STRIP_PX = 1024;
const CASES = [
  { name: 'geomedian 6 × 50', nBand: 6, mads: false, gate: 25, aim: 45 },
  { name: 'geomedian 10 × 50', nBand: 10, mads: false, gate: 18, aim: 35 },
  { name: 'geomedian and 3 MADs 6 × 50', nBand: 6, mads: true, gate: 20, aim: 40 },
];

/**
 * A year of surface reflectance, u16[nBand][N_TIME][N_PX]: each pixel has a spectrum, seasons and light that move all bands
 * together, noise of each band, some haze; 35 % of the dates are masked (0), in patches of 16 px as clouds are.
 */
function season(nBand) {
  const random = seeded(nBand);
  const noise = () => random() + random() + random() + random() - 2;
  const data = new Uint16Array(nBand * N_TIME * N_PX);
  for (let x = 0; x < N_PX; x++) {
    const spectrum = Array.from({ length: nBand }, () => 300 + 3000 * random());
    const greening = Array.from({ length: nBand }, () => 0.25 * noise());
    for (let t = 0; t < N_TIME; t++) {
      const light = 1 + 0.16 * noise();
      const green = Math.abs((((2 * t) / N_TIME) % 2) - 1);
      const haze = random() < 0.08 ? 1500 * random() : 0;
      for (let b = 0; b < nBand; b++) {
        const value = spectrum[b] * (1 + greening[b] * green) * light + haze + 70 * noise();
        data[(b * N_TIME + t) * N_PX + x] = Math.max(1, Math.min(10000, Math.round(value)));
      }
    }
  }
  for (let patch = 0; patch < N_PX; patch += 16) {
    for (let t = 0; t < N_TIME; t++) {
      if (random() >= 0.35) continue;
      for (let b = 0; b < nBand; b++)
        data.fill(0, (b * N_TIME + t) * N_PX + patch, (b * N_TIME + t) * N_PX + patch + 16);
    }
  }
  return data;
}

/** Weiszfeld's iteration on typed arrays, one pixel after the other, in f64; the plain way. */
function plainWeiszfeld(data, nBand, nPx, eps, out, mostSteps = 1000) {
  const points = new Float64Array(N_TIME * nBand);
  const y = new Float64Array(nBand);
  const z = new Float64Array(nBand);
  for (let x = 0; x < nPx; x++) {
    let n = 0;
    y.fill(0);
    for (let t = 0; t < N_TIME; t++) {
      if (data[t * N_PX + x] === 0) continue;
      for (let b = 0; b < nBand; b++) y[b] += points[n * nBand + b] = data[(b * N_TIME + t) * N_PX + x];
      n++;
    }
    for (let b = 0; b < nBand; b++) y[b] /= n;
    for (let step = 0; step < mostSteps; step++) {
      let weights = 0;
      z.fill(0);
      for (let i = 0; i < n; i++) {
        let d2 = 0;
        for (let b = 0; b < nBand; b++) d2 += (points[i * nBand + b] - y[b]) ** 2;
        const w = 1 / Math.sqrt(Math.max(d2, 1e-12));
        weights += w;
        for (let b = 0; b < nBand; b++) z[b] += w * points[i * nBand + b];
      }
      let moved = 0;
      for (let b = 0; b < nBand; b++) {
        moved += (z[b] / weights - y[b]) ** 2;
        y[b] = z[b] / weights;
      }
      if (moved < eps * eps) break;
    }
    for (let b = 0; b < nBand; b++) out[b * nPx + x] = y[b];
  }
}

/** The peer as a process that answers one line per request. */
function peer(python, data, nBand) {
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const byPixel = new Uint16Array(data.length);
  for (let row = 0; row < nBand * N_TIME; row++) {
    const [b, t] = [Math.floor(row / N_TIME), row % N_TIME];
    for (let x = 0; x < N_PX; x++) byPixel[(x * N_TIME + t) * nBand + b] = data[row * N_PX + x];
  }
  writeFileSync(join(folder, 'stack.u16'), byPixel);
  const script = fileURLToPath(new URL('peers/geomedian.py', import.meta.url));
  const process = spawn(python, [script, join(folder, 'stack.u16'), N_PX, N_TIME, nBand].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const ask = async (request) => {
    process.stdin.write(`${request}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the peer ended: is geomad installed in ${python}?`);
    return Number(value);
  };
  return {
    ready: () => lines.next(),
    seconds: (mads) => ask(mads ? 'mads' : 'median'),
    async median() {
      const file = join(folder, 'median.f32');
      await ask(`save ${file}`);
      const bytes = readFileSync(file);
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    },
    close() {
      process.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Our kernel on the data in wasm memory, in strips as the library cuts them: a function to time, and the median it leaves. */
function ours(data, nBand, mads) {
  const k = kernels();
  const timeStrideBytes = dateStrideBytes(STRIP_PX * 2);
  const strips = [];
  for (let start = 0; start < N_PX; start += STRIP_PX) {
    const ptr = k.alloc(nBand * N_TIME * timeStrideBytes);
    for (let row = 0; row < nBand * N_TIME; row++) {
      const from = row * N_PX + start;
      k.u16(ptr + row * timeStrideBytes, STRIP_PX).set(data.subarray(from, from + STRIP_PX));
    }
    const stack = { ptr, dtype: 'u16', nodata: 0, nBand, nTime: N_TIME, nPx: STRIP_PX };
    const out = { median: k.alloc(nBand * STRIP_PX * 4), mads: mads ? k.alloc(3 * STRIP_PX * 4) : 0 };
    strips.push({ view: { ...stack, timeStrideBytes, bandStrideBytes: N_TIME * timeStrideBytes }, out });
  }
  return {
    run() {
      for (const { view, out } of strips) geomedianInto(k, view, { eps: 0.1 }, out);
    },
    median() {
      const median = new Float32Array(nBand * N_PX);
      for (const [i, { out }] of strips.entries()) {
        for (let b = 0; b < nBand; b++) {
          median.set(k.f32(out.median + b * STRIP_PX * 4, STRIP_PX), b * N_PX + i * STRIP_PX);
        }
      }
      return median;
    },
  };
}

/** Median seconds of one call, by tinybench. */
async function seconds(run, time) {
  const bench = new Bench({ time, warmupTime: time / 4, iterations: 3 }).add('run', run);
  await bench.run();
  return bench.tasks[0].result.latency.p50 / 1000;
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const mpx = (s) => N_PX / s / 1e6;

/** p50, p99 and max of the distance in DN to a solution in f64, over pixels and bands. */
function errors(got, truth) {
  const all = Float64Array.from(truth, (v, i) => Math.abs(got(i) - v))
    .filter((v) => !Number.isNaN(v))
    .sort();
  return { p50: all[all.length >> 1], p99: all[Math.floor(all.length * 0.99)], max: all.at(-1) };
}

async function measure({ name, nBand, mads, gate, aim }, { quick, python }) {
  const data = season(nBand);
  const our = ours(data, nBand, mads);
  const peers = {};
  const found = { ours: [], geomad: [] };
  const rounds = quick ? 2 : 5;
  const other = python ? peer(python, data, nBand) : null;
  await other?.ready();
  for (let round = 0; round < rounds; round++) {
    found.ours.push(await seconds(our.run, quick ? 100 : 400));
    if (other) found.geomad.push(await other.seconds(mads));
  }
  const best = mpx(middle(found.ours));
  const spread = (values) => (Math.max(...values) - Math.min(...values)) / middle(values);
  const row = { case: name, ours: best, spread: spread(found.ours), peers, ratio: null, gate, aim };
  if (!mads) {
    const few = quick ? 256 : 1024;
    const plain = new Float64Array(nBand * few);
    peers.javascript = few / 1e6 / (await seconds(() => plainWeiszfeld(data, nBand, few, 0.1, plain), 100));
    plainWeiszfeld(data, nBand, few, 1e-7, plain, 20_000);
    const median = our.median();
    row.errors = { ours: errors((i) => median[Math.floor(i / few) * N_PX + (i % few)], plain) };
    if (other) {
      const theirs = await other.median();
      row.errors.geomad = errors((i) => theirs[(i % few) * nBand + Math.floor(i / few)], plain);
    }
  }
  if (other) {
    peers.geomad = mpx(middle(found.geomad));
    row.peerSpread = spread(found.geomad);
    // Each round is a pair of its own, so that other load on the machine weighs on both alike.
    row.ratio = middle(found.ours.map((s, i) => found.geomad[i] / s));
    other.close();
  }
  return row;
}

/** Runs all cases; speeds in million pixels a second, ratio = ours / geomad (null without the peer). */
export async function run({ quick = false, python = process.env.STACKWISE_PEER_PYTHON } = {}) {
  const rows = [];
  for (const item of CASES) rows.push(await measure(item, { quick, python }));
  return { name: 'geomedian', unit: 'Mpx/s', rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const quick = process.argv.includes('--quick');
  const result = await run({ quick });
  if (!process.env.STACKWISE_PEER_PYTHON) console.log('geomad skipped: STACKWISE_PEER_PYTHON is not set');
  for (const row of result.rows) {
    const others = Object.entries(row.peers).map(([name, speed]) => `${name} ${speed.toFixed(4)}`);
    const ratio = row.ratio ? `${row.ratio.toFixed(1)} × geomad (gate ${row.gate}, aim ${row.aim})` : '';
    const spreads = `± ${(50 * row.spread).toFixed(0)} %`;
    console.log(`${row.case}: ${row.ours.toFixed(3)} ${result.unit} ${spreads}; ${others.join(', ')}; ${ratio}`);
    for (const [name, e] of Object.entries(row.errors ?? {})) {
      console.log(
        `  error of ${name}, DN: p50 ${e.p50.toExponential(1)} p99 ${e.p99.toExponential(1)} max ${e.max.toExponential(1)}`,
      );
    }
  }
  const file = process.argv[process.argv.indexOf('--json') + 1];
  if (process.argv.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}
