// Runs a chip of 100 × 100 pixels, made of chip20's over and over, and prints the peak memory of the process in MB.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectChip } from '../../build/index.js';

const [folder] = process.argv.slice(2);
const npy = (name, Type) => {
  const bytes = readFileSync(join(folder, name));
  return new Type(new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
};
const dates = npy('chip20_dates.npy', Int32Array);

/** Rows of 400 values as rows of 10 000. */
function repeated(values) {
  const out = new values.constructor(values.length * 25);
  for (let row = 0; row < values.length / 400; row++) {
    for (let i = 0; i < 25; i++) out.set(values.subarray(row * 400, row * 400 + 400), row * 10_000 + i * 400);
  }
  return out;
}

const data = repeated(npy('chip20_bands.npy', Int16Array));
const qa = repeated(npy('chip20_qa.npy', Uint16Array));
const { segments } = detectChip({ dates, data, qa, rows: 100, cols: 100, qaScheme: 'fmask' });
if (segments.startDay.length !== 505 * 25)
  throw new Error(`12625 segments are wanted, got ${segments.startDay.length}`);
console.log((process.resourceUsage().maxRSS / 1024).toFixed(0));
