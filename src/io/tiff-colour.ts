// YCbCr in TIFF blocks → RGB, as GDAL gives it. All other colours (palettes, white-is-zero, Lab) are read as stored.

/** The image's tags that say how luma and chroma make a colour. */
export interface YcbcrCoding {
  /** Luma chroma subsampling, horizontal and vertical: 1, 2 or 4. */
  subsampling: readonly [number, number];
  /** Share of red, green and blue in the luma. */
  luma: readonly [number, number, number];
  /** Black and white of Y, Cb and Cr. */
  reference: readonly number[];
}

export const DEFAULT_LUMA = [0.299, 0.587, 0.114] as const;
export const DEFAULT_REFERENCE = [0, 255, 128, 255, 128, 255] as const;

const clamp = (v: number): number => Math.min(Math.max(v, 0), 255);

/** Tables of libtiff's conversion, which is in 16-bit fixed point: TIFFYCbCrToRGBInit. */
export function ycbcrToRgb({
  luma,
  reference,
}: YcbcrCoding): (y: number, cb: number, cr: number, out: number[]) => void {
  const fix = (x: number): number => Math.trunc(x * 65536 + 0.5);
  const [red, green, blue] = luma;
  const f1 = 2 - 2 * red;
  const f3 = 2 - 2 * blue;
  const [d1, d2, d3, d4] = [fix(f1), -fix((red * f1) / green), fix(f3), -fix((blue * f3) / green)];
  const value = (c: number, black: number, white: number, range: number): number =>
    Math.trunc(((c - Math.trunc(black)) * range) / (white === black ? 1 : Math.trunc(white - black)));
  const [yBlack, yWhite, bBlack, bWhite, rBlack, rWhite] = reference as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const table = (entry: (x: number) => number): Int32Array =>
    Int32Array.from({ length: 256 }, (_, i) => entry(i - 128));
  const cr = (x: number): number => value(x, rBlack - 128, rWhite - 128, 127);
  const cb = (x: number): number => value(x, bBlack - 128, bWhite - 128, 127);
  const crRed = table((x) => (d1 * cr(x) + 32768) >> 16);
  const cbBlue = table((x) => (d3 * cb(x) + 32768) >> 16);
  const crGreen = table((x) => d2 * cr(x));
  const cbGreen = table((x) => d4 * cb(x) + 32768);
  const grey = table((x) => value(x + 128, yBlack, yWhite, 255));
  return (y, b, r, out) => {
    out[0] = clamp(grey[y]! + crRed[r]!);
    out[1] = clamp(grey[y]! + ((cbGreen[b]! + crGreen[r]!) >> 16));
    out[2] = clamp(grey[y]! + cbBlue[b]!);
  };
}

/** Bytes of a block of `width` × `height` px whose luma and chroma are packed in clumps of h × v px. */
export function clumpedBytes(width: number, height: number, [h, v]: readonly [number, number]): number {
  return Math.ceil(width / h) * Math.ceil(height / v) * (h * v + 2);
}

/** Clumps (h × v luma values, one Cb, one Cr) → RGB, [height][width][3]. */
export function rgbOfClumps(bytes: Uint8Array, width: number, height: number, coding: YcbcrCoding): Uint8Array {
  const [h, v] = coding.subsampling;
  const convert = ycbcrToRgb(coding);
  const out = new Uint8Array(width * height * 3);
  const rgb = [0, 0, 0];
  let at = 0;
  for (let row = 0; row < height; row += v) {
    for (let col = 0; col < width; col += h) {
      const cb = bytes[at + h * v]!;
      const cr = bytes[at + h * v + 1]!;
      for (let i = 0; i < h * v; i++) {
        const x = col + (i % h);
        const y = row + Math.floor(i / h);
        if (x >= width || y >= height) continue;
        convert(bytes[at + i]!, cb, cr, rgb);
        out.set(rgb, (y * width + x) * 3);
      }
      at += h * v + 2;
    }
  }
  return out;
}
