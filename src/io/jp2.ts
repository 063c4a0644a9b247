// JPEG 2000 as a raster: the tiles of the codestream are the tiles, its resolutions the levels. A tile is cut out, read alone and
// decoded alone, so a window costs the tiles that it touches.
import { FormatError, InputError, KernelError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import type { Codestream } from './codestream.js';
import { type TileIndex, tileIndex } from './codestream-index.js';
import { leadingPackets, lendTile, tileRect } from './codestream-tile.js';
import type { Foreseen } from './foreseen.js';
import { decodeJ2k } from './jp2-codec.js';
import { readPlace } from './jp2-geo.js';
import { CACHE_BYTES, headerOf, readJp2Headers } from './jp2-header.js';
import { type DecodedTile, planesOf } from './jp2-planes.js';
import type { Level, Raster, RasterHeader, SampleArray, TileRef } from './raster.js';
import { type SharedRead, sharedRead } from './shared-read.js';
import { tileCache } from './tile-cache.js';

/** Packets in a tile beyond its bytes, of which each takes one: more are no picture, but a way to make the codec allocate. */
const MAX_SURPLUS_PACKETS = 2 ** 16;
/** A compressed tile is hardly larger than its pixels, whatever the file says. */
const MAX_TILE_OVERHEAD_BYTES = 2 ** 20;

/** Decoded tiles of this thread: neighbouring windows meet the same ones. */
const tiles = tileCache(CACHE_BYTES);
let opened = 0;

/** The error of a tile, with the file and the place in it. */
function tileError(error: unknown, url: string, tile: number, offset: number | undefined): unknown {
  if (!(error instanceof FormatError || error instanceof KernelError) || error.facts.url) return error;
  const Class = error instanceof FormatError ? FormatError : KernelError;
  const what = error instanceof FormatError ? 'is corrupt' : 'cannot be decoded';
  return new Class(
    `${url}: codestream tile ${tile} at byte ${offset} ${what}: ${error.message}`,
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

/** Reads tiles of one file, all bands of each. */
interface TileReader {
  /** Whether a tile is decoded already, or being decoded. */
  has(ref: TileRef): boolean;
  read(ref: TileRef, level: Level, signal?: AbortSignal): Promise<readonly SampleArray[]>;
  forget(): void;
}

/** Decodes each tile once however many wait for it, and keeps the last ones. */
function tileReader(source: ByteSource, codestream: Codestream, index: TileIndex): TileReader {
  const prefix = `${opened++}/`;
  const underWay = new Map<string, SharedRead<readonly SampleArray[]>>();

  const start = (key: string, ref: TileRef, level: Level): SharedRead<readonly SampleArray[]> => {
    const read = sharedRead(async (signal) => {
      try {
        const request = { tile: tileOf(codestream, ref), reduce: ref.level, signal };
        const planes = planesOf(await decodeTile(source, codestream, index, request), codestream, level);
        tiles.set(key, planes);
        return planes;
      } finally {
        if (underWay.get(key) === read) underWay.delete(key);
      }
    });
    underWay.set(key, read);
    return read;
  };

  const keyOf = (ref: TileRef) => `${prefix}${ref.level}/${tileOf(codestream, ref)}`;
  return {
    has: (ref) => tiles.get(keyOf(ref)) !== undefined || underWay.has(keyOf(ref)),
    async read(ref, level, signal) {
      const key = keyOf(ref);
      const kept = tiles.get(key);
      if (kept) return kept;
      const found = underWay.get(key);
      return (found && !found.abandoned ? found : start(key, ref, level)).join(signal);
    },
    forget: () => tiles.forget(prefix),
  };
}

const tileOf = ({ frame }: Codestream, { col, row }: TileRef): number => row * frame.tilesAcross + col;

function jp2Raster(source: ByteSource, codestream: Codestream, header: RasterHeader): Raster {
  const { url, bands, levels } = header;
  const index = tileIndex(source, codestream);
  const reader = tileReader(source, codestream, index);

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

  /** Tiles that are foreseen and not read since: the second time they are decoded already, or nearly so. */
  const expected = new Set<number>();
  const foresee = async (ref: TileRef): Promise<Foreseen[]> => {
    levelOf(ref);
    const tile = tileOf(codestream, ref);
    // What is read of a reduced tile is known once its first bytes are.
    if (ref.level > 0 || expected.has(tile) || reader.has(ref)) return [];
    expected.add(tile);
    const parts = await index.partsOf(tile);
    return parts.map((part) => source.foresee!(part));
  };

  return {
    header,
    ...(source.foresee && { foresee }),
    async readTile(ref, wanted, take, { signal } = {}) {
      signal?.throwIfAborted();
      const level = levelOf(ref);
      if (ref.level === 0) expected.delete(tileOf(codestream, ref));
      const missing = wanted.find((band) => !bands[band]);
      if (missing !== undefined) {
        throw new InputError(`${url}: band ${missing + 1} is wanted, and there are ${bands.length}`, { url });
      }
      const planes = await reader.read(ref, level, signal);
      for (const [i, band] of wanted.entries()) take(planes[band]!, i);
    },
    async tileBytes(ref) {
      levelOf(ref);
      const tile = tileOf(codestream, ref);
      const parts = await index.partsOf(tile);
      const bytes = parts.reduce((sum, { length }) => sum + length, 0);
      // Each halving leaves about a quarter, where only that is read.
      const cut = ref.level > 0 && leadingPackets(codestream, tile, ref.level) !== null;
      return cut ? Math.ceil(bytes / 4 ** ref.level) : bytes;
    },
    async close() {
      reader.forget();
      source.drop();
    },
  };
}
