import { FormatError, UnsupportedError } from '../errors.js';
import type { BlockForm } from '../kernels/codec.js';
import { rowBytes } from '../kernels/codec.js';
import type { Dtype, Level } from './raster.js';
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
  /** Rows of the last strip; tiles are always whole. */
  strips: boolean;
  form: BlockForm;
  extraSamples: number;
  /** YCbCr subsampling, [horizontal, vertical]. */
  subsampling: [number, number];
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
  const values = await tags.numbers(id, MAX_BANDS);
  if (!values || values.length === 0) return otherwise;
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

const YCBCR = 6;

/** Colours that would have to be converted, and are not yet. */
function checkColour(url: string, photometric: number): void {
  if (photometric === YCBCR) throw new UnsupportedError(`${url}: YCbCr colours are not read`, { url });
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
  const subsampling = await tags.numbers(530, 2);
  const lerc = await tags.numbers(50674, 3);
  checkColour(url, await tags.number(262, 1));
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
    photometric: await tags.number(262, 1),
    strips,
    form,
    extraSamples: tags.count(338),
    subsampling: subsampling && subsampling.length === 2 ? [subsampling[0]!, subsampling[1]!] : [2, 2],
    jpegTables: await tags.bytes(347),
    lerc: lerc && [...lerc],
  };
}
