// One run of chips in a process of its own: node bench/child/chips.mjs RASTER POINTS OPTIONS → seconds, peak memory, sums of chips.
import { readFileSync } from 'node:fs';
import { chipBatches, extractChips } from '../../build/index.js';

const [raster, file, text] = process.argv.slice(2);
const points = JSON.parse(readFileSync(file, 'utf8'));
const { batches = false, ...options } = JSON.parse(text);

const sums = [];
let decoded = 0;

/** Sums of the first points' chips, so that the peer's can be compared. */
function note({ data, shape, labels }) {
  const length = data.length / shape[0];
  for (const [i, { index, status }] of labels.entries()) {
    if (index >= 100 || status !== 'inside') continue;
    sums.push([
      [points[index][0], points[index][1]],
      data.subarray(i * length, (i + 1) * length).reduce((a, b) => a + b, 0),
    ]);
  }
}

const start = performance.now();
if (batches) {
  let report = null;
  for await (const batch of chipBatches(raster, points, { ...options, order: 'place', reuse: true, batchSize: 64 })) {
    if (batch.report !== report) decoded += batch.report.blocksDecoded;
    report = batch.report;
    note(batch);
  }
} else {
  const chips = await extractChips(raster, points, options);
  decoded = chips.report.blocksDecoded;
  note(chips);
}
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, decoded, sums, peakBytes: process.resourceUsage().maxRSS * 1024 }));
