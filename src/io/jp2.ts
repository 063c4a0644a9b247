// JPEG 2000 as a raster: the tiles of the codestream are the tiles, its resolutions the levels. A tile is cut out, read alone and
// decoded alone, so a window costs the tiles that it touches.
import { FormatError, InputError, KernelError, UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Codestream, readCodestream } from './codestream.js';
import { type TileIndex, tileIndex } from './codestream-index.js';
import { leadingPackets, lendTile, tileRect } from './codestream-tile.js';
import { isJpeg2000, type Jp2Boxes, readBoxes } from './jp2-boxes.js';
import { decodeJ2k } from './jp2-codec.js';
import { readPlace } from './jp2-geo.js';
import { type DecodedTile, planesOf } from './jp2-planes.js';
import type { Dtype, Level, Raster, RasterCodec, RasterHeader, SampleArray, TileRef } from './raster.js';
import { type SharedRead, sharedRead } from './shared-read.js';
import { tileCache } from './tile-cache.js';

/** A row of 1024² tiles of 16 bits across a Sentinel-2 band, with room for its neighbours' edges. */
const CACHE_BYTES = 32 * 2 ** 20;
/** The codec's memory at its start, which a tile of 1024² fits in; and what it needs for a sample of a larger one. */
const CODEC_BYTES = 56 * 2 ** 20;
const CODEC_SAMPLE_BYTES = 14;
/** Beside the pixels: a code block with its tables, and what is there for any tile. */
const CODEC_BLOCK_BYTES = 512;
const CODEC_OVERHEAD_BYTES = 24 * 2 ** 20;
/** A tile with more samples or code blocks does not fit into the codec's memory, which ends at 2 GiB. */
const MAX_TILE_SAMPLES = 2 ** 27;
const MAX_TILE_BLOCKS = 2 ** 21;
/** Packets in a tile beyond its bytes, of which each takes one: more are no picture, but a way to make the codec allocate. */
const MAX_SURPLUS_PACKETS = 2 ** 16;
/** A compressed tile is hardly larger than its pixels, whatever the file says. */
const MAX_TILE_OVERHEAD_BYTES = 2 ** 20;
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

/** Decoded tiles of this thread: neighbouring windows meet the same ones. */
const tiles = tileCache(CACHE_BYTES);
let opened = 0;

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

function headerOf(source: ByteSource, { codestream }: Jp2Headers, place: Awaited<ReturnType<typeof readPlace>>) {
  const { url, fileBytes } = source;
  const { components } = codestream;
  const dtype = dtypeOf(url, codestream);
  const levels = levelsOf(codestream);
  const { width, height } = levels[0]!;
  const { samples, blocks } = tileSize(codestream);
  const own = CODEC_OVERHEAD_BYTES + CODEC_SAMPLE_BYTES * samples + CODEC_BLOCK_BYTES * blocks;
  const header: RasterHeader = {
    url,
    grid: place && { ...place, width, height },
    width,
    height,
    bands: Array.from({ length: components }, () => ({ dtype, nodata: null, scale: 1, offset: 0, name: null })),
    levels,
    fileBytes,
    codec: { ...USUAL_CODEC, threadBytes: Math.max(CODEC_BYTES, own) + CACHE_BYTES },
  };
  return header;
}

/** The error of a tile, with the file and the place in it. */
function tileError(error: unknown, url: string, tile: number, offset: number | undefined): unknown {
  if (!(error instanceof FormatError || error instanceof KernelError) || error.facts.url) return error;
  const Class = error instanceof FormatError ? FormatError : KernelError;
  return new Class(
    `${url}: codestream tile ${tile} at byte ${offset} is corrupt: ${error.message}`,
    { url },
    { cause: error },
  );
}

/**
 * Opens a JP2 file or a JPEG 2000 codestream: reads its headers, not its pixels.
 *
 * @throws FormatError when it is none or contradicts itself, UnsupportedError (by name) for kinds that are not read, StoreError when
 * the bytes cannot be had
 */
export async function openJp2(source: ByteSource, signal?: AbortSignal): Promise<Raster> {
  const headers = await readJp2Headers(source, signal);
  const header = headerOf(source, headers, await readPlace(source.url, headers.boxes));
  source.drop();
  return jp2Raster(source, headers.codestream, header);
}

