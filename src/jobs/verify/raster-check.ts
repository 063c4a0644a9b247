// A raster against what an item says of it.
import { type BandHeader, DTYPE_NAMES, type Raster, type RasterHeader } from '../../io/raster.js';
import { isObject, type Json } from '../../io/stac-item.js';

/** What is not as it should be: in one line with where it is. */
export interface Fault {
  what: string;
  wanted: string;
  got: string;
}

/** A value of a document for people. Not the whole of lists and objects: hostile documents nest deeper than can be written. */
export function shown(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Numbers of a list, NaN for what is none; null for what is no list. */
function numbersOf(value: unknown): number[] | null {
  if (!Array.isArray(value)) return null;
  return value.slice(0, 9).map((one: unknown) => (typeof one === 'number' ? one : Number.NaN));
}

/** What an item says of a band, nearest first. */
function saying(asset: Json, band: number): Json[] {
  const of = (field: string) => (Array.isArray(asset[field]) ? asset[field][band] : undefined);
  return [of('bands'), of('raster:bands'), asset].filter(isObject);
}

function firstOf(said: readonly Json[], field: string): unknown {
  return said.find((one) => one[field] !== undefined)?.[field];
}

/** A missing value as documents write it; undefined where it is none. */
function numberOf(said: unknown): number | null | undefined {
  if (typeof said === 'number' || said === null) return said;
  const words: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  return typeof said === 'string' ? words[said.toLowerCase()] : undefined;
}

function bandFaults({ dtype, nodata }: BandHeader, said: readonly Json[], label: string): Fault[] {
  const faults: Fault[] = [];
  const type = firstOf(said, 'data_type');
  const own = DTYPE_NAMES[dtype];
  if (typeof type === 'string' && type !== own) faults.push({ what: `${label}data_type`, wanted: type, got: own });
  const missing = numberOf(firstOf(said, 'nodata'));
  if (missing !== undefined && !Object.is(missing, nodata))
    faults.push({ what: `${label}nodata`, wanted: String(missing), got: String(nodata) });
  return faults;
}

/** Numbers within a millionth of a pixel. */
function sameTransform(said: readonly number[], affine: readonly number[]): boolean {
  const near = 1e-6 * Math.max(Math.abs(affine[0]!), Math.abs(affine[1]!));
  return affine.every((value, i) => Math.abs(value - (said[i] ?? Number.NaN)) <= near);
}

/** Size, place, types and missing values of a raster, as far as the item's asset (or, of data, the item itself) says them. */
export function rasterFaults(header: RasterHeader, asset: Json, properties: Json): Fault[] {
  const { width, height, grid, bands } = header;
  const faults: Fault[] = [];
  const isData = Array.isArray(asset.roles) && asset.roles.includes('data');
  const from = isData ? [asset, properties] : [asset];
  const shape = numbersOf(firstOf(from, 'proj:shape'));
  if (shape && (shape[0] !== height || shape[1] !== width))
    faults.push({ what: 'proj:shape', wanted: shape.join(' × '), got: `${height} × ${width}` });
  const transform = numbersOf(firstOf(from, 'proj:transform'));
  if (transform && !(grid && sameTransform(transform, grid.affine)))
    faults.push({
      what: 'proj:transform',
      wanted: transform.slice(0, 6).join(' '),
      got: grid ? grid.affine.join(' ') : 'none',
    });
  const list = asset.bands ?? asset['raster:bands'];
  if (Array.isArray(list) && list.length !== bands.length)
    faults.push({ what: 'bands', wanted: String(list.length), got: String(bands.length) });
  for (const [i, band] of bands.entries())
    faults.push(...bandFaults(band, saying(asset, i), bands.length > 1 ? `band ${i + 1} ` : ''));
  return faults;
}

/** Decodes every tile, for files that no sum vouches for; throws as the reader does. */
export async function decodeAll(raster: Raster, signal?: AbortSignal): Promise<void> {
  const { levels, bands } = raster.header;
  const all = bands.map((_, i) => i);
  for (const [level, { tilesAcross, tilesDown }] of levels.entries())
    for (let row = 0; row < tilesDown; row++)
      for (let col = 0; col < tilesAcross; col++) {
        signal?.throwIfAborted();
        await raster.readTile({ level, col, row }, all, () => {}, signal ? { signal } : {});
      }
}
