// Where GMLJP2 (OGC 05-047, 08-085) says that a picture lies: the RectifiedGrid of its coverage, from text that is not trusted.

import type { Affine } from '../geo/affine.js';
import { type Crs, parseCrs, UNKNOWN_CRS } from '../geo/crs.js';
import { isGeographicEpsg } from '../geo/epsg.js';

/** Projected systems whose first axis is the northing, as far as pictures are known to come in them. */
const NORTHING_FIRST: readonly number[] = [2180, 2193, 3034, 3035, 31466, 31467, 31468, 31469, 32661, 32761];

type Pair = readonly [number, number];

function numbersIn(text: string | undefined): Pair | null {
  const [x, y] = (text ?? '')
    .trim()
    .split(/[\s,]+/)
    .slice(0, 2)
    .map(Number);
  return x !== undefined && y !== undefined && Number.isFinite(x) && Number.isFinite(y) ? [x, y] : null;
}

/** The CRS of a srsName, or an unknown one. */
function crsOfName(name: string | undefined): Crs {
  const code = name && /epsg(?::|.*[:/#])(\d{4,6})$/i.exec(name.slice(0, 200).trim());
  return code ? parseCrs(`EPSG:${code[1]}`) : UNKNOWN_CRS;
}

/** True where the numbers stand as the registry has the axes, northing or latitude first. */
function isNorthingFirst(crs: Crs, srsName: string, grid: string): boolean {
  const { epsg } = crs;
  if (epsg === null || !/^(urn|https?):/i.test(srsName.trim())) return false;
  if (!isGeographicEpsg(epsg) && !NORTHING_FIRST.includes(epsg)) return false;
  const [, firstAxis = ''] = /<(?:\w+:)?axisName>\s*([^<]*)/.exec(grid) ?? [];
  return !/^easting/i.test(firstAxis);
}

/**
 * Pixel to ground and CRS of the first RectifiedGrid, (0, 0) the outer corner of the first pixel; null when the text has none with an
 * origin and two offset vectors. The origin is the centre of the first pixel.
 */
export function readGmlGrid(gml: string): { crs: Crs; affine: Affine } | null {
  const start = /<(?:\w+:)?RectifiedGrid[\s>]/.exec(gml);
  if (!start) return null;
  const rest = gml.slice(start.index);
  const end = /<\/(?:\w+:)?RectifiedGrid>/.exec(rest);
  const grid = rest.slice(0, end?.index);
  const origin = numbersIn(/<(?:\w+:)?(?:pos|coordinates)\b[^>]*>([^<]*)/.exec(grid)?.[1]);
  const vectors = [...grid.matchAll(/<(?:\w+:)?offsetVector\b[^>]*>([^<]*)/g)].map(([, text]) => numbersIn(text));
  const [col, row] = vectors;
  if (!origin || !col || !row) return null;
  const name = /srsName\s*=\s*["']([^"']*)/;
  const srsName = (name.exec(grid) ?? name.exec(gml))?.[1] ?? '';
  const crs = crsOfName(srsName);
  const turn = isNorthingFirst(crs, srsName, grid) ? ([x, y]: Pair): Pair => [y, x] : (pair: Pair): Pair => pair;
  const [[x, y], [a, d], [b, e]] = [turn(origin), turn(col), turn(row)];
  return { crs, affine: [a, b, x - (a + b) / 2, d, e, y - (d + e) / 2] };
}
