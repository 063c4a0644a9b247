import { describe, expect, it } from 'vitest';
import { InputError } from '../../build/errors.js';
import { geomedian } from '../../build/kernels/geomedian.js';
import { seeded } from '../random.ts';
import { distance, geomedianOf, madsOf, middle, sumOfDistances } from '../reference/geomedian.ts';

type Points = number[][];
type Stack = Uint16Array | Int16Array | Float32Array;

/** Pixels as lists of observations → [nBand][nTime][nPx], padded with missing dates. */
function stackOf<T extends Stack>(
  data: T,
  pixels: readonly Points[],
  nBand: number,
  nTime: number,
  missing: number,
): T {
  data.fill(missing);
  pixels.forEach((points, x) => {
    points.forEach((point, t) => {
      point.forEach((value, b) => {
        data[(b * nTime + t) * pixels.length + x] = value;
      });
    });
  });
  expect(data.length).toBe(nBand * nTime * pixels.length);
  return data;
}

/** Runs pixels of u16 (0 missing) and returns the median of each. */
function mediansOf(pixels: readonly Points[], eps = 0.1): number[][] {
  const nBand = pixels[0]![0]!.length;
  const nTime = Math.max(...pixels.map((p) => p.length));
  const nPx = pixels.length;
  const data = stackOf(new Uint16Array(nBand * nTime * nPx), pixels, nBand, nTime, 0);
  const { median, count } = geomedian(data, { nBand, nTime, nPx, nodata: 0, eps });
  expect([...count]).toEqual(pixels.map((p) => p.length));
  return pixels.map((_, x) => Array.from({ length: nBand }, (_, b) => median[b * nPx + x]!));
}

const random = seeded(11);
const noise = () => random() + random() + random() + random() - 2;
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const clamp = (v: number) => Math.round(Math.min(65535, Math.max(1, v)));

/** Observations around a spectrum that get brighter and darker together, some of them clouds. */
function scene(nBand: number, n: number): Points {
  const spectrum = times(nBand, () => 300 + 4000 * random());
  return times(n, () => {
    const light = 1 + 0.08 * noise();
    const cloud = random() < 0.08 ? 3000 : 0;
    return spectrum.map((v) => clamp(v * light + 60 * noise() + cloud));
  });
}

