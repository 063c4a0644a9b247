import { describe, expect, it } from 'vitest';
import { type KernelDtype, Kernels } from '../../build/kernels/memory.js';
import { fuseInto, maskPlanesInto, statusInto } from '../../build/kernels/plane.js';
import { seeded } from '../random.ts';

const k = new Kernels();

/** A date [nBand][nPx] in wasm memory, bands further apart than they need be; `at` is the first sample of a band. */
function date(dtype: KernelDtype, bands: readonly number[][], nodata: number | null) {
  const nPx = bands[0]!.length;
  const bandStrideBytes = nPx * (dtype === 'f32' ? 4 : 2) + 64;
  const view = {
    ptr: k.alloc(bands.length * bandStrideBytes),
    dtype,
    nBand: bands.length,
    bandStrideBytes,
    nPx,
    nodata,
  };
  for (const [b, band] of bands.entries()) k[dtype](view.ptr + b * bandStrideBytes, nPx).set(band);
  return view;
}

function bandsOf(view: ReturnType<typeof date>): number[][] {
  return Array.from({ length: view.nBand }, (_, b) =>
    Array.from(k[view.dtype](view.ptr + b * view.bandStrideBytes, view.nPx)),
  );
}

describe('masking, status and fusing of dates', () => {
  for (const [dtype, nodata] of [
    ['u16', 0],
    ['u16', 65535],
    ['i16', -999],
    ['f32', null],
    ['u16', null],
  ] as const) {
    const missing = nodata ?? (dtype === 'f32' ? Number.NaN : null);
    const isMissing = (v: number) => Object.is(v, missing);
    const bandsAt = (nBand: number, nPx: number, random: () => number) =>
      Array.from({ length: nBand }, () =>
        Array.from({ length: nPx }, () =>
          missing !== null && random() < 0.4 ? missing : 1 + Math.floor(random() * 30000),
        ),
      );
    const statusOf = (bands: number[][], i: number) => {
      const valid = bands.filter((band) => !isMissing(band[i]!)).length;
      return valid === bands.length ? 2 : valid > 0 ? 1 : 0;
    };
    it(`${dtype}, missing ${missing}: first by time with all bands, else first with any`, () => {
      const random = seeded(29);
      for (const nPx of [64, 128, 192]) {
        for (const nBand of [1, 2, 3, 10]) {
          k.scope(() => {
            const [a, b] = [bandsAt(nBand, nPx, random), bandsAt(nBand, nPx, random)];
            const [target, source] = [date(dtype, a, nodata), date(dtype, b, nodata)];
            const [targetStatus, sourceStatus] = [k.alloc(nPx), k.alloc(nPx)];
            statusInto(k, target, targetStatus);
            statusInto(k, source, sourceStatus);
            expect(Array.from(k.u8(targetStatus, nPx))).toEqual(a[0]!.map((_, i) => statusOf(a, i)));
            fuseInto(k, target, targetStatus, source, sourceStatus);
            const better = a[0]!.map((_, i) => statusOf(b, i) > statusOf(a, i));
            expect(bandsOf(target)).toEqual(a.map((band, n) => band.map((v, i) => (better[i] ? b[n]![i]! : v))));
            expect(Array.from(k.u8(targetStatus, nPx))).toEqual(
              a[0]!.map((_, i) => Math.max(statusOf(a, i), statusOf(b, i))),
            );
          });
        }
      }
    });
    if (missing === null) continue;
    it(`${dtype}, missing ${missing}: masked pixels become missing in all bands`, () => {
      const random = seeded(31);
      k.scope(() => {
        const bands = bandsAt(3, 128, random);
        const view = date(dtype, bands, nodata);
        const mask = k.alloc(128);
        const marks = Array.from({ length: 128 }, (_, i) => (i > 40 && random() < 0.3 ? 1 : 0));
        k.u8(mask, 128).set(marks);
        maskPlanesInto(k, mask, view);
        expect(bandsOf(view)).toEqual(bands.map((band) => band.map((v, i) => (marks[i] ? missing! : v))));
      });
    });
  }
});
