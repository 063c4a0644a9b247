import type { Affine } from '../geo/affine.js';
import type { Crs, GeoKeys } from '../geo/crs.js';
import type { TagReader } from './tiff-directory.js';

const MODEL_PIXEL_SCALE = 33550;
const INTERGRAPH_MATRIX = 33920;
const MODEL_TIEPOINT = 33922;
const MODEL_TRANSFORMATION = 34264;
const GEO_KEYS = 34735;
const GEO_DOUBLES = 34736;
const GEO_TEXT = 34737;

const RASTER_TYPE = 1025;
const GEODETIC_CRS = 2048;
const PROJECTED_CRS = 3072;
const PIXEL_IS_POINT = 2;
const USER_DEFINED = 32767;
/** The GeoTIFF standard knows about 200 keys. */
const MAX_KEYS = 4096;

/** The GeoKeyDirectory with its doubles and texts put in; keys that point outside are left out. */
export async function readGeoKeys(tags: TagReader): Promise<GeoKeys | null> {
  const directory = await tags.numbers(GEO_KEYS, 4 + 4 * MAX_KEYS);
  if (!directory || directory.length < 4) return null;
  const doubles = (await tags.numbers(GEO_DOUBLES, 65536)) ?? new Float64Array(0);
  const text = (await tags.text(GEO_TEXT)) ?? '';
  const keys: Record<number, number | string | readonly number[]> = {};
  for (let at = 4; at + 4 <= directory.length && at < 4 + 4 * directory[3]!; at += 4) {
    const [id, where, count, value] = directory.subarray(at, at + 4) as unknown as [number, number, number, number];
    if (where === 0) {
      keys[id] = value;
    } else if (where === GEO_DOUBLES && value + count <= doubles.length) {
      keys[id] = count === 1 ? doubles[value]! : [...doubles.subarray(value, value + count)];
    } else if (where === GEO_TEXT && value <= text.length) {
      keys[id] = text.slice(value, value + count).replace(/\|$/, '');
    } else if (where === GEO_KEYS && value + count <= directory.length) {
      keys[id] = count === 1 ? directory[value]! : [...directory.subarray(value, value + count)];
    }
  }
  return keys;
}

/** The CRS that the keys name: its EPSG code where they give one, and always the keys themselves. */
export function crsOfKeys(geoKeys: GeoKeys | null): Crs {
  const code = (id: number): number | null => {
    const value = geoKeys?.[id];
    return typeof value === 'number' && value >= 1024 && value < USER_DEFINED ? value : null;
  };
  // A user-defined projection over a named datum is not that datum's own system.
  const projected = geoKeys?.[PROJECTED_CRS] !== undefined || geoKeys?.[1024] === 1;
  return { epsg: projected ? code(PROJECTED_CRS) : code(GEODETIC_CRS), definition: null, geoKeys };
}

/**
 * Pixel to ground, (0, 0) the outer corner of the first pixel, from the matrix or from scale and tie point; null when the file
 * has neither, or ties several points (ground control points, which are no affine).
 */
export async function readAffine(tags: TagReader, geoKeys: GeoKeys | null): Promise<Affine | null> {
  const scale = await tags.numbers(MODEL_PIXEL_SCALE, 3);
  const tie = await tags.numbers(MODEL_TIEPOINT, 6);
  const matrix = (await tags.numbers(MODEL_TRANSFORMATION, 16)) ?? (await tags.numbers(INTERGRAPH_MATRIX, 16));
  let affine: Affine | null = null;
  if (scale && scale.length >= 2 && scale[0] !== 0 && scale[1] !== 0 && tie && tags.count(MODEL_TIEPOINT) === 6) {
    const [i, j, , x, y] = tie as unknown as [number, number, number, number, number];
    const [sx, sy] = scale as unknown as [number, number];
    affine = [sx, 0, x - i * sx, 0, -Math.abs(sy), y + j * Math.abs(sy)];
  } else if (scale && scale.length >= 2 && scale[0] !== 0 && scale[1] !== 0 && tie && tie.length === 6 && !matrix) {
    const [i, j, , x, y] = tie as unknown as [number, number, number, number, number];
    affine = [scale[0]!, 0, x - i * scale[0]!, 0, -Math.abs(scale[1]!), y + j * Math.abs(scale[1]!)];
  } else if (matrix && matrix.length === 16) {
    affine = [matrix[0]!, matrix[1]!, matrix[3]!, matrix[4]!, matrix[5]!, matrix[7]!];
  }
  if (!affine?.every(Number.isFinite)) return null;
  if (geoKeys?.[RASTER_TYPE] !== PIXEL_IS_POINT) return affine;
  const [a, b, c, d, e, f] = affine;
  return [a, b, c - (a + b) / 2, d, e, f - (d + e) / 2];
}
