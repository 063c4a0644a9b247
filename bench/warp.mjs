// One u16 band of a Sentinel-2 tile's corner, 3 % missing, from UTM zone 31 to 32 at 10 m: in memory, one thread, the transform included.
// Ours against GDAL's warp at its usual error threshold (0.125 px; ours is 0.001 px) and, for the eye, with exact positions. Speeds in
// Mpx/s of the target, the peer alternated with ours round by round on the same pixels; judge by the ratios. The exact peer's pixels must
// be ours but for a thousandth (nearest), or within 1.
//   node bench/warp.mjs [--quick] [--json FILE]      STACKWISE_GDAL_PYTHON names a Python with GDAL and numpy
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseCrs } from '../build/geo/crs.js';
import { cellsUnder, pixelTransform } from '../build/geo/reproject.js';
import { kernels } from '../build/kernels/memory.js';
import { warpInto } from '../build/kernels/warp.js';
import { seeded } from './random.mjs';

const SIZE = 4096;
const ROUNDS = 7;
const NODATA = 0;
const SOURCE = { crs: 'EPSG:32631', affine: [10, 0, 690_000, 0, -10, 5_660_000] };
const TARGET = { crs: 'EPSG:32632', affine: [10, 0, 270_000, 0, -10, 5_662_000] };
const CASES = [
  { method: 'nearest', peer: 'near', gate: 0.7, aim: 1.2 },
  { method: 'bilinear', peer: 'bilinear', gate: 0.7, aim: 1.2 },
  { method: 'cubic', peer: 'cubic', gate: 0.7, aim: 1.2 },
];

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Fields of 40 px with noise, and round gaps as clouds leave them. */
export function picture(size) {
  const random = seeded(17);
  const fields = Array.from({ length: 128 * 128 }, () => 600 + 3000 * random());
  const values = new Uint16Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++)
      values[y * size + x] = fields[((y / 40) & 127) * 128 + ((x / 40) & 127)] + 60 * random();
  }
  for (let gaps = 0; gaps < 0.03 * values.length; ) {
    const [cx, cy, r] = [random() * size, random() * size, 2 + 60 * random() ** 4];
    for (let y = Math.max(0, Math.ceil(cy - r)); y <= Math.min(size - 1, cy + r); y++) {
      const half = Math.sqrt(r * r - (y - cy) ** 2);
      for (let x = Math.max(0, Math.ceil(cx - half)); x <= Math.min(size - 1, cx + half); x++, gaps++)
        values[y * size + x] = NODATA;
    }
  }
  return values;
}

const gridOf = ({ crs, affine }, size) => ({ crs: parseCrs(crs), affine, width: size, height: size });

/** Ours: cells and pixels anew in every run, on a source and a target that lie in wasm memory as a composite's do. */
async function ours(values, size) {
  const k = kernels();
  const [ptr, out] = [k.alloc(values.byteLength), k.alloc(values.byteLength)];
  k.u16(ptr, values.length).set(values);
  const [source, target] = [gridOf(SOURCE, size), gridOf(TARGET, size)];
  const transform = await pixelTransform(target, source);
  return {
    run: (method) => {
      k.u16(out, values.length).fill(NODATA);
      const cells = cellsUnder(transform, { col: 0, row: 0, width: size, height: size }, source);
      const under = { cells, originCol: 0, originRow: 0, firstCol: 0, firstRow: 0, ratioX: 1, ratioY: 1, method };
      const plane = { dtype: 'u16', width: size, height: size, nodata: NODATA };
      warpInto(k, { ...plane, ptr }, under, { ...plane, ptr: out });
    },
    result: () => k.u16(out, values.length),
  };
}

