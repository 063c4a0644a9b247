import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Changes,
  chipJson,
  countChips,
  InputError,
  type PixelResult,
  pixelsWithin,
  type ResultStore,
} from '../../../build/node.js';
import { joinChanges, pixelOf } from '../../../build/stats/change.js';
import { packRows } from '../../fixture/packed-rows.js';
import { NAMED, SMALL_GRID, someChip } from '../../fixture/results.js';

const PX = SMALL_GRID.chipPx;

/** What a naive reader of the whole chip says of one of its pixels. */
function expectPixel(got: Changes, whole: Changes, px: number): void {
  const { segments: s, dates } = whole;
  const [from, until] = [s.offsets[px]!, s.offsets[px + 1]!];
  const nBand = s.bandNames.length;
  expect(got.nPx).toBe(1);
  expect([...got.dates]).toEqual([...dates]);
  expect([...got.processingMask]).toEqual([...whole.processingMask].slice(px * dates.length, (px + 1) * dates.length));
  expect(got.cloudProbability[0]).toBe(whole.cloudProbability[px]);
  expect(got.snowProbability[0]).toBe(whole.snowProbability[px]);
  expect(got.waterProbability[0]).toBe(whole.waterProbability[px]);
  expect(got.failures.get(0)).toBe(whole.failures.get(px));
  expect([...got.segments.offsets]).toEqual([0, until - from]);
  for (const name of ['startDay', 'endDay', 'breakDay', 'observationCount', 'changeProbability', 'curveQa'] as const) {
    expect([...got.segments[name]], name).toEqual([...s[name]].slice(from, until));
  }
  for (const name of ['magnitude', 'rmse', 'intercept'] as const) {
    expect([...got.segments[name]], name).toEqual([...s[name]].slice(from * nBand, until * nBand));
  }
  expect([...got.segments.coefficients]).toEqual([...s.coefficients].slice(from * nBand * 7, until * nBand * 7));
}

/** Pixels `from` to `end` − 1, each by itself. */
const pixelsOf = (changes: Changes, from: number, end: number) =>
  Array.from({ length: end - from }, (_, i) => pixelOf(changes, from + i));

async function all(pixels: AsyncIterable<PixelResult>): Promise<PixelResult[]> {
  const found: PixelResult[] = [];
  for await (const pixel of pixels) found.push(pixel);
  return found;
}

