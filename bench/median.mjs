// Median over time of u16, one thread: ours against bottleneck and numpy (float32, the better of both layouts) and a naive
// typed-array median in JavaScript. Speeds in Mpx/s, peers alternated with ours round by round; judge by the ratios.
//   node bench/median.mjs [--quick] [--json FILE]      STACKWISE_PEER_PYTHON names a Python with numpy and bottleneck
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { kernels } from '../build/kernels/memory.js';
import { medianInto } from '../build/kernels/order.js';
import { seeded } from './random.mjs';

/** Dates, and how many times the peer's speed is wanted (bottleneck's, unless another is named): the gate and the aim. */
const CASES = [
  { nTime: 8, gate: 100, aim: 150, peer: 'numpy nanmedian' },
  { nTime: 20, gate: 100, aim: 150, peer: 'numpy nanmedian' },
  { nTime: 16, gate: 25, aim: 45 },
  { nTime: 32, gate: 20, aim: 40 },
  { nTime: 64, gate: 15, aim: 30 },
  { nTime: 128, gate: 10, aim: 20 },
  { nTime: 256, gate: 7, aim: 15 },
];
/**
 * Pixels: those of a strip of 1 MiB of u16, which stays in the cache, as strips of the public functions do; and 65536, where
 * long series come from main memory.
 */
const SIZES = { strip: (nTime) => Math.floor(2 ** 13 / nTime) * 64, '65536 px': () => 65536 };
const ROUNDS = 7;
const SEED = 42;
/** Missing values lie at random places: the hardest case, as hardly a row of pixels is missing as a whole. */
const SETTINGS = [
  { size: 'strip', missing: 0.35 },
  { size: '65536 px', missing: 0.35 },
  { size: 'strip', missing: 0 },
];

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Ours, on data in wasm memory as a composite has them: prepared once, measured in many short slices. */
function ourColumn(nTime, nPx, missing) {
  const k = kernels();
  const random = seeded(SEED);
  const ptr = k.alloc(nTime * nPx * 2);
  const out = k.alloc(nPx * 2);
  const data = k.u16(ptr, nTime * nPx);
  for (let i = 0; i < data.length; i++) data[i] = random() < missing ? 0 : 1 + Math.floor(random() * 10000);
  const column = { ptr, dtype: 'u16', nTime, nPx, timeStrideBytes: nPx * 2, nodata: 0 };
  return { data, run: () => medianInto(k, column, { ptr: out, dtype: 'same' }) };
}

