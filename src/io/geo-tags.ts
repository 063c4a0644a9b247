import type { Crs, GeoKeys } from '../geo/crs.js';
import { geoKeysFromCrs } from '../geo/geokeys.js';
import type { Grid } from '../geo/grid.js';
import { asciiTag, TIFF_TYPE, type TiffTag } from './tiff-tags.js';

const MODEL_PIXEL_SCALE = 33550;
const MODEL_TIEPOINT = 33922;
const MODEL_TRANSFORMATION = 34264;
const GEO_KEYS = 34735;
const GEO_DOUBLES = 34736;
const GEO_TEXT = 34737;

const RASTER_TYPE = 1025;
const PIXEL_IS_AREA = 1;

/** Keys whose value is a double even when it is a whole number (GeoTIFF 1.1, annex D): sizes, angles, scales, epoch. */
function isDouble(id: number): boolean {
  return [2053, 2055, 2057, 2058, 2059, 2061, 2062, 3077, 5120].includes(id) || (id >= 3078 && id <= 3096);
}

/** The GeoKey directory with its doubles and its text. */
function geoKeyTags(keys: GeoKeys): TiffTag[] {
  // The grid's affine speaks of corners, so a source that counted from pixel centres is area here.
  const all: GeoKeys = { ...keys, [RASTER_TYPE]: PIXEL_IS_AREA };
  const entries = Object.entries(all)
    .map(([id, value]) => [Number(id), value] as const)
    .sort(([p], [q]) => p - q);
  const directory: number[] = [1, 1, 0, entries.length];
  const doubles: number[] = [];
  let text = '';
  for (const [id, value] of entries) {
    if (typeof value === 'string') {
      const piece = `${value.replace(/\|$/, '')}|`;
      directory.push(id, GEO_TEXT, new TextEncoder().encode(piece).length, new TextEncoder().encode(text).length);
      text += piece;
    } else if (isDouble(id) || (typeof value !== 'number' && value.length !== 1)) {
      const numbers = typeof value === 'number' ? [value] : value;
      directory.push(id, GEO_DOUBLES, numbers.length, doubles.length);
      doubles.push(...numbers);
    } else {
      directory.push(id, 0, 1, typeof value === 'number' ? value : value[0]!);
    }
  }
  return [
    { id: GEO_KEYS, type: TIFF_TYPE.short, values: directory },
    ...(doubles.length > 0 ? [{ id: GEO_DOUBLES, type: TIFF_TYPE.double, values: doubles }] : []),
    ...(text ? [asciiTag(GEO_TEXT, text)] : []),
  ];
}

/** The position on the ground: scale and corner for a north-up grid, the full matrix for any other. */
function placeTags([a, b, c, d, e, f]: Grid['affine']): TiffTag[] {
  if (b === 0 && d === 0 && a > 0 && e < 0) {
    return [
      { id: MODEL_PIXEL_SCALE, type: TIFF_TYPE.double, values: [a, -e, 0] },
      { id: MODEL_TIEPOINT, type: TIFF_TYPE.double, values: [0, 0, 0, c, f, 0] },
    ];
  }
  const matrix = [a, b, 0, c, d, e, 0, f, 0, 0, 0, 0, 0, 0, 0, 1];
  return [{ id: MODEL_TRANSFORMATION, type: TIFF_TYPE.double, values: matrix }];
}

/** True for a CRS of which nothing is known: such a file gets a position but no keys. */
function isUnknown(crs: Crs): boolean {
  return crs.epsg === null && crs.definition === null && crs.geoKeys === null;
}

/** Tags of a grid: where it lies and in which reference system. */
export function geoTags(grid: Grid): TiffTag[] {
  return [...placeTags(grid.affine), ...(isUnknown(grid.crs) ? [] : geoKeyTags(geoKeysFromCrs(grid.crs)))];
}
