// Whole runs: read, mask, composite, write. Pixels a second and core (wall time of one thread, and processor time of everything),
// scaling to two threads beside two bare spinners, peak memory of a Sentinel-2 tile's worth of pixels.
//   node bench/composite.mjs [--quick] [--json FILE]
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { collection, stretched } from './collections.mjs';
import { spinners } from './spinners.mjs';

const child = fileURLToPath(new URL('./child/composite.mjs', import.meta.url));
const out = fileURLToPath(new URL('../build/bench/out', import.meta.url));
const run1 = promisify(execFile);
const GIB = 2 ** 30;

async function composite(source, options) {
  const { stdout } = await run1(process.execPath, [child, source, out, JSON.stringify(options)], {
    maxBuffer: 1 << 24,
  });
  rmSync(out, { recursive: true, force: true });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const middle = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Runs with one and two threads, alternated with the spinners. */
async function scaling(source, rounds) {
  const ratios = [];
  for (let i = 0; i < rounds; i++) {
    const one = await composite(source, { threads: 1 });
    const two = await composite(source, { threads: 2 });
    const machine = (await spinners(2)) / (await spinners(1));
    ratios.push({ ours: one.seconds / two.seconds, machine });
  }
  return { ours: middle(ratios.map((r) => r.ours)), machine: middle(ratios.map((r) => r.machine)) };
}

export async function run({ quick }) {
  if (quick) {
    const source = await collection('quick', { size: 128, dates: 6 });
    const { px, cpuSeconds } = await composite(source, { threads: 1 });
    return { name: 'composite', unit: 'px/s/core', rows: [{ case: '6 bands × 6 dates, 128²', ours: px / cpuSeconds }] };
  }
  const rows = [];
  const speed = async (name, source, options, { gate, aim, rounds = 3 }) => {
    const runs = [];
    for (let i = 0; i < rounds; i++) runs.push(await composite(source, { threads: 1, ...options }));
    const perCore = runs.map((r) => r.px / Math.max(r.seconds, r.cpuSeconds));
    rows.push({ case: name, ours: middle(perCore), best: Math.max(...perCore), gate, aim });
    rows.push({ case: `${name}: peak memory, GiB`, ours: Math.max(...runs.map((r) => r.peakBytes)) / GIB });
  };
  const mixed = await collection('mixed', { size: 1024, dates: 75, twentyMetreBands: 6, twins: false });
  await speed('4 + 6 bands × 75 dates, 512² tiles, decode factor 1', mixed, {}, { gate: 80_000, aim: 130_000 });
  const { ours, machine } = await scaling(stretched('tile2k', mixed, 2048), 3);
  rows.push({ case: 'two threads against one', ours, peers: { spinners: machine }, ratio: ours / machine, gate: 0.95 });
  const allFine = { twentyMetreBands: 6, allAtTenMetres: true };
  const fine = await collection('fine', { size: 1024, dates: 75, tileSize: 1024, twins: false, ...allFine });
  await speed(
    '10 bands × 75 dates, 1024² tiles, all at 10 m, 1 GiB',
    fine,
    { memoryLimitBytes: GIB },
    { gate: 30_000, aim: 60_000 },
  );
  const tile = stretched('tile', mixed, 9600);
  for (const limit of [1, 0.75]) {
    const large = await composite(tile, { threads: 2, memoryLimitBytes: limit * GIB });
    const name = `9600², two threads, limit ${limit} GiB`;
    rows.push({ case: `${name}: peak memory, GiB`, ours: large.peakBytes / GIB, gate: limit });
    rows.push({ case: `${name}: px/s/core`, ours: large.px / large.seconds / 2 });
  }
  return { name: 'composite', unit: 'px/s/core', rows };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await run({ quick: process.argv.includes('--quick') });
  console.table(result.rows);
  const json = process.argv.indexOf('--json');
  if (json > 0) writeFileSync(process.argv[json + 1], `${JSON.stringify(result, null, 2)}\n`);
}