/** The straight way in JavaScript: gather a pixel's valid values, sort them as a typed array. */
function naiveJs(data, nTime, stride, pixels) {
  const out = new Uint16Array(pixels);
  const series = new Uint16Array(nTime);
  return () => {
    for (let x = 0; x < pixels; x++) {
      let n = 0;
      for (let t = 0; t < nTime; t++) {
        const value = data[t * stride + x];
        if (value !== 0) series[n++] = value;
      }
      const sorted = series.subarray(0, n).sort();
      out[x] = n === 0 ? 0 : (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
    }
    return out;
  };
}

/** The median speed of a slice of `time` ms. */
async function mpxPerSecond(run, pixels, time, warmup) {
  const bench = new Bench({ time, iterations: 3, warmup, warmupTime: warmup ? 60 : 0, warmupIterations: 3 });
  bench.add('median', run);
  const [task] = await bench.run();
  return pixels / (task.result.latency.p50 / 1000) / 1e6;
}

/** A Python process that measures on demand; null when there is none or it lacks the packages. */
async function startPeer(python) {
  if (!python) return null;
  const child = spawn(python, [fileURLToPath(new URL('peers/median.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done)
      throw new Error(`bench/peers/median.py ended at '${line}': are numpy and bottleneck installed in ${python}?`);
    return value;
  };
  return {
    prepare: (nTime, nPx, missing) => ask(`${nTime} ${nPx} ${SEED} ${missing}`),
    measure: async () => JSON.parse(await ask('run')),
    end: () => child.stdin.write('end\n'),
    close: () => child.stdin.end(),
  };
}

async function measureCase(series, { size, missing }, { quick, peer }) {
  const { nTime, gate, aim, peer: rival = 'bottleneck' } = series;
  const nPx = SIZES[size](nTime);
  const k = kernels();
  const at = k.exports.mark();
  const ours = ourColumn(nTime, nPx, missing);
  const few = quick ? 512 : 2048;
  const naive = naiveJs(ours.data, nTime, nPx, few);
  if (peer) await peer.prepare(nTime, nPx, missing);
  const time = quick ? 10 : 60;
  const speeds = { ours: [] };
  for (let round = 0; round < (quick ? 2 : ROUNDS); round++) {
    speeds.ours.push(await mpxPerSecond(ours.run, nPx, time, round === 0));
    const others = {
      'naive JS': await mpxPerSecond(naive, few, time, round === 0),
      ...(peer && (await peer.measure())),
    };
    for (const [name, value] of Object.entries(others)) {
      speeds[name] ??= [];
      speeds[name].push(value);
    }
  }
  peer?.end();
  k.exports.release(at);
  const { ours: own, ...rest } = speeds;
  const peers = Object.fromEntries(Object.entries(rest).map(([name, values]) => [name, middle(values)]));
  const speed = middle(own);
  return {
    case: `${nTime} dates, ${missing * 100} % missing, ${size}${series.peer ? `, against ${rival}` : ''}`,
    ours: speed,
    spread: (Math.max(...own) - Math.min(...own)) / speed,
    peers,
    ratio: speed / (peers[rival] ?? peers['naive JS']),
    // Other load hits the peer's process and ours unevenly; the best rounds of both were disturbed least.
    bestRatio: Math.max(...own) / Math.max(...(rest[rival] ?? rest['naive JS'])),
    // Without Python the bench only checks that ours beats the naive JavaScript.
    gate: peer ? gate : 1,
    aim: peer ? aim : null,
  };
}

/**
 * Runs the bench. `ratio` is ours to bottleneck, or to the naive JavaScript when no Python is given.
 * `quick` takes a second or two and asks no Python.
 */
export async function run({ quick = false, python } = {}) {
  const peer = quick ? null : await startPeer(python);
  const rows = [];
  try {
    for (const setting of quick ? SETTINGS.slice(0, 1) : SETTINGS) {
      for (const series of CASES) rows.push(await measureCase(series, setting, { quick, peer }));
    }
  } finally {
    peer?.close();
  }
  const against = peer ? 'bottleneck float32' : quick ? 'naive JS' : 'naive JS (no Python with bottleneck: skipped)';
  return { name: `median over time, u16, against ${against}`, unit: 'Mpx/s', rows };
}

function print({ name, unit, rows }) {
  console.log(`${name} (${unit})`);
  for (const row of rows) {
    const peers = Object.entries(row.peers).map(([peer, value]) => `${peer} ${value.toPrecision(3)}`);
    const goal = row.gate === null ? '' : `   gate ${row.gate}× ${row.ratio >= row.gate ? 'passed' : 'FAILED'}`;
    const speed = `${row.ours.toPrecision(3).padStart(6)} ± ${Math.round(row.spread * 50)} %`;
    const ratios = `${row.ratio.toFixed(1)}× (best rounds ${row.bestRatio.toFixed(1)}×)`;
    console.log(`  ${row.case.padEnd(34)} ${speed.padEnd(14)} ${ratios}${goal}   ${peers.join(', ')}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const result = await run({ quick: args.includes('--quick'), python: process.env.STACKWISE_PEER_PYTHON });
  print(result);
  const file = args[args.indexOf('--json') + 1];
  if (args.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (result.rows.some((row) => row.gate !== null && row.ratio < row.gate)) process.exitCode = 1;
}