/** Cuts out, reads and decodes one tile. */
async function decodeTile(
  source: ByteSource,
  codestream: Codestream,
  index: TileIndex,
  { tile, reduce, signal }: { tile: number; reduce: number; signal: AbortSignal },
): Promise<DecodedTile> {
  const { frame, components, bits } = codestream;
  const { x0, y0, x1, y1 } = tileRect(frame, tile);
  const step = 2 ** reduce;
  const width = Math.ceil(x1 / step) - Math.ceil(x0 / step);
  const height = Math.ceil(y1 / step) - Math.ceil(y0 / step);
  if (width === 0 || height === 0) return { bytes: new Uint8Array(0), width, height };
  const parts = await index.partsOf(tile, signal);
  const packed = parts.reduce((sum, { length }) => sum + length, 0);
  const most = 4 * (x1 - x0) * (y1 - y0) * components + MAX_TILE_OVERHEAD_BYTES;
  if (packed > most) {
    const at = `codestream tile ${tile} at byte ${parts[0]!.offset}`;
    throw new FormatError(`${source.url}: ${at} has ${packed} bytes, more than ${most}`, { url: source.url });
  }
  const packets = leadingPackets(codestream, tile, 0) ?? 0;
  if (packets > packed + MAX_SURPLUS_PACKETS) {
    const at = `codestream tile ${tile} at byte ${parts[0]!.offset}`;
    throw new FormatError(`${source.url}: ${at} has ${packets} packets in ${packed} bytes`, { url: source.url });
  }
  let bytes: Uint8Array | null = null;
  const use = async (pieces: readonly Uint8Array[]): Promise<void> => {
    signal.throwIfAborted();
    bytes = await decodeJ2k({ pieces, reduce, samples: width * height * components, bits });
  };
  try {
    await lendTile(source, codestream, { tile, parts, reduce }, { use, signal });
  } catch (error) {
    throw tileError(error, source.url, tile, parts[0]?.offset);
  }
  return { bytes: bytes!, width, height };
}

function jp2Raster(source: ByteSource, codestream: Codestream, header: RasterHeader): Raster {
  const { url, bands, levels } = header;
  const { frame } = codestream;
  const index = tileIndex(source, codestream);
  const prefix = `${opened++}/`;
  const underWay = new Map<string, SharedRead<readonly SampleArray[]>>();

  const levelOf = ({ level, col, row }: TileRef): Level => {
    const found = levels[level];
    if (!found) throw new InputError(`${url}: level ${level} is wanted, and there are ${levels.length}`, { url });
    const { tilesAcross, tilesDown } = found;
    if (!(col >= 0 && col < tilesAcross && row >= 0 && row < tilesDown)) {
      throw new InputError(`${url}: tile ${col}, ${row} is wanted, and there are ${tilesAcross} × ${tilesDown}`, {
        url,
      });
    }
    return found;
  };

  const tileOf = ({ col, row }: TileRef): number => row * frame.tilesAcross + col;

  /** All bands of a tile, decoded once however many wait for it. */
  const planes = async (ref: TileRef, level: Level, signal?: AbortSignal): Promise<readonly SampleArray[]> => {
    const key = `${prefix}${ref.level}/${tileOf(ref)}`;
    const kept = tiles.get(key);
    if (kept) return kept;
    let read = underWay.get(key);
    if (!read || read.abandoned) {
      const own = sharedRead(async (stop) => {
        try {
          const request = { tile: tileOf(ref), reduce: ref.level, signal: stop };
          const decoded = planesOf(await decodeTile(source, codestream, index, request), codestream, level);
          tiles.set(key, decoded);
          return decoded;
        } finally {
          if (underWay.get(key) === own) underWay.delete(key);
        }
      });
      underWay.set(key, own);
      read = own;
    }
    return read.join(signal);
  };

  return {
    header,
    async readTile(ref, wanted, take, { signal } = {}) {
      signal?.throwIfAborted();
      const level = levelOf(ref);
      const missing = wanted.find((band) => !bands[band]);
      if (missing !== undefined) {
        throw new InputError(`${url}: band ${missing + 1} is wanted, and there are ${bands.length}`, { url });
      }
      const decoded = await planes(ref, level, signal);
      for (const [i, band] of wanted.entries()) take(decoded[band]!, i);
    },
    async tileBytes(ref) {
      levelOf(ref);
      const parts = await index.partsOf(tileOf(ref));
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      // Each halving leaves about a quarter, where only that is read.
      const cut = ref.level > 0 && leadingPackets(codestream, tileOf(ref), ref.level) !== null;
      return cut ? Math.ceil(bytes / 4 ** ref.level) : bytes;
    },
    async close() {
      tiles.forget(prefix);
      source.drop();
    },
  };
}
