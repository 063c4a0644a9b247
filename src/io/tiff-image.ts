import { FormatError, UnsupportedError } from '../errors.js';
import type { BlockForm } from '../kernels/codec.js';
import { rowBytes } from '../kernels/codec.js';
import type { Dtype, Level } from './raster.js';
import { DEFAULT_LUMA, DEFAULT_REFERENCE, type YcbcrCoding } from './tiff-colour.js';
import type { TagReader } from './tiff-directory.js';

/** A tile may not take more memory than this once it is decompressed. */
const MAX_BLOCK_BYTES = 512 * 2 ** 20;
/** GDAL's limit, and that of the affine's exactness by far. */
const MAX_SIDE = 2 ** 31 - 1;
const MAX_BANDS = 65535;

/** One image of a TIFF file: all that is needed to find and decode its blocks. */
export interface TiffImage {
  level: Level;
  nBand: number;
  dtype: Dtype;
  compression: number;
  photometric: number;
  /** True when the blocks are strips: for messages. */
  strips: boolean;
  form: BlockForm;
  /** How YCbCr is coded in the blocks, or null: other colours are read as stored. */
  ycbcr: YcbcrCoding | null;
  /** Tables shared by all JPEG blocks. */
  jpegTables: Uint8Array | null;
  /** [version, additional compression] */
  lerc: readonly number[] | null;
}

const SAMPLE_FORMATS = ['', 'unsigned', 'signed', 'float', 'untyped', 'complex integer', 'complex float'];

/** The dtype that samples of a format and bit depth come as; odd depths come in the next wider integer, short floats as f32. */
function dtypeOf(url: string, format: number, bits: number): Dtype {
  const refuse = (): never => {
    throw new UnsupportedError(
      `${url}: ${bits}-bit ${SAMPLE_FORMATS[format] ?? `format ${format}`} samples are not read`,
      {
        url,
      },
    );
  };
  if (format === 3) {
    if (bits === 16 || bits === 24 || bits === 32) return 'f32';
    return bits === 64 ? 'f64' : refuse();
  }
  if (format === 2) {
    if (bits === 8) return 'i8';
    if (bits === 16) return 'i16';
    if (bits === 32) return 'i32';
    return bits === 64 ? 'i64' : refuse();
  }
  if (format !== 1 && format !== 4) return refuse();
  if (bits >= 1 && bits <= 8) return 'u8';
  if (bits > 8 && bits <= 16) return 'u16';
  if (bits > 16 && bits <= 32) return 'u32';
  return bits === 64 ? 'u64' : refuse();
}

/** A tag that has one value per sample, which must all be the same. */
async function sameForAll(url: string, tags: TagReader, id: number, what: string, otherwise: number): Promise<number> {
  if (!tags.has(id)) return otherwise;
  const values = tags.isWhole(id) ? await tags.numbers(id, MAX_BANDS) : null;
  if (!values || values.length === 0) throw new FormatError(`${url}: ${what} (tag ${id}) that is no number`, { url });
  if (values.some((v) => v !== values[0])) {
    throw new UnsupportedError(
      `${url}: bands of different ${what} (${[...values.subarray(0, 8)].join(', ')}) are not read`,
      {
        url,
      },
    );
  }
  return values[0]!;
}

async function sizes(url: string, tags: TagReader): Promise<{ level: Level; strips: boolean }> {
  const side = async (id: number, what: string): Promise<number> => {
    const value = await tags.number(id, 0);
    if (!Number.isInteger(value) || value < 1 || value > MAX_SIDE) {
      throw new FormatError(`${url}: ${what} of ${value} px`, { url });
    }
    return value;
  };
  const width = await side(256, 'an image width');
  const height = await side(257, 'an image height');
  const strips = !tags.has(322) || !tags.has(323);
  // Rows per strip may be missing or 2^32 − 1, which both mean that all are in one.
  const rows = strips ? Math.min(height, await tags.number(278, height)) : 0;
  const tileWidth = strips ? width : await side(322, 'a tile width');
  const tileHeight = strips ? rows || height : await side(323, 'a tile height');
  const planar = (await tags.number(284, 1)) === 2;
  return {
    strips,
    level: {
      width,
      height,
      tileWidth,
      tileHeight,
      tilesAcross: Math.ceil(width / tileWidth),
      tilesDown: Math.ceil(height / tileHeight),
      planar,
    },
  };
}

