import { describe, expect, it } from 'vitest';
import { RowPacker, unpackRows } from '../../../build/jobs/change/packed-rows.js';
import { RowWriter, TablePixel } from '../../../build/jobs/change/result-bytes.js';
import type { Changes } from '../../../build/stats/change.js';
import { packRows } from '../../fixture/packed-rows.js';
import { someChanges } from '../../fixture/results.js';

/** Rows of a table one after the other, as they are written one by one. */
function rowsOf(changes: Changes): { bytes: Buffer; ends: number[] } {
  const writer = new RowWriter();
  const rows = Array.from({ length: changes.nPx }, (_, px) => writer.row(changes, px).slice());
  let end = 0;
  const ends = rows.map((row) => {
    end += row.length;
    return end;
  });
  return { bytes: Buffer.concat(rows), ends };
}

function expectRows(changes: Changes, packed: ReturnType<typeof packRows>): void {
  const { bytes, ends } = rowsOf(changes);
  expect(Buffer.compare(packed.bytes, bytes)).toBe(0);
  expect([...packed.ends]).toEqual(ends);
  expect(unpackRows([packed])).toEqual(changes);
}

describe('packed rows', () => {
  it('are those of each pixel in order, of more bytes than a piece and of none', () => {
    const changes = someChanges(5000, { failed: [0, 17, 4999], nTime: 423, nBand: 7 });
    const packed = packRows(changes);
    expect(packed.bytes.length).toBeGreaterThan(2 * 2 ** 20);
    expectRows(changes, packed);
    expect(packed.counts.failed).toBe(3);
    const { withSegments, empty, failed } = packed.counts;
    expect(withSegments + empty + failed).toBe(5000);
    expect(packRows(someChanges(0)).bytes.length).toBe(0);
  });

  it('take a row that is longer than a piece', () => {
    const reason = 'é'.repeat(2 ** 20);
    const changes = someChanges(3, { failed: [1] });
    expectRows(changes, packRows(changes));
    const long = { ...changes, failures: new Map([[1, reason]]) };
    expectRows(long, packRows(long));
  });

  it('come out anew of a packer that is used again, and keep nothing of what was before', () => {
    const packer = new RowPacker();
    const pixel = new TablePixel();
    for (const changes of [someChanges(3000, { nTime: 423, nBand: 7 }), someChanges(40, { seed: 2 })]) {
      packer.begin(changes.nPx);
      for (let px = 0; px < changes.nPx; px++) packer.found(pixel.take(changes, px));
      const { algorithm, dates, segments } = changes;
      const { bandNames, avgDaysYr } = segments;
      expectRows(changes, packer.rows({ algorithm, dates, bandNames, avgDaysYr }));
    }
  });
});