describe('geometric median', () => {
  it('of the observations of the hdmedians tests', () => {
    const observations = [
      [693, 990, 1281, 2101, 3524, 2577],
      [606, 898, 1128, 1962, 2992, 2106],
      [509, 831, 932, 2287, 3113, 2188],
      [466, 796, 870, 2380, 2903, 1953],
      [527, 814, 888, 2456, 2835, 1841],
      [721, 966, 1227, 2249, 3577, 2693],
      [670, 926, 1213, 2218, 3574, 2719],
      [809, 1058, 1375, 2272, 3860, 2936],
      [864, 1115, 1454, 2299, 3630, 2843],
      [793, 1029, 1353, 2212, 3774, 3010],
      [849, 1143, 1592, 2483, 4121, 3138],
      [847, 1149, 1606, 2472, 4179, 3326],
      [841, 1146, 1609, 2487, 4200, 3375],
      [893, 1169, 1640, 2525, 4191, 3302],
      [833, 1099, 1556, 2478, 4190, 3367],
      [690, 978, 1296, 2603, 3844, 2945],
      [364, 706, 548, 3763, 2381, 1273],
      [666, 1084, 1527, 3130, 3665, 2435],
      [500, 749, 938, 2499, 3031, 2146],
      [558, 821, 1082, 2384, 3259, 2341],
      [756, 1058, 1456, 2287, 3306, 2501],
      [478, 590, 798, 1105, 1385, 990],
      [482, 710, 972, 1909, 2769, 1822],
      [248, 618, 378, 3899, 1921, 938],
      [308, 659, 522, 3281, 1987, 1100],
    ];
    const want = [684.9332, 962.1752, 1247.556, 2340.647, 3473.594, 2584.103];
    mediansOf([observations], 0.001)[0]!.forEach((v, b) => {
      expect(Math.abs(v - want[b]!)).toBeLessThan(1e-3);
    });
  });

  it('golden vectors of odc-stats: none, one, two, one more with a missing band, a duplicate', () => {
    const first = [0.1, 0.2, 0.3];
    const second = [0.3, 0.2, 0.5];
    const pixels: Points[] = [
      [],
      [first],
      [first, second],
      [first, second, [0.2, Number.NaN, 0.3]],
      [first, first, [0.4, 0.5, 0.1]],
    ];
    const shape = { nBand: 3, nTime: 3, nPx: pixels.length };
    const data = stackOf(new Float32Array(45), pixels, 3, 3, Number.NaN);
    const { median, count } = geomedian(data, { ...shape, eps: 1e-5 });
    const want = [Array(3).fill(Number.NaN), first, [0.2, 0.2, 0.4], [0.2, 0.2, 0.4], first];
    want.forEach((spectrum, x) => {
      spectrum.forEach((v, b) => {
        if (Number.isNaN(v)) expect(median[b * 5 + x]).toBeNaN();
        else expect(median[b * 5 + x]).toBeCloseTo(v, 6);
      });
    });
    expect([...count]).toEqual([0, 1, 2, 2, 3]);
  });

  it('agrees with the reference for 1 to 20 bands, in u16, i16 and f32, with missing bands and odd sizes', () => {
    for (const nBand of [1, 2, 3, 4, 6, 7, 10, 12, 13, 20]) {
      const nTime = 23;
      const pixels = times(13, (x) => scene(nBand, [0, 1, 2, 3, 4, 5, 7][x] ?? nTime));
      for (const type of ['u16', 'i16', 'f32'] as const) {
        const length = nBand * nTime * pixels.length;
        const shift = type === 'i16' ? -3000 : 0;
        const scale = type === 'f32' ? 1e-4 : 1;
        const moved = pixels.map((p) => p.map((o) => o.map((v) => (v + shift) * scale)));
        const data =
          type === 'f32'
            ? stackOf(new Float32Array(length), moved, nBand, nTime, Number.NaN)
            : stackOf(
                type === 'u16' ? new Uint16Array(length) : new Int16Array(length),
                moved,
                nBand,
                nTime,
                type === 'u16' ? 0 : -9999,
              );
        // One band of one date missing: the whole observation is.
        const broken = moved.map((p) => (p.length === nTime ? p.slice(1) : p));
        moved.forEach((p, x) => {
          if (p.length === nTime)
            data[(nBand - 1) * nTime * moved.length + x] = { u16: 0, i16: -9999, f32: Number.NaN }[type];
        });
        const nodata = { u16: 0, i16: -9999, f32: null }[type];
        const got = geomedian(data, { nBand, nTime, nPx: moved.length, nodata, mads: true, eps: 1e-3 * scale });
        broken.forEach((points, x) => {
          expect(got.count[x]).toBe(points.length);
          const y = times(nBand, (b) => got.median[b * moved.length + x]!);
          if (points.length === 0) {
            expect([...y, got.emad![x], got.smad![x], got.bcmad![x]].every(Number.isNaN)).toBe(true);
            return;
          }
          const want = nBand === 1 ? [middle(points.flat())] : geomedianOf(points);
          expect(distance(y, want)).toBeLessThan(5e-3 * scale);
          const [emad, smad, bcmad] = madsOf(points, want);
          expect(Math.abs(got.emad![x]! - emad)).toBeLessThan(5e-3 * scale);
          expect(Math.abs(got.smad![x]! - smad)).toBeLessThan(1e-5);
          expect(Math.abs(got.bcmad![x]! - bcmad)).toBeLessThan(1e-4 * Math.max(1, Math.abs(bcmad)));
        });
      }
    }
  });

  it('hard pixels: few dates, two clusters, flat valleys, coarse values, saturation', () => {
    const cloudOf = (centre: number[], spread: number) => centre.map((v) => clamp(v + spread * noise()));
    const spectrum = (nBand: number) => times(nBand, () => 1 + 3000 * random());
    for (const nBand of [2, 3, 6, 10, 14]) {
      const few = times(64, (x) => times(3 + (x % 6), () => spectrum(nBand).map(clamp)));
      const lopsided = times(32, (x) => {
        const [a, b] = [spectrum(nBand), spectrum(nBand)];
        return times(7 + 2 * (x % 5), (t) => cloudOf(t % 2 ? a : b, 40));
      });
      const valleys = times(32, (x) => {
        const direction = times(nBand, random);
        return times(5 + 2 * (x % 12), () => {
          const along = 2000 * noise();
          return cloudOf(
            direction.map((d) => 4000 + along * d),
            25,
          );
        });
      });
      const coarse = times(32, (x) => times(3 + (x % 9), () => cloudOf(Array(nBand).fill(100), 3)));
      const saturated = times(32, (x) =>
        times(4 + (x % 9), () => (random() < 0.5 ? Array(nBand).fill(65535) : spectrum(nBand).map(clamp))),
      );
      for (const pixels of [few, lopsided, valleys, coarse, saturated]) {
        for (const eps of [0.1, 0.001]) {
          mediansOf(pixels, eps).forEach((y, x) => {
            const points = pixels[x]!;
            const want = geomedianOf(points, 3000);
            const excess = sumOfDistances(points, y) - sumOfDistances(points, want);
            expect(excess / points.length).toBeLessThan(0.2 * eps);
          });
        }
      }
    }
  });

  it('degenerate pixels: identical, collinear, a majority point, an observation as median, zeros', () => {
    const same = times(9, () => [1200, 800, 2500]);
    const line = [1, 2, 3, 10, 11].map((t) => [100 * t, 50 * t, 20 * t]);
    const majority = [...times(4, () => [500, 600, 700]), [900, 100, 40], [10, 3000, 200], [4000, 40, 65535]];
    const star = [
      [1000, 1000, 1000],
      [1400, 1000, 1000],
      [600, 1000, 1000],
      [1000, 1300, 1000],
      [1000, 700, 1000],
    ];
    const medians = mediansOf([same, line, majority, star]);
    expect(medians).toEqual([same[0], line[2], majority[0], star[0]]);
    const zeros = geomedian(new Int16Array(3 * 5), { nBand: 3, nTime: 5, nPx: 1, nodata: -1, mads: true });
    expect([...zeros.median, ...zeros.emad!, ...zeros.smad!, ...zeros.bcmad!]).toEqual([0, 0, 0, 0, 0, 0]);
    const alone = geomedian(Uint16Array.of(7, 9), { nBand: 2, nTime: 1, nPx: 1, mads: true });
    expect([...alone.median, ...alone.emad!, ...alone.bcmad!]).toEqual([7, 9, 0, 0]);
    expect(alone.smad![0]).toBeLessThan(1e-7);
  });

  it('takes 130 to 2000 dates, and medians of so many deviations', () => {
    for (const nTime of [129, 130, 365, 2000]) {
      const points = scene(4, nTime);
      const data = stackOf(new Uint16Array(4 * nTime), [points], 4, nTime, 0);
      const got = geomedian(data, { nBand: 4, nTime, nPx: 1, nodata: 0, mads: true, eps: 0.001 });
      const want = geomedianOf(points, 500);
      expect(distance([...got.median], want)).toBeLessThan(5e-3);
      const mads = madsOf(points, want);
      [got.emad![0]!, got.smad![0]! * 1000, got.bcmad![0]! * 1000].forEach((v, i) => {
        expect(Math.abs(v - mads[i]! * (i ? 1000 : 1))).toBeLessThan(5e-3);
      });
    }
  });

  it('adds madShift for SMAD and BCMAD only', () => {
    const points = scene(5, 30);
    const data = stackOf(new Uint16Array(150), [points], 5, 30, 0);
    const shape = { nBand: 5, nTime: 30, nPx: 1, nodata: 0, mads: true };
    const plain = geomedian(data, shape);
    const shifted = geomedian(data, { ...shape, madShift: -100 });
    expect(shifted.median).toEqual(plain.median);
    expect(shifted.emad).toEqual(plain.emad);
    const [, smad, bcmad] = madsOf(points, [...plain.median], -100);
    expect(Math.abs(shifted.smad![0]! - smad)).toBeLessThan(1e-6);
    expect(Math.abs(shifted.bcmad![0]! - bcmad)).toBeLessThan(1e-6);
  });

  it('gives a pixel the same bits whatever its neighbours and its place', () => {
    for (const [nBand, nTime] of [
      [6, 40],
      [13, 20],
      [3, 9],
    ] as const) {
      const pixels = times(777, () => scene(nBand, 1 + Math.floor(random() * nTime)));
      const order = times(777, (i) => (i * 256) % 777);
      const run = (list: readonly Points[]) => {
        const data = stackOf(new Uint16Array(nBand * nTime * list.length), list, nBand, nTime, 0);
        return geomedian(data, { nBand, nTime, nPx: list.length, nodata: 0, mads: true });
      };
      const straight = run(pixels);
      const shuffled = run(order.map((i) => pixels[i]!));
      order.forEach((from, to) => {
        for (let b = 0; b < nBand; b++) {
          expect(shuffled.median[b * 777 + to]).toBe(straight.median[b * 777 + from]);
        }
        for (const name of ['emad', 'smad', 'bcmad', 'count'] as const) {
          expect(shuffled[name]![to]).toBe(straight[name]![from]);
        }
      });
    }
  });

  it('odd numbers of pixels, and u8, i32 and f64 data', () => {
    for (const nPx of [1, 3, 63, 64, 65]) {
      const pixels = times(nPx, () => times(5, () => times(3, () => 1 + Math.floor(200 * random()))));
      const u16 = stackOf(new Uint16Array(15 * nPx), pixels, 3, 5, 0);
      const shape = { nBand: 3, nTime: 5, nPx, nodata: 0 };
      const want = geomedian(u16, shape);
      expect(geomedian(Uint8Array.from(u16), shape)).toEqual(want);
      const whole = geomedian(Int32Array.from(u16), shape);
      const floats = geomedian(Float64Array.from(u16), shape);
      want.median.forEach((v, i) => {
        expect(Math.abs(whole.median[i]! - v)).toBeLessThan(0.2);
        expect(Math.abs(floats.median[i]! - v)).toBeLessThan(0.2);
      });
    }
    expect(geomedian(new Uint16Array(0), { nBand: 3, nTime: 0, nPx: 2 }).count).toEqual(new Uint16Array(2));
  });

  it('refuses sizes that do not fit and an eps that is not positive', () => {
    const data = new Uint16Array(12);
    expect(() => geomedian(data, { nBand: 2, nTime: 3, nPx: 3 })).toThrow(InputError);
    expect(() => geomedian(data, { nBand: 2, nTime: 3, nPx: 2, eps: 0 })).toThrow(InputError);
    expect(() => geomedian(new Uint16Array(0), { nBand: 0, nTime: 3, nPx: 2 })).toThrow(InputError);
  });
});
