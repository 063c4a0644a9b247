// PyCCD itself beside us on perturbed series: skipped without STACKWISE_CCDC_PYTHON (see bench/ccdc.mjs).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { detect, PYCCD_BANDS, toJSON } from '../../build/index.js';
import { type PeerCase, type PeerSeries, perturbed } from '../fixture/perturb.ts';
import { pixelSeries } from '../fixture/pixel-series.ts';
import { seeded } from '../random.ts';
import { type PyccdAnswer, resultDifferences } from '../reference/pyccd.ts';

const python = process.env.STACKWISE_CCDC_PYTHON;
const data = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
/** Series; STACKWISE_CCDC_PIXELS for more, STACKWISE_CCDC_SEED for others. */
const N_SERIES = Number(process.env.STACKWISE_CCDC_PIXELS ?? 40);

interface Answer {
  result?: PyccdAnswer;
  error?: string;
  noise: string[];
}

/** PyCCD as a process. */
function peer() {
  const child = spawn(python!, [resolve(import.meta.dirname, '../fixture/pyccd.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run({ dates, bands, qa, params, dtype }: PeerCase): Promise<Answer> {
      child.stdin.write(`${JSON.stringify({ dates, bands, qa, params, dtype })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('PyCCD ended: see the lines before');
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

function bases(): (PeerSeries & { name: string })[] {
  const made = Array.from({ length: 20 }, (_, seed) => {
    const { dates, qa, bands } = pixelSeries(seed, { stepDays: [8, 16, 4][seed % 3]! });
    const byName = Object.fromEntries(PYCCD_BANDS.map((name, b) => [name, [...bands[b]!]]));
    return { name: `made ${seed}`, dates: [...dates], qa: [...qa], bands: byName, bitpacked: false };
  });
  const file = join(data, 'ccdc', 'pixels.json');
  return existsSync(file) ? [...JSON.parse(readFileSync(file, 'utf8')).pixels, ...made] : made;
}

function ours({ dates, bands, qa, params, dtype }: PeerCase): PyccdAnswer {
  const typed = Object.entries(bands).map(([name, values]) => [
    name,
    dtype === 'int16' ? Int16Array.from(values) : Int32Array.from(values),
  ]);
  return toJSON(detect({ dates, bands: Object.fromEntries(typed), qa, params }));
}

describe.skipIf(!python)('PyCCD itself on perturbed series (skipped without STACKWISE_CCDC_PYTHON)', () => {
  it('has the same structure and numbers', { timeout: 60_000 + 2000 * N_SERIES }, async () => {
    const random = seeded(Number(process.env.STACKWISE_CCDC_SEED ?? 1));
    const all = bases();
    const pyccd = peer();
    let nCompared = 0;
    const found: string[] = [];
    for (let i = 0; i < N_SERIES; i++) {
      const series = perturbed(all[Math.floor(random() * all.length)]!, random);
      const { result, error, noise } = await pyccd.run(series);
      // PyCCD's weights are noise where two pairs of Tmask's columns are equal, and all is where a band is constant.
      if (noise.includes('year') || noise.includes('constant')) continue;
      if (!result) {
        found.push(`${series.name}: PyCCD stops with ${error}`);
        continue;
      }
      nCompared++;
      found.push(...resultDifferences(ours(series), result).map((text) => `${series.name}: ${text}`));
    }
    pyccd.close();
    expect(found).toEqual([]);
    expect(nCompared).toBeGreaterThan(N_SERIES / 2);
  });
});
