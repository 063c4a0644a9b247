import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractChips } from '../../build/index.js';

const data = process.env.STACKWISE_DATA ?? path.resolve(import.meta.dirname, '../../../shared/data');
const belgium = path.join(data, 's2-l2a-belgium-31UDS');
const togo = path.join(data, 'chip-togo-s2-s1-era5/98-togo_2019-02-06_2020-02-01.tif');

/** Row and column of each point, and the sum of its 5 × 5 window of B04 on 2018-06-03, filled with 0: rasterio 1.4.4, pyproj 3.7.2. */
const BY_RASTERIO = [
  [0, 0, 7069],
  [63, 63, 9643],
  [32, 32, 33082],
  [17, 8, 14628],
  [32, 15, 10405],
  [63, 57, 16874],
  [60, 48, 21204],
  [26, 12, 11254],
  [-50, -51, 0],
] as const;
const THIRD = [
  1328, 1440, 1462, 1478, 1488, 1334, 1384, 1438, 1422, 1456, 1376, 1362, 1422, 1438, 1438, 1178, 1040, 1286, 1504,
  1420, 711, 708, 993, 1528, 1448,
];

describe.skipIf(!existsSync(belgium))('real scenes (skipped without STACKWISE_DATA)', () => {
  it('give the windows that rasterio reads', async () => {
    const points = path.join(belgium, 'points.geojson');
    const chips = await extractChips(path.join(belgium, 'items.json'), points, {
      size: 2,
      bands: ['red', 'nir'],
      datetime: '2018-06-01/2018-06-30',
      threads: 2,
    });
    const t = chips.times.findIndex(({ label }) => label === '2018-06-03');
    const [, nTime, nBand] = chips.shape;
    expect(nBand).toBe(2);
    const sums = BY_RASTERIO.map((_, i) => {
      const first = (i * nTime + t) * nBand * 25;
      return [...chips.data.subarray(first, first + 25)].reduce((sum, value) => sum + value, 0);
    });
    expect(sums).toEqual(BY_RASTERIO.map(([, , sum]) => sum));
    const third = (2 * nTime + t) * nBand * 25;
    expect([...chips.data.subarray(third, third + 25)]).toEqual(THIRD);
    for (const [i, [row, col]] of BY_RASTERIO.entries()) {
      const { status, transform } = chips.labels[i]!;
      if (row < 0) expect(status).toBe('outside');
      else expect([transform![2], transform![5]]).toEqual([501360 + 10 * (col - 2), 5629680 - 10 * (row - 2)]);
    }
    const document = JSON.parse(readFileSync(points, 'utf8'));
    expect(chips.labels.map(({ properties }) => properties)).toEqual(
      document.features.map((f: { properties: object }) => f.properties),
    );
    // Files of four blocks, all of which some chip touches.
    expect(chips.report.blocksDecoded).toBe(nTime * nBand * 4);
  });

  it('of two pixel sizes are refused by name', async () => {
    const attempt = extractChips(path.join(belgium, 'items.json'), [[3.02, 50.815]], {
      size: 2,
      bands: ['B02', 'B05'],
    });
    await expect(attempt).rejects.toThrow(/B05 of .* has pixels of 20, and B02 of 10/);
  });
});

describe.skipIf(!existsSync(togo))('a real training chip (skipped without STACKWISE_DATA)', () => {
  it('is cut into its months', async () => {
    const middle = [1.422033094761203 + 8.5 * 0.000089831528412, 7.720301214779991 - 8.5 * 0.000089831528412];
    const all = await extractChips(togo, [middle], { size: 8, threads: 0 });
    expect(all.labels[0]!.status).toBe('inside');
    expect(all.dtype).toBe('f64');
    const nBand = all.shape[2];
    const one = await extractChips(togo, [middle], { size: 0, threads: 0 });
    expect([...one.data]).toEqual(Array.from({ length: nBand }, (_, b) => all.data[b * 289 + 144]));
  });
});