/** What all result stores do alike. `open` gives an empty one on {@link SMALL_GRID}. */
export function describeResultStore(name: string, open: () => Promise<ResultStore>): void {
  describe(name, () => {
    let store: ResultStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('gives back a chip as it was written, with failures and their reasons', async () => {
      const chip = someChip(2, 3, { failed: [0, 7, 15] });
      await store.write(chip);
      expect(await store.chip(NAMED, { h: 2, v: 3 })).toEqual(chip);
      expect(store.grid).toEqual(SMALL_GRID);
    });

    it('takes a chip packed in parts as it takes the whole one', async () => {
      const chip = someChip(2, 3, { failed: [0, 7, 15] });
      const { changes, ...facts } = chip;
      const cuts = [0, 1, 9, PX * PX];
      const parts = cuts.slice(1).map((end, i) => packRows(joinChanges(pixelsOf(changes, cuts[i]!, end))));
      await store.writePacked({ ...facts, parts });
      expect(await store.chip(NAMED, { h: 2, v: 3 })).toEqual(chip);
      const range = { hMin: 2, vMin: 3, hMax: 2, vMax: 3 };
      const packed = await store.summaries(NAMED, range);
      await store.write(chip);
      expect(packed).toEqual(await store.summaries(NAMED, range));
    });

    it('refuses a packed chip that is not whole, or of no chip that can be', async () => {
      const { changes, ...facts } = someChip(2, 3);
      const whole = packRows(changes);
      const part = packRows(joinChanges(pixelsOf(changes, 0, 9)));
      for (const [given, message] of [
        [{ ...facts, parts: [part] }, 'chip 2, 3: 16 pixels are wanted, got 9'],
        [{ ...facts, parts: [] }, 'chip 2, 3: 16 pixels are wanted, got 0'],
        [{ ...facts, parts: [whole, part] }, 'chip 2, 3: 16 pixels are wanted, got 25'],
        [{ ...facts, parts: [whole], inputsMd5: 'none' }, 'chip 2, 3: inputsMd5 must be an MD5'],
        [{ ...facts, parts: [whole], producedMs: Number.NaN }, 'chip 2, 3: producedMs must be a time'],
        [{ ...facts, parts: [whole], h: 0.5 }, 'no chip 0.5, 3: whole numbers are wanted'],
      ] as const) {
        const refused = store.writePacked(given);
        await expect(refused).rejects.toThrow(InputError);
        await expect(refused).rejects.toThrow(message);
      }
      expect(await store.chip(NAMED, { h: 2, v: 3 })).toBeNull();
    });

    it('gives the pixels of a chip one by one, all of one moment', async () => {
      const chip = someChip(2, 3, { failed: [0, 7] });
      await store.write(chip);
      const pixels = (await store.pixels(NAMED, { h: 2, v: 3 }))!;
      await store.write(someChip(2, 3, { seed: 4 }));
      expect(pixels.chip).toEqual({ ...pixels.chip, h: 2, v: 3, inputsMd5: chip.inputsMd5, failed: 2 });
      for (let px = 0; px < PX * PX; px++) expectPixel(pixels.pixel(px), chip.changes, px);
      expect([...chipJson(store, pixels)].join('')).toBe([...chipJson(store, chip)].join(''));
      expect(await store.pixels(NAMED, { h: 3, v: 3 })).toBeNull();
    });

    it('has nothing of a chip that did not run', async () => {
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toBeNull();
      expect(await store.pixel(NAMED, { x: 0, y: 0 })).toBeNull();
      expect(await store.summaries(NAMED, { hMin: -5, vMin: -5, hMax: 5, vMax: 5 })).toEqual([]);
      expect(await store.remove(NAMED, { h: 0, v: 0 })).toBe(false);
      expect(await all(pixelsWithin(store, NAMED, [0, 0, 100, 100]))).toEqual([]);
    });

    it('tells "ran, and found nothing" from "did not run"', async () => {
      const chip = someChip(0, 0);
      const empty = { ...chip.changes.segments, offsets: new Uint32Array(PX * PX + 1) };
      for (const key of ['startDay', 'endDay', 'breakDay', 'observationCount'] as const) empty[key] = new Int32Array(0);
      for (const key of ['magnitude', 'rmse', 'intercept', 'coefficients', 'changeProbability'] as const) {
        empty[key] = new Float64Array(0);
      }
      empty.curveQa = new Uint8Array(0);
      await store.write({ ...chip, changes: { ...chip.changes, segments: empty } });
      const pixel = await store.pixel(NAMED, { x: -1000, y: 5000 });
      expect(pixel?.chip).toMatchObject({ withSegments: 0, empty: PX * PX, failed: 0 });
      expect([...pixel!.changes.segments.offsets]).toEqual([0, 0]);
      expect(await store.pixel(NAMED, { x: -1000 + 10 * PX, y: 5000 })).toBeNull();
    });

    it('finds each pixel by any point of it', async () => {
      const chip = someChip(-1, 1, { failed: [5] });
      await store.write(chip);
      for (let px = 0; px < PX * PX; px++) {
        const x = -1000 - 10 * PX + 10 * (px % PX);
        const y = 5000 - 10 * PX - 10 * Math.floor(px / PX);
        for (const [dx, dy] of [
          [0, 0],
          [9.999, 9.999],
          [5, 5],
        ] as const) {
          const found = await store.pixel(NAMED, { x: x + dx, y: y - dy });
          expect(found).toMatchObject({ x, y, chip: { h: -1, v: 1, inputsMd5: chip.inputsMd5, failed: 1 } });
          expectPixel(found!.changes, chip.changes, px);
        }
      }
    });

    it('replaces a chip that is written again, and only that one', async () => {
      await store.write(someChip(0, 0, { seed: 1, failed: [3] }));
      await store.write(someChip(1, 0, { seed: 2 }));
      const again = someChip(0, 0, { seed: 9 });
      for (let i = 0; i < 2; i++) await store.write(again);
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toEqual(again);
      expect(await store.chip(NAMED, { h: 1, v: 0 })).toEqual(someChip(1, 0, { seed: 2 }));
      const summaries = await store.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 1, vMax: 0 });
      expect(summaries.map(({ inputsMd5, failed }) => [inputsMd5, failed])).toEqual([
        [again.inputsMd5, 0],
        [someChip(1, 0, { seed: 2 }).inputsMd5, 0],
      ]);
    });

    it('does not change with the arrays it was given, nor they with what it gives', async () => {
      const chip = someChip(0, 0);
      await store.write(chip);
      chip.changes.segments.magnitude.fill(0);
      const first = await store.chip(NAMED, { h: 0, v: 0 });
      expect(first).toEqual(someChip(0, 0));
      first!.changes.segments.magnitude.fill(0);
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toEqual(someChip(0, 0));
    });

    it('removes a chip with all its pixels', async () => {
      await store.write(someChip(0, 0));
      await store.write(someChip(0, 1));
      expect(await store.remove(NAMED, { h: 0, v: 0 })).toBe(true);
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toBeNull();
      expect(await store.pixel(NAMED, { x: -1000, y: 5000 })).toBeNull();
      expect(await store.chip(NAMED, { h: 0, v: 1 })).toEqual(someChip(0, 1));
    });

    it('keeps algorithms apart, also where one name begins another', async () => {
      const other = someChip(0, 0, { seed: 5 });
      other.changes.algorithm = `${NAMED}.1`;
      await store.write(someChip(0, 0));
      await store.write(other);
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toEqual(someChip(0, 0));
      expect(await store.chip(`${NAMED}.1`, { h: 0, v: 0 })).toEqual(other);
      expect(await store.summaries(NAMED, { hMin: 0, vMin: 0, hMax: 0, vMax: 0 })).toHaveLength(1);
      expect(await store.chip('lcmap', { h: 0, v: 0 })).toBeNull();
    });

    it('lists the chips of a range row by row, and no others', async () => {
      const cells = [-2, -1, 0, 1, 2].flatMap((v) => [-2, -1, 0, 1, 2].map((h) => ({ h, v })));
      for (const { h, v } of cells.toReversed()) await store.write(someChip(h, v));
      for (const range of [
        { hMin: -2, vMin: -2, hMax: 2, vMax: 2 },
        { hMin: -1, vMin: 0, hMax: 1, vMax: 1 },
        { hMin: 1, vMin: -1, hMax: 1, vMax: 2 },
        { hMin: 2, vMin: -9, hMax: 99, vMax: 99 },
        { hMin: 3, vMin: -9, hMax: 99, vMax: 99 },
        { hMin: -99, vMin: 2, hMax: -2, vMax: 2 },
        { hMin: 1, vMin: 0, hMax: 0, vMax: 0 },
        { hMin: -(2 ** 31), vMin: -(2 ** 31), hMax: 2 ** 31 - 1, vMax: 2 ** 31 - 1 },
      ]) {
        const found = (await store.summaries(NAMED, range)).map(({ h, v }) => ({ h, v }));
        const wanted = cells.filter(
          ({ h, v }) => h >= range.hMin && h <= range.hMax && v >= range.vMin && v <= range.vMax,
        );
        expect(found, JSON.stringify(range)).toEqual(wanted);
      }
    });

    it('counts complete, incomplete and missing chips of a tile', async () => {
      expect(await countChips(store, NAMED, { h: 1, v: 0 })).toEqual({ complete: 0, incomplete: 0, missing: 9 });
      for (const [h, v] of [
        [3, 0],
        [5, 2],
        [4, 1],
        [2, 1], // of the tile to the left
        [3, 3], // of the tile below
      ] as const) {
        await store.write(someChip(h, v, { failed: h === 4 ? [2] : [] }));
      }
      expect(await countChips(store, NAMED, { h: 1, v: 0 })).toEqual({ complete: 2, incomplete: 1, missing: 6 });
    });

    it('finds the pixels whose centres lie in a box', async () => {
      for (const h of [0, 1]) for (const v of [0, 1]) await store.write(someChip(h, v, { seed: 1 + h + 2 * v }));
      const side = 10 * PX;
      // From the middle of the third pixel to that of the sixth, and down from the top.
      const box = [-1000 + 25, 5000 - 15, -1000 + 55, 5001] as const;
      const found = await all(pixelsWithin(store, NAMED, box));
      const places = found.map(({ x, y }) => `${x + 1000} ${5000 - y}`);
      expect(places).toEqual(['20 0', '30 0', '40 0'].concat([]));
      for (const { x, y, chip, changes } of found) {
        const whole = (await store.chip(NAMED, chip))!;
        expectPixel(changes, whole.changes, ((5000 - y) / 10) * PX + ((x + 1000) % side) / 10);
      }
      expect(await all(pixelsWithin(store, NAMED, [-1000, 5000 - 2 * side, -1000 + 2 * side, 5000]))).toHaveLength(
        4 * PX * PX,
      );
      expect(await all(pixelsWithin(store, NAMED, [-1000, 4990, -990, 5000]))).toHaveLength(1);
      expect(await all(pixelsWithin(store, NAMED, [-999, 4999, -998, 5000]))).toHaveLength(0);
    });

    it('takes nothing that is no chip', async () => {
      const chip = someChip(0, 0);
      const refused = async (what: Partial<typeof chip>, message: RegExp) => {
        const error = await store.write({ ...chip, ...what }).catch((e) => e);
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toMatch(message);
      };
      await refused({ changes: { ...chip.changes, nPx: 3 } }, /^chip 0, 0: 16 pixels are wanted, got 3$/);
      await refused({ inputsMd5: 'x' }, /inputsMd5 must be an MD5/);
      await refused({ producedMs: Number.NaN }, /producedMs must be a time, got NaN/);
      await refused({ producedMs: 1e16 }, /producedMs must be a time/);
      const { segments } = chip.changes;
      for (const wrong of [
        { processingMask: chip.changes.processingMask.subarray(1) },
        { snowProbability: new Float64Array(3) },
        { segments: { ...segments, offsets: segments.offsets.subarray(0, 16) } },
        { segments: { ...segments, offsets: segments.offsets.map((n, i) => (i === 3 ? 99 : n)) } },
        { segments: { ...segments, curveQa: segments.curveQa.subarray(1) } },
        { segments: { ...segments, bandNames: ['a'] } },
      ]) {
        await refused({ changes: { ...chip.changes, ...wrong } }, /^chip 0, 0: its arrays do not fit together$/);
      }
      await refused({ h: 0.5 }, /no chip 0.5, 0/);
      await refused({ v: 2 ** 31 }, /no chip 0, 2147483648/);
      await refused({ changes: { ...chip.changes, algorithm: '' } }, /algorithm's name must be/);
      await refused({ changes: { ...chip.changes, algorithm: 'a\0b' } }, /algorithm's name must be/);
      expect(await store.chip(NAMED, { h: 0, v: 0 })).toBeNull();
      await expect(store.pixel(NAMED, { x: Number.NaN, y: 0 })).rejects.toThrow(InputError);
      await expect(store.chip('ä', { h: 0, v: 0 })).rejects.toThrow(InputError);
      const nowhere = store.summaries(NAMED, { hMin: Number.NaN, vMin: 0, hMax: 1, vMax: 1 });
      await expect(nowhere).rejects.toThrow(InputError);
      await expect(all(pixelsWithin(store, NAMED, [1, 0, 0, 1]))).rejects.toThrow(/bbox must be left/);
    });
  });
}
