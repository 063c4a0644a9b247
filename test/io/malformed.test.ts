import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { StackwiseError } from '../../build/errors.js';
import { compareFile, hasValues, readCorpus } from './corpus.js';

const corpus = readCorpus('malformed');
const title = 'malformed files';
const TIME_LIMIT_MS = 10_000;
const RSS_LIMIT_BYTES = 700 * 2 ** 20;

describe.skipIf(!corpus)(corpus ? title : `${title} (skipped: there is no corpus)`, () => {
  const outcomes = new Map<string, number>();
  const before = process.memoryUsage().rss;

  for (const [name, expected] of corpus?.files ?? []) {
    it(
      name,
      async () => {
        let outcome = 'read to the values of GDAL';
        try {
          const differences = await compareFile(path.join(corpus!.folder, name), expected);
          expect(hasValues(expected), `GDAL refuses it, and here it is read: ${differences}`).toBe(true);
          expect(differences).toEqual([]);
        } catch (error) {
          if ((error as Error).name === 'AssertionError') throw error;
          expect(error, String((error as Error).stack)).toBeInstanceOf(StackwiseError);
          outcome = `${hasValues(expected) ? 'GDAL has values' : 'GDAL refuses'}, here ${(error as Error).name}`;
        }
        expect(process.memoryUsage().rss - before).toBeLessThan(RSS_LIMIT_BYTES);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      },
      TIME_LIMIT_MS,
    );
  }

  afterAll(() => {
    console.log(`${title}:\n${[...outcomes].map(([what, n]) => `${String(n).padStart(4)}  ${what}`).join('\n')}`);
  });
});
