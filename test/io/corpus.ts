import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileStore } from '../../build/io/file.js';
import { openRaster } from '../../build/io/open-raster.js';
import { readWindow } from '../../build/io/window.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const data = path.resolve(root, process.env.STACKWISE_DATA ?? '../shared/data');

type Special = number | 'nan' | 'inf' | '-inf';

export interface ExpectedBand {
  dtype: string;
  nodata: Special | null;
  checksum?: number;
  min?: Special;
  max?: Special;
  mean?: Special;
  samples?: [number, number, Special][];
  read_error?: string;
  note?: string;
  scale?: number;
  offset?: number;
}

export interface Expected {
  driver?: string;
  width: number;
  height: number;
  bands: number;
  geotransform: number[] | null;
  epsg?: string;
  compression: string | null;
  band_info: ExpectedBand[];
  error?: string;
}

/** What GDAL 3.6 says of each file of a corpus, or null where the corpus is not there. */
export function readCorpus(name: string): { folder: string; files: [string, Expected][] } | null {
  const folder = path.join(data, name);
  const list = path.join(folder, 'expected.json');
  if (!existsSync(list)) return null;
  return { folder, files: Object.entries(JSON.parse(readFileSync(list, 'utf8')) as Record<string, Expected>) };
}

/** True when GDAL decodes the file and its values are known. */
export function hasValues(expected: Expected): boolean {
  return (
    expected.driver === 'GTiff' && !expected.error && !expected.band_info.some((band) => band.read_error || band.note)
  );
}

export const isTiff = (name: string): boolean => /\.tiff?$/i.test(name);

const DTYPES: Record<string, string[]> = {
  // GDAL 3.6 gives signed bytes as bytes.
  Byte: ['u8', 'i8'],
  UInt16: ['u16'],
  Int16: ['i16'],
  UInt32: ['u32'],
  Int32: ['i32'],
  UInt64: ['u64'],
  Int64: ['i64'],
  Float32: ['f32'],
  Float64: ['f64'],
};
const PRIMES = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43];

/** GDALChecksumImage of an integer band. */
function checksum(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum = (sum + (Math.min(values[i]!, 2 ** 31 - 1) % PRIMES[i % 11]!)) & 0xffff;
  }
  return sum;
}

/** Least, most and mean of what is not NaN. */
function summary(values: ArrayLike<number>): { n: number; least: number; most: number; mean: number } {
  let [n, least, most, sum] = [0, Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    n++;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { n, least, most, mean: sum / n };
}

const asNumber = (value: Special): number =>
  value === 'nan' ? Number.NaN : value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value;

const near = (got: number, want: number, tolerance: number): boolean =>
  Object.is(got, want) || got === want || Math.abs(got - want) <= tolerance + 1e-9 * Math.abs(want);

function compareBand(values: ArrayLike<number>, width: number, want: ExpectedBand, tolerance: number): string[] {
  const found: string[] = [];
  for (const [col, row, value] of want.samples ?? []) {
    const got = values[row * width + col]!;
    if (!near(got, asNumber(value), tolerance)) found.push(`[${col}, ${row}] is ${got}, not ${value}`);
  }
  const { n, least, most, mean } = summary(values);
  if (want.min !== undefined && want.max !== undefined && n > 0 && want.min !== 'nan') {
    if (!near(least, asNumber(want.min), tolerance) || !near(most, asNumber(want.max), tolerance)) {
      found.push(`from ${least} to ${most}, not ${want.min} to ${want.max}`);
    }
    if (typeof want.mean === 'number' && !near(mean, want.mean, tolerance + 1e-6 * Math.abs(want.mean))) {
      found.push(`mean is ${mean}, not ${want.mean}`);
    }
  }
  const whole = !want.dtype.startsWith('Float') && !want.dtype.endsWith('64');
  if (whole && tolerance === 0 && want.checksum !== undefined) {
    const got = checksum(values);
    if (got !== want.checksum) found.push(`checksum is ${got}, not ${want.checksum}`);
  }
  return found;
}

/** Reads a file whole and says how it differs from what GDAL reads; an empty list when it does not. */
export async function compareFile(url: string, expected: Expected): Promise<string[]> {
  const raster = await openRaster(url, { store: fileStore() });
  try {
    const { width, height, bands } = raster.header;
    const found: string[] = [];
    if (width !== expected.width || height !== expected.height || bands.length !== expected.bands) {
      found.push(`${width} × ${height} × ${bands.length}`);
    }
    const all = bands.map((_, i) => i);
    const arrays = await readWindow(raster, { level: 0, window: { col: 0, row: 0, width, height }, bands: all });
    const tolerance = expected.compression?.includes('JPEG') ? 2 : 0;
    expected.band_info?.forEach((want, i) => {
      const dtype = bands[i]?.dtype;
      if (!dtype || !DTYPES[want.dtype]?.includes(dtype)) found.push(`band ${i + 1} is ${dtype}, not ${want.dtype}`);
      if (!arrays[i]) return;
      const unsigned = dtype === 'i8' ? (v: number) => v & 255 : (v: number) => v;
      const plain = dtype !== 'i8' && !dtype?.endsWith('64');
      const values = plain
        ? (arrays[i] as ArrayLike<number>)
        : Array.from(arrays[i] as ArrayLike<number | bigint>, (v) => unsigned(Number(v)));
      const signed = dtype === 'i8' && asNumber(want.min ?? 0) < 0;
      const given = signed ? Array.from(arrays[i] as ArrayLike<number>) : values;
      const { checksum: sum, ...rest } = want;
      found.push(
        ...compareBand(
          given,
          width,
          signed ? rest : { ...rest, ...(sum !== undefined && { checksum: sum }) },
          tolerance,
        ),
      );
    });
    const affine = raster.header.grid?.affine;
    const transform = affine && [affine[2], affine[0], affine[1], affine[5], affine[3], affine[4]];
    if ((transform === undefined) !== (expected.geotransform === null)) found.push(`affine is ${affine}`);
    else if (transform?.some((v, i) => !near(v, expected.geotransform![i]!, 1e-12))) found.push(`affine is ${affine}`);
    return found;
  } finally {
    await raster.close();
  }
}
