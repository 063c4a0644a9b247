/**
 * Pixel to ground: x = a·col + b·row + c, y = d·col + e·row + f, in units of the CRS. (0, 0) is the outer corner of the
 * first pixel, (0.5, 0.5) its centre. The order is that of `proj:transform` and rasterio, not GDAL's.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Ground coordinates of a pixel position. */
export function pixelToGround(t: Affine, col: number, row: number): [x: number, y: number] {
  return [t[0] * col + t[1] * row + t[2], t[3] * col + t[4] * row + t[5]];
}

/** The ground-to-pixel affine. */
export function invert([a, b, c, d, e, f]: Affine): Affine {
  const det = a * e - b * d;
  return [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det];
}

/** True when rows run along x and columns along y, which is all that resampling within one CRS handles. */
export function isAxisAligned(t: Affine): boolean {
  return t[1] === 0 && t[3] === 0;
}
