// Disk morphology of a cloud mask (opening 2, dilation 5: what odc-stats does to Sentinel-2 clouds), one thread: ours against
// scipy's distance transforms (odc-algo's way) and scipy's binary operations with disks. Speeds in Mpx/s, peers alternated with
// ours round by round on the same mask; judge by the ratios. The peers' results must equal ours pixel by pixel.
//   node bench/morph.mjs [--quick] [--json FILE]      STACKWISE_PEER_PYTHON names a Python with numpy and scipy
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { morphologyInto } from '../build/kernels/mask.js';
import { kernels } from '../build/kernels/memory.js';
import { seeded } from './random.mjs';

const SIZE = 2048;
const SEED = 42;
const ROUNDS = 5;
const STEPS = [
  { op: 'opening', radiusPx: 2 },
  { op: 'dilation', radiusPx: 5 },
];
/** Share of cloud, and how many times the speed of scipy's distance transforms is wanted: the gate and the aim. */
const CASES = [
  { share: 0.35, gate: 100, aim: 250 },
  { share: 0.05, gate: 100, aim: 250 },
];

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Clouds of discs of many sizes until their share is reached, ragged by lone pixels (bright roofs, holes). */
function cloudMask(share) {
  const random = seeded(SEED);
  const mask = new Uint8Array(SIZE * SIZE);
  for (let marked = 0; marked < share * mask.length; ) {
    const [cx, cy, r] = [random() * SIZE, random() * SIZE, 2 + 90 * random() ** 4];
    for (let y = Math.max(0, Math.ceil(cy - r)); y <= Math.min(SIZE - 1, cy + r); y++) {
      const half = Math.sqrt(r * r - (y - cy) ** 2);
      for (let x = Math.max(0, Math.ceil(cx - half)); x <= Math.min(SIZE - 1, cx + half); x++) {
        if (mask[y * SIZE + x] === 0) marked++;
        mask[y * SIZE + x] = 1;
      }
    }
  }
  for (let i = 0; i < mask.length; i++) if (random() < 0.005) mask[i] ^= 1;
  return mask;
}

/** The straight way in JavaScript: every step looks at the disk around every pixel. */
function naiveJs(mask, rows) {
  const step = (from, radius, value) => {
    const to = from.slice();
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < SIZE; x++) {
        if (from[y * SIZE + x] === value) continue;
        search: for (let dy = -radius; dy <= radius; dy++) {
          for (let dx = -radius; dx <= radius; dx++) {
            const [px, py] = [x + dx, y + dy];
            if (dx * dx + dy * dy > radius * radius) continue;
            const there = px < 0 || px >= SIZE || py < 0 || py >= rows ? 0 : from[py * SIZE + px];
            if (there !== value) continue;
            to[y * SIZE + x] = value;
            break search;
          }
        }
      }
    }
    return to;
  };
  const part = mask.subarray(0, rows * SIZE);
  return () => step(step(step(part, 2, 0), 2, 1), 5, 1);
}

/** The median speed of a slice of `time` ms. */
async function mpxPerSecond(run, pixels, time, warmup) {
  const bench = new Bench({ time, iterations: 3, warmup, warmupTime: warmup ? 60 : 0, warmupIterations: 3 });
  bench.add('morphology', run);
  const [task] = await bench.run();
  return pixels / (task.result.latency.p50 / 1000) / 1e6;
}