/** A Python process that warps on demand; null when there is none. */
async function startPeer(python, values, size) {
  if (!python) return null;
  const folder = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
  const file = join(folder, 'source.u16');
  writeFileSync(file, values);
  const child = spawn(python, [fileURLToPath(new URL('peers/warp.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`bench/peers/warp.py ended at '${line}': are GDAL and numpy installed in ${python}?`);
    return value;
  };
  await ask(JSON.stringify({ file, size, nodata: NODATA, source: SOURCE, target: TARGET }));
  return {
    warp: async (method, threshold) => JSON.parse(await ask(`${method} ${threshold}`)),
    close: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ours must be the exact peer's pixels, but for a thousandth. */
function compare(method, got, file) {
  const bytes = readFileSync(file);
  const theirs = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  let [bad, valid] = [0, 0];
  for (let i = 0; i < got.length; i++) {
    if (got[i] === NODATA && theirs[i] === NODATA) continue;
    valid++;
    const missing = got[i] === NODATA || theirs[i] === NODATA;
    if (missing || Math.abs(got[i] - theirs[i]) > (method === 'nearest' ? 0 : 1)) bad++;
  }
  if (valid < got.length / 4 || bad > valid / 1000)
    throw new Error(`${method}: ${bad} of ${valid} pixels are not GDAL's`);
}

async function measureCase({ method, peer: name, gate, aim }, { own, peer, size, rounds }) {
  own.run(method);
  if (peer) compare(method, own.result(), (await peer.warp(name, 0)).file);
  const speeds = { ours: [], GDAL: [], 'GDAL exact': [] };
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    own.run(method);
    speeds.ours.push((size * size) / (performance.now() - start) / 1000);
    if (!peer) continue;
    speeds.GDAL.push((await peer.warp(name, 0.125)).mpx);
    if (round < 2) speeds['GDAL exact'].push((await peer.warp(name, 0)).mpx);
  }
  const speed = middle(speeds.ours);
  const peers = peer ? { GDAL: middle(speeds.GDAL), 'GDAL exact': middle(speeds['GDAL exact']) } : {};
  return {
    case: `${method}, u16, ${size}²`,
    ours: speed,
    spread: (Math.max(...speeds.ours) - Math.min(...speeds.ours)) / speed,
    peers,
    // Without the peer the bench only shows ours.
    ratio: peer ? speed / peers.GDAL : null,
    gate: peer ? gate : null,
    aim: peer ? aim : null,
  };
}

export const pythonVariable = 'STACKWISE_GDAL_PYTHON';

/** Runs the bench. `ratio` is ours to GDAL's at its usual error threshold. `quick` takes a second and asks no Python. */
export async function run({ quick = false, python } = {}) {
  const size = quick ? 512 : SIZE;
  const values = picture(size);
  const k = kernels();
  const at = k.exports.mark();
  const peer = quick ? null : await startPeer(python, values, size);
  const rows = [];
  try {
    const own = await ours(values, size);
    for (const one of CASES) rows.push(await measureCase(one, { own, peer, size, rounds: quick ? 3 : ROUNDS }));
  } finally {
    peer?.close();
    k.exports.release(at);
  }
  return { name: `warp of a band from UTM 31 to 32 at 10 m${peer ? ', against GDAL' : ''}`, unit: 'Mpx/s', rows };
}

function print({ name, unit, rows }) {
  console.log(`${name} (${unit})`);
  for (const row of rows) {
    const peers = Object.entries(row.peers).map(([peer, value]) => `${peer} ${value.toPrecision(3)}`);
    const goal = row.gate ? `gate ${row.gate}× ${row.ratio >= row.gate ? 'passed' : 'FAILED'}` : 'no peer';
    const ratio = row.ratio === null ? '' : `${row.ratio.toFixed(2)}×`;
    const spread = `± ${Math.round(row.spread * 50)} %`;
    console.log(
      `  ${row.case.padEnd(24)} ${row.ours.toPrecision(4).padStart(6)} ${spread.padEnd(8)} ${ratio}   ${goal}   (${peers.join(', ')})`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const result = await run({ quick: args.includes('--quick'), python: process.env[pythonVariable] });
  print(result);
  const file = args[args.indexOf('--json') + 1];
  if (args.includes('--json')) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (result.rows.some((row) => row.gate !== null && row.ratio < row.gate)) process.exitCode = 1;
}
