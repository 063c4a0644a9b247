// Runs every bench of this folder and prints one table: ours beside the peers, ratios, gates and aims.
// node bench/run.mjs [--quick] [--json FILE] [--compare FILE] [name…]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, compare: { type: 'string' } },
});
const names = readdirSync(here)
  .filter((name) => name.endsWith('.mjs') && !['run.mjs', 'collections.mjs', 'random.mjs'].includes(name))
  .map((name) => name.replace('.mjs', ''))
  .filter((name) => positionals.length === 0 || positionals.includes(name));

const results = [];
let failed = false;
for (const name of names) {
  const bench = await import(pathToFileURL(join(here, `${name}.mjs`)).href);
  if (!bench.run) continue;
  try {
    results.push({
      bench: name,
      // A bench that wants another Python than most names its variable.
      ...(await bench.run({
        quick: values.quick,
        python: process.env[bench.pythonVariable ?? 'STACKWISE_PEER_PYTHON'],
      })),
    });
  } catch (error) {
    failed = true;
    console.error(`${name}: ${error.stack ?? error}`);
  }
}

const before = new Map();
if (values.compare) {
  for (const { bench, rows } of JSON.parse(readFileSync(values.compare, 'utf8'))) {
    for (const row of rows) before.set(`${bench} ${row.case}`, row.ours);
  }
}
const number = (value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : '');
for (const { bench, unit, rows } of results) {
  console.log(`\n${bench} (${unit})`);
  console.table(
    rows.map((row) => ({
      case: row.case,
      ours: number(row.ours),
      ...Object.fromEntries(Object.entries(row.peers ?? {}).map(([peer, value]) => [peer, number(value)])),
      ratio: number(row.ratio),
      gate: row.gate ?? '',
      aim: row.aim ?? '',
      ...(before.has(`${bench} ${row.case}`) && {
        'before/now': number(before.get(`${bench} ${row.case}`) / row.ours),
      }),
    })),
  );
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
process.exitCode = failed ? 1 : 0;