function checkPredictor(url: string, predictor: number, bits: number, format: number): 1 | 2 | 3 {
  const refuse = (): never => {
    throw new UnsupportedError(`${url}: predictor ${predictor} on ${bits}-bit samples is not read`, { url });
  };
  if (predictor === 1) return 1;
  if (predictor === 2) return [8, 16, 32, 64].includes(bits) ? 2 : refuse();
  if (predictor === 3) return format === 3 && [16, 24, 32, 64].includes(bits) ? 3 : refuse();
  return refuse();
}

/** Compressions whose data is a stream of bytes, to which a predictor can have been applied. */
const WITH_PREDICTOR = [5, 8, 32946, 34925, 50000];

const CMYK = 5;
const YCBCR = 6;
const JPEG = 7;

/** How YCbCr is coded, null for all other colours. 8-bit CMYK, which GDAL turns into RGBA, is refused. */
async function readYcbcr(
  url: string,
  tags: TagReader,
  { photometric, compression, form }: Pick<TiffImage, 'photometric' | 'compression' | 'form'>,
): Promise<YcbcrCoding | null> {
  if (photometric === CMYK && form.bits === 8) throw new UnsupportedError(`${url}: 8-bit CMYK is not read`, { url });
  if (photometric !== YCBCR) return null;
  const [h = 2, v = 2] = (await tags.numbers(530, 2)) ?? [];
  if (compression !== JPEG) {
    const known = [h, v].every((n) => n === 1 || n === 2 || n === 4) && v <= h;
    if (form.bits !== 8 || form.nSample !== 3 || form.predictor !== 1 || !known) {
      throw new UnsupportedError(
        `${url}: YCbCr of ${form.bits} bits, ${form.nSample} samples in a block and ${h} × ${v} subsampling is not read`,
        { url },
      );
    }
  }
  const numbers = async (id: number, n: number, otherwise: readonly number[]): Promise<readonly number[]> => {
    const found = await tags.numbers(id, n);
    return found?.length === n && found.every(Number.isFinite) ? [...found] : otherwise;
  };
  const luma = (await numbers(529, 3, DEFAULT_LUMA)) as [number, number, number];
  if (luma[1] === 0) throw new FormatError(`${url}: green has no part in the luma`, { url });
  return { subsampling: [h, v], luma, reference: await numbers(532, 6, DEFAULT_REFERENCE) };
}

/** Reads and checks the tags of an image that decide how its blocks are read. */
export async function readImage(url: string, order: { little: boolean }, tags: TagReader): Promise<TiffImage> {
  const { level, strips } = await sizes(url, tags);
  const nBand = await tags.number(277, 1);
  if (nBand < 1 || nBand > MAX_BANDS) throw new FormatError(`${url}: ${nBand} samples per pixel`, { url });
  const bits = await sameForAll(url, tags, 258, 'bit depth', 1);
  const format = await sameForAll(url, tags, 339, 'sample format', 1);
  const dtype = dtypeOf(url, format, bits);
  const compression = await tags.number(259, 1);
  const predictor = WITH_PREDICTOR.includes(compression) ? await tags.number(317, 1) : 1;
  if (nBand === 1) level.planar = false;
  const lerc = await tags.numbers(50674, 3);
  const photometric = await tags.number(262, 1);
  const form: BlockForm = {
    bits,
    float: format === 3,
    nSample: level.planar ? 1 : nBand,
    width: level.tileWidth,
    predictor: checkPredictor(url, predictor, bits, format),
    bigEndian: !order.little,
    reversedBits: (await tags.number(266, 1)) === 2,
  };
  const blockBytes = Math.max(rowBytes(form), level.tileWidth * form.nSample) * level.tileHeight;
  if (blockBytes > MAX_BLOCK_BYTES) {
    const { tileWidth, tileHeight } = level;
    throw new UnsupportedError(
      `${url}: a block of ${tileWidth} × ${tileHeight} px and ${form.nSample} samples takes ${blockBytes} bytes, more than ${MAX_BLOCK_BYTES}`,
      { url },
    );
  }
  return {
    level,
    nBand,
    dtype,
    compression,
    photometric,
    ycbcr: await readYcbcr(url, tags, { photometric, compression, form }),
    strips,
    form,
    jpegTables: await tags.bytes(347),
    lerc: lerc && [...lerc],
  };
}
