// What can be drawn as a raster from segments for a day: LCMAP's products, the number of changes, the synthetic image.
import { InputError } from '../errors.js';
import type { Dtype, NumericArray } from '../io/raster.js';
import type { Changes } from './change.js';
import { SYNTHETIC_NODATA, syntheticImage } from './change-predict.js';
import { type ChangeProducts, changeProducts } from './change-products.js';
import { suggestion } from './suggest.js';

interface ProductFacts {
  /** The band's description; null for a band of each band of the input. */
  band: keyof ChangeProducts | null;
  title: string;
  dtype: Dtype & ('u8' | 'u16' | 'i16' | 'f32');
  /** Where nothing is known; 0 says that nothing changed. */
  nodata: number;
}

/** Products by their names, LCMAP's where it has one. */
export const PRODUCTS = {
  SCTIME: { band: 'timeOfChange', title: 'Time of spectral change: day of the year', dtype: 'u16', nodata: 65_535 },
  SCLAST: { band: 'timeSinceChange', title: 'Time since last change: days', dtype: 'u16', nodata: 65_535 },
  SCMAG: { band: 'changeMagnitude', title: 'Change magnitude', dtype: 'f32', nodata: Number.NaN },
  SCSTAB: { band: 'spectralStability', title: 'Spectral stability: days', dtype: 'u16', nodata: 65_535 },
  SCMQA: { band: 'modelQuality', title: 'Spectral model quality: curve QA', dtype: 'u8', nodata: 255 },
  SCCOUNT: { band: 'changeCount', title: 'Number of changes up to the day', dtype: 'u8', nodata: 255 },
  SYNTHETIC: { band: null, title: 'Synthetic image', dtype: 'i16', nodata: SYNTHETIC_NODATA },
} as const satisfies Record<string, ProductFacts>;

export type ProductName = keyof typeof PRODUCTS;

/** All but the synthetic image. */
export const USUAL_PRODUCTS = (Object.keys(PRODUCTS) as ProductName[]).filter((name) => name !== 'SYNTHETIC');

/** @throws InputError for a name that is none; upper and lower case are the same. */
export function productNames(names: readonly string[]): ProductName[] {
  const known = Object.keys(PRODUCTS);
  const found = names.map((text) => {
    const name = text.trim().toUpperCase();
    if (known.includes(name)) return name as ProductName;
    const close = suggestion(name, known);
    throw new InputError(`there is no product "${text}"${close}: give ${known.join(', ')}`, { option: 'product' });
  });
  if (found.length === 0) throw new InputError('no product is asked for', { option: 'product' });
  return [...new Set(found)];
}

export interface RasterRequest {
  /** An ordinal. */
  day: number;
  products: readonly ProductName[];
  /** Of the synthetic image. */
  bands: readonly string[];
  magnitudeBands?: readonly string[] | undefined;
}

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, i16: Int16Array, f32: Float32Array };

/** The largest value that says something: that above is nodata, where there is one. */
const mostOf = (dtype: ProductFacts['dtype']) => (dtype === 'u8' ? 254 : dtype === 'u16' ? 65_534 : Infinity);

/** Planes [nPx] of each product, in their types; pixels that failed are nodata. */
export function changeRasters(changes: Changes, request: RasterRequest): NumericArray[][] {
  const { segments, nPx, failures } = changes;
  const { day, products, bands, magnitudeBands } = request;
  const isUsual = products.some((name) => name !== 'SYNTHETIC');
  const values = isUsual ? changeProducts(segments, day, magnitudeBands ? { magnitudeBands } : {}) : null;
  return products.map((name) => {
    const { band, dtype, nodata } = PRODUCTS[name];
    if (band === null) return syntheticImage(segments, day, bands);
    const plane = new ARRAYS[dtype](nPx);
    const most = mostOf(dtype);
    for (let px = 0; px < nPx; px++) plane[px] = Math.min(most, values![band][px]!);
    for (const px of failures.keys()) plane[px] = nodata;
    return [plane];
  });
}
