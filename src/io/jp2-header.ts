// What a JPEG 2000 file says before its pixels, and what of it can be read.
import { FormatError, UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Codestream, readCodestream } from './codestream.js';
import { isJpeg2000, type Jp2Boxes, readBoxes } from './jp2-boxes.js';
import type { Place } from './jp2-geo.js';
import type { Dtype, Level, RasterCodec, RasterHeader } from './raster.js';

/** A row of 1024² tiles of 16 bits across a Sentinel-2 band, with room for its neighbours' edges. */
export const CACHE_BYTES = 32 * 2 ** 20;
/** The codec's memory at its start, which a tile of 1024² fits in; and what it needs for a sample of a larger one. */
const CODEC_BYTES = 56 * 2 ** 20;
const CODEC_SAMPLE_BYTES = 14;
/** Beside the pixels: a code block with its tables, and what is there for any tile. */
const CODEC_BLOCK_BYTES = 512;
const CODEC_OVERHEAD_BYTES = 24 * 2 ** 20;
/** A tile with more samples or code blocks does not fit into the codec's memory, which ends at 2 GiB. */
const MAX_TILE_SAMPLES = 2 ** 27;
const MAX_TILE_BLOCKS = 2 ** 21;
/** Times that decoding takes longer than inflating the same pixels: measured. */
const SLOWDOWN = 17;

/** What JPEG 2000 files are called, for those who must know before they open them. */
export const JPEG_2000_NAME = /\.(jp2|j2k|j2c|jpc|jpx)$/i;

/** The codec with tiles of the usual size. */
export const USUAL_CODEC: RasterCodec = {
  name: 'JPEG 2000',
  threadBytes: CODEC_BYTES + CACHE_BYTES,
  slowdown: SLOWDOWN,
};

/** What is read of a JPEG 2000 file before its pixels. */
export interface Jp2Headers {
  /** False for a bare codestream. */
  boxed: boolean;
  boxes: Jp2Boxes;
  codestream: Codestream;
}

/** Reads the boxes and the main header. */
export async function readJp2Headers(source: ByteSource, signal?: AbortSignal): Promise<Jp2Headers> {
  const { url, fileBytes } = source;
  if (!(await isJpeg2000(source))) throw new FormatError(`${url}: no JPEG 2000 file`, { url });
  const boxed = (await source.view({ offset: 0, length: 1 }, signal)).getUint8(0) === 0;
  const whole = { codestream: { offset: 0, length: fileBytes }, geoTiff: null, gml: null };
  const boxes = boxed ? await readBoxes(source, signal) : whole;
  return { boxed, boxes, codestream: await readCodestream(source, boxes.codestream, signal) };
}

/** Samples and code blocks of a whole tile. */
function tileSize({ frame, components, coding }: Codestream): { samples: number; blocks: number } {
  const { x0, y0, x1, y1, tileWidth, tileHeight } = frame;
  const { blockWidth, blockHeight, precincts } = coding;
  const samples = Math.min(tileWidth, x1 - x0) * Math.min(tileHeight, y1 - y0) * components;
  // Blocks are clipped to precincts; a band's is half of the resolution's.
  const [x, y] = precincts.reduce(([px, py], [qx, qy]) => [Math.min(px, qx), Math.min(py, qy)]);
  const side = (block: number, log2: number) => Math.max(1, Math.min(block, 2 ** (log2 - 1)));
  return { samples, blocks: Math.ceil(samples / (side(blockWidth, x!) * side(blockHeight, y!))) };
}

/** The dtype of the samples; kinds that the codec cannot give are refused by name. */
function dtypeOf(url: string, codestream: Codestream): Dtype {
  const { frame, components, bits, signed } = codestream;
  if (bits > 16) throw new UnsupportedError(`${url}: JPEG 2000 of ${bits} bits is not read, only up to 16`, { url });
  if (components !== 1 && components !== 3) {
    throw new UnsupportedError(`${url}: JPEG 2000 of ${components} components is not read, only of 1 or 3`, { url });
  }
  const { x0, y0, tilesAcross, tilesDown, tileX0, tileY0 } = frame;
  const { samples, blocks } = tileSize(codestream);
  if (samples > MAX_TILE_SAMPLES || blocks > MAX_TILE_BLOCKS) {
    throw new UnsupportedError(
      `${url}: a tile of ${samples} samples in ${blocks} code blocks is not read, at most ${MAX_TILE_SAMPLES} in ${MAX_TILE_BLOCKS} are`,
      { url },
    );
  }
  if ((tilesAcross > 1 && x0 !== tileX0) || (tilesDown > 1 && y0 !== tileY0)) {
    throw new UnsupportedError(`${url}: an image that begins inside of a tile (${x0}, ${y0}) is not read`, { url });
  }
  return bits <= 8 ? (signed ? 'i8' : 'u8') : signed ? 'i16' : 'u16';
}

/** Full resolution, and each halving as long as the tiles stay whole pixels apart. */
function levelsOf({ frame, coding, irregular }: Codestream): Level[] {
  const { x0, y0, x1, y1, tileWidth, tileHeight, tileX0, tileY0, tilesAcross, tilesDown } = frame;
  const levels: Level[] = [];
  for (let reduce = 0; reduce <= (irregular ? 0 : coding.decompositions); reduce++) {
    const step = 2 ** reduce;
    const edges = [
      x0,
      y0,
      ...(tilesAcross > 1 ? [tileX0, tileWidth] : []),
      ...(tilesDown > 1 ? [tileY0, tileHeight] : []),
    ];
    if (edges.some((edge) => edge % step !== 0)) break;
    const width = Math.ceil(x1 / step) - x0 / step;
    const height = Math.ceil(y1 / step) - y0 / step;
    if (reduce > 0 && width === levels.at(-1)!.width) break;
    levels.push({
      width,
      height,
      tileWidth: tilesAcross > 1 ? tileWidth / step : width,
      tileHeight: tilesDown > 1 ? tileHeight / step : height,
      tilesAcross,
      tilesDown,
      planar: false,
    });
  }
  return levels;
}

/** The header of the raster. */
export function headerOf(source: ByteSource, { codestream }: Jp2Headers, place: Place | null): RasterHeader {
  const { url, fileBytes } = source;
  const { components } = codestream;
  const dtype = dtypeOf(url, codestream);
  const levels = levelsOf(codestream);
  const { width, height } = levels[0]!;
  const { samples, blocks } = tileSize(codestream);
  const own = CODEC_OVERHEAD_BYTES + CODEC_SAMPLE_BYTES * samples + CODEC_BLOCK_BYTES * blocks;
  return {
    url,
    grid: place && { ...place, width, height },
    width,
    height,
    bands: Array.from({ length: components }, () => ({ dtype, nodata: null, scale: 1, offset: 0, name: null })),
    levels,
    fileBytes,
    codec: { ...USUAL_CODEC, threadBytes: Math.max(CODEC_BYTES, own) + CACHE_BYTES },
  };
}
