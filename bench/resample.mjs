// One band onto a finer or coarser grid of its own CRS, in memory, one thread, in strips of 16 rows as a composite's: from 20 m to 10 m
// as Sentinel-2's, without and with 3 % missing, by a third, and back. Speeds in Mpx/s of the target. There is no peer: compare with
// an earlier build's figures.
//   node bench/resample.mjs [--quick] [--json FILE]      node bench/run.mjs --compare FILE resample
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kernels } from '../build/kernels/memory.js';
import { placeAverageInto, placeBilinearInto } from '../build/kernels/plane.js';
import { picture } from './warp.mjs';

const SIZE = 2048;
const STRIP_ROWS = 16;
const ROUNDS = 15;
const WARM_UP = 10;
const ARRAYS = { u16: Uint16Array, f32: Float32Array };
const CASES = [
  { name: 'bilinear 2:1, u16', dtype: 'u16', scale: 1 / 2, place: placeBilinearInto },
  { name: 'bilinear 2:1, u16, 3 % missing', dtype: 'u16', scale: 1 / 2, gaps: true, place: placeBilinearInto },
  { name: 'bilinear 2:1, f32', dtype: 'f32', scale: 1 / 2, place: placeBilinearInto },
  { name: 'bilinear 3:1, u16', dtype: 'u16', scale: 1 / 3, place: placeBilinearInto },
  { name: 'bilinear 3:1, u16, 3 % missing', dtype: 'u16', scale: 1 / 3, gaps: true, place: placeBilinearInto },
  { name: 'average 1:2, u16', dtype: 'u16', scale: 2, place: placeAverageInto },
  { name: 'average 1:2, u16, 3 % missing', dtype: 'u16', scale: 2, gaps: true, place: placeAverageInto },
];

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function measure({ name, dtype, scale, gaps = false, place }, { size, rounds }) {
  const k = kernels();
  const at = k.exports.mark();
  // A pixel around, as a block's source has.
  const own = Math.ceil(size * scale) + 2;
  // Without gaps the missing value is looked for all the same.
  const values = ARRAYS[dtype].from(picture(own), (value) => (gaps ? value : value || 1));
  const [ptr, out] = [k.alloc(values.byteLength), k.alloc(size * STRIP_ROWS * values.BYTES_PER_ELEMENT)];
  k[dtype](ptr, values.length).set(values);
  const source = { ptr, dtype, width: own, height: own, nodata: 0 };
  const target = { ptr: out, dtype, width: size, height: STRIP_ROWS, nodata: dtype === 'f32' ? null : 0 };
  const x = { scale, offset: 0, first: 0, origin: -1 };
  const run = () => {
    for (let row = 0; row < size; row += STRIP_ROWS) place(k, source, { x, y: { ...x, first: row } }, target);
  };
  const speeds = [];
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const start = performance.now();
    run();
    if (round >= WARM_UP) speeds.push(size ** 2 / (performance.now() - start) / 1000);
  }
  k.exports.release(at);
  const ours = middle(speeds);
  const spread = (Math.max(...speeds) - Math.min(...speeds)) / ours;
  return { case: `${name}, ${size}²`, ours, spread, peers: {}, ratio: null, gate: null, aim: null };
}

/** Runs the bench; `quick` takes a second. */
export async function run({ quick = false } = {}) {
  const sizes = quick ? { size: 512, rounds: 3 } : { size: SIZE, rounds: ROUNDS };
  return { name: 'resampling along the axes', unit: 'Mpx/s', rows: CASES.map((one) => measure(one, sizes)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const result = await run({ quick: args.includes('--quick') });
  console.log(`${result.name} (${result.unit})`);
  for (const row of result.rows) {
    console.log(`  ${row.case.padEnd(40)} ${row.ours.toPrecision(4).padStart(6)} ± ${Math.round(row.spread * 50)} %`);
  }
  if (args.includes('--json')) writeFileSync(args[args.indexOf('--json') + 1], `${JSON.stringify(result, null, 2)}\n`);
}