/** A Python process that measures on demand; null when there is none. */
async function startPeer(python) {
  if (!python) return null;
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const child = spawn(python, [fileURLToPath(new URL('peers/morph.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`bench/peers/morph.py ended at '${line}': are numpy and scipy installed in ${python}?`);
    return value;
  };
  return {
    /** Returns the SHA-256 of each peer's result. */
    prepare: async (mask) => {
      const file = join(folder, 'mask.u8');
      writeFileSync(file, mask);
      return JSON.parse(await ask(`${SIZE} ${file}`));
    },
    measure: async () => JSON.parse(await ask('run')),
    close: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ours, on a mask in wasm memory as a composite has it; every run starts from the same mask, and the copy counts. */
function ours(mask) {
  const k = kernels();
  const [ptr, kept] = [k.alloc(mask.length), k.alloc(mask.length)];
  k.u8(kept, mask.length).set(mask);
  return {
    run: () => {
      k.u8(ptr, mask.length).set(k.u8(kept, mask.length));
      morphologyInto(k, { ptr, width: SIZE, height: SIZE }, STEPS);
    },
    digest: () => createHash('sha256').update(k.u8(ptr, mask.length)).digest('hex'),
  };
}

async function measureCase({ share, gate, aim }, { quick, peer }) {
  const k = kernels();
  const at = k.exports.mark();
  const mask = cloudMask(share);
  const own = ours(mask);
  own.run();
  for (const [name, digest] of Object.entries(peer ? await peer.prepare(mask) : {})) {
    if (digest !== own.digest()) throw new Error(`the mask of ${name} is not ours`);
  }
  const rows = quick ? 32 : 128;
  const naive = naiveJs(mask, rows);
  const time = quick ? 20 : 100;
  const speeds = { ours: [] };
  for (let round = 0; round < (quick ? 2 : ROUNDS); round++) {
    speeds.ours.push(await mpxPerSecond(own.run, mask.length, time, round === 0));
    const others = {
      'naive JS': await mpxPerSecond(naive, rows * SIZE, time, false),
      ...(peer && (await peer.measure())),
    };
    for (const [name, value] of Object.entries(others)) {
      speeds[name] ??= [];
      speeds[name].push(value);
    }
  }
  k.exports.release(at);
  const { ours: all, ...rest } = speeds;
  const peers = Object.fromEntries(Object.entries(rest).map(([name, values]) => [name, middle(values)]));
  const speed = middle(all);
  return {
    case: `opening 2 + dilation 5, ${share * 100} % cloud`,
    ours: speed,
    spread: (Math.max(...all) - Math.min(...all)) / speed,
    peers,
    ratio: speed / (peers['scipy distance'] ?? peers['naive JS']),
    // Without the peer the bench only checks that ours beats the naive JavaScript.
    gate: peer ? gate : 1,
    aim: peer ? aim : null,
  };
}

/**
 * Runs the bench. `ratio` is ours to scipy's distance transforms, or to the naive JavaScript when no Python is given.
 * `quick` takes a second or two and asks no Python.
 */
export async function run({ quick = false, python } = {}) {
  const peer = quick ? null : await startPeer(python);
  const rows = [];
  try {
    for (const one of CASES) rows.push(await measureCase(one, { quick, peer }));
  } finally {
    peer?.close();
  }
  const against = peer ? "scipy's distance transforms" : 'naive JS';
  return { name: `disk morphology of a ${SIZE}² mask against ${against}`, unit: 'Mpx/s', rows };
}

function print({ name, unit, rows }) {
  console.log(`${name} (${unit})`);
  for (const row of rows) {
    const peers = Object.entries(row.peers).map(([peer, value]) => `${peer} ${value.toPrecision(3)}`);
    const goal = `gate ${row.gate}× ${row.ratio >= row.gate ? 'passed' : 'FAILED'}`;
    const spread = `± ${Math.round(row.spread * 50)} %`;
    console.log(
      `  ${row.case.padEnd(36)} ${row.ours.toPrecision(4).padStart(6)} ${spread.padEnd(8)} ${row.ratio.toFixed(1)}×   ${goal}   (${peers.join(', ')})`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const result = await run({ quick: args.includes('--quick'), python: process.env.STACKWISE_PEER_PYTHON });
  print(result);
  const file = args[args.indexOf('--json') + 1];
  if (args.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (result.rows.some((row) => row.ratio < row.gate)) process.exitCode = 1;
}
