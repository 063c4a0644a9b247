// GeoTIFF and COG reading. The directories are parsed here and not by geotiff.js: its parser takes counts and offsets on trust,
// needs several reads for a header and 45 ms to load, and its block path is slow (a call per pixel) and silently wrong for
// big-endian files with a predictor. Opening takes one read and 0.2 ms. What remains for geotiff is LERC: see geotiff-codec.ts.
import { FormatError, InputError, UnsupportedError } from '../errors.js';
import { rowBytes } from '../kernels/codec.js';
import { type ByteSource, openByteSource } from './byte-source.js';
import { codecOf } from './compression.js';
import type { Foreseen } from './foreseen.js';
import { parseGdalMetadata, parseNodata } from './gdal-metadata.js';
import type { BandHeader, Raster, RasterHeader, ReadTileOptions, TakePlane, TileRef } from './raster.js';
import { filledArray } from './samples.js';
import type { ByteRange, Store } from './store.js';
import { blockRows, decodeBlock } from './tiff-block.js';
import {
  readDirectory,
  readTiffOrder,
  type TagReader,
  type TiffDirectory,
  type TiffOrder,
  tagReader,
} from './tiff-directory.js';
import { crsOfKeys, readAffine, readGeoKeys } from './tiff-geo.js';
import { readImage, type TiffImage } from './tiff-image.js';

/** Directories beyond this are not looked at: overviews follow their image directly. */
const MAX_DIRECTORIES = 64;

/** Lists of offsets that are too short are only made up for in files of few blocks. */
const MAX_PADDED = 65536;

/** Offsets and sizes of all blocks of an image, [band (planar)][row][col]. */
interface BlockIndex {
  offsets: Float64Array;
  bytes: Float64Array;
}

interface OpenLevel {
  image: TiffImage;
  directory: TiffDirectory;
  index: Promise<BlockIndex> | null;
}

/** Number of blocks in the file: planar files have a set for each band. */
function blockCount({ level, nBand }: TiffImage): number {
  return level.tilesAcross * level.tilesDown * (level.planar ? nBand : 1);
}

/** A list that is too short names blocks that are not there, like an offset of 0: that is how libtiff reads it. */
function padded(values: Float64Array, n: number): Float64Array {
  if (values.length === n) return values;
  const out = new Float64Array(n);
  out.set(values);
  return out;
}

async function readIndex(source: ByteSource, image: TiffImage, tags: TagReader): Promise<BlockIndex> {
  const { url } = source;
  const n = blockCount(image);
  const [offsetTag, bytesTag] = tags.has(324) ? [324, 325] : [273, 279];
  if (tags.count(offsetTag) < n && (!tags.has(offsetTag) || n > MAX_PADDED)) {
    throw new FormatError(`${url}: ${n} blocks are wanted, and the file has offsets of ${tags.count(offsetTag)}`, {
      url,
    });
  }
  const offsets = padded((await tags.numbers(offsetTag, n))!, n);
  const bytes = await tags.numbers(bytesTag, n);
  if (!bytes) return { offsets, bytes: guessBytes(source, image, offsets) };
  if (bytes.length < n && n > MAX_PADDED) {
    throw new FormatError(`${url}: ${n} blocks are wanted, and the file has sizes of ${bytes.length}`, { url });
  }
  return { offsets, bytes: padded(bytes, n) };
}

/** Sizes of blocks where the file does not give them: raw blocks have theirs, others reach to the next one or the end. */
function guessBytes(source: ByteSource, image: TiffImage, offsets: Float64Array): Float64Array {
  const { level } = image;
  const perBand = level.tilesAcross * level.tilesDown;
  const sorted = offsets.slice().sort();
  return offsets.map((offset, i) => {
    if (offset === 0) return 0;
    if (image.compression === 1) {
      return rowBytes(image.form) * blockRows(image, Math.floor((i % perBand) / level.tilesAcross));
    }
    const next = sorted.find((other) => other > offset) ?? source.fileBytes;
    return Math.max(0, next - offset);
  });
}

async function readBands(image: TiffImage, tags: TagReader): Promise<BandHeader[]> {
  const nodata = parseNodata(await tags.text(42113), image.dtype);
  const bands = Array.from({ length: image.nBand }, (): BandHeader => {
    return { dtype: image.dtype, nodata, scale: 1, offset: 0, name: null };
  });
  for (const { name, value, sample, role } of parseGdalMetadata((await tags.text(42112)) ?? '')) {
    const band = sample === null ? undefined : bands[sample];
    if (!band) continue;
    const number = Number(value);
    if (role === 'description' || (name === 'DESCRIPTION' && role === null)) band.name = value;
    else if (role === 'scale' && Number.isFinite(number)) band.scale = number;
    else if (role === 'offset' && Number.isFinite(number)) band.offset = number;
  }
  return bands;
}

/** The overviews: reduced images of the same bands that follow the first one; masks and other pages are passed over. */
async function readOverviews(
  source: ByteSource,
  order: TiffOrder,
  first: OpenLevel,
  signal?: AbortSignal,
): Promise<OpenLevel[]> {
  const levels: OpenLevel[] = [];
  const seen = new Set([order.first]);
  let at = first.directory.next;
  try {
    for (; at !== 0 && !seen.has(at) && seen.size < MAX_DIRECTORIES; ) {
      seen.add(at);
      const directory = await readDirectory(source, order, at, signal);
      at = directory.next;
      const tags = tagReader(source, order, directory, signal);
      const kind = await tags.number(254, 0);
      if ((kind & 1) === 0 || (kind & 4) !== 0) continue;
      const image = await readImage(source.url, order, tags);
      const { level, nBand, dtype } = first.image;
      const smaller = image.level.width <= level.width && image.level.height <= level.height;
      if (nBand !== image.nBand || dtype !== image.dtype || !smaller) continue;
      codecOf(source.url, image.compression);
      levels.push({ image, directory, index: null });
    }
  } catch (error) {
    // Overviews only make reading faster: what is wrong with one of them does not touch the image.
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
  }
  return levels.sort((p, q) => q.image.level.width - p.image.level.width);
}

/** Raw blocks are as large as they are; a compressed one is hardly larger, whatever the file says. */
function bytesToRead(image: TiffImage, bytes: number): number {
  const raw = rowBytes(image.form) * image.level.tileHeight;
  return Math.min(bytes, image.compression === 1 ? raw : 2 * raw + 2 ** 20);
}

/**
 * Opens a TIFF, GeoTIFF or COG: reads its directories (one read for a file whose directories stand at its start), not its pixels.
 *
 * @throws FormatError when it is no TIFF or contradicts itself, UnsupportedError (by name) for kinds of TIFF that are not read,
 * StoreError when the bytes cannot be had
 */
export async function openCog(
  url: string,
  { store, source: begun, signal }: { store: Store; source?: ByteSource; signal?: AbortSignal },
): Promise<Raster> {
  const source = begun ?? (await openByteSource(url, store, signal));
  const order = await readTiffOrder(source);
  const directory = await readDirectory(source, order, order.first, signal);
  const tags = tagReader(source, order, directory, signal);
  const image = await readImage(url, order, tags);
  codecOf(url, image.compression);
  const first: OpenLevel = { image, directory, index: null };
  const bands = await readBands(image, tags);
  const geoKeys = await readGeoKeys(tags);
  const affine = await readAffine(tags, geoKeys);
  const levels = [first, ...(await readOverviews(source, order, first, signal))];
  const { width, height } = image.level;
  const header: RasterHeader = {
    url,
    grid: affine && { crs: crsOfKeys(geoKeys), affine, width, height },
    width,
    height,
    bands,
    levels: levels.map((l) => l.image.level),
    fileBytes: source.fileBytes,
  };
  source.drop();
  return tiffRaster(source, order, header, levels);
}

function tiffRaster(source: ByteSource, order: TiffOrder, header: RasterHeader, levels: readonly OpenLevel[]): Raster {
  const { url, bands } = header;

  const levelOf = ({ level, col, row }: TileRef): OpenLevel => {
    const open = levels[level];
    if (!open) throw new InputError(`${url}: level ${level} is wanted, and there are ${levels.length}`, { url });
    const { tilesAcross, tilesDown } = open.image.level;
    if (!(col >= 0 && col < tilesAcross && row >= 0 && row < tilesDown)) {
      throw new InputError(`${url}: tile ${col}, ${row} is wanted, and there are ${tilesAcross} × ${tilesDown}`, {
        url,
      });
    }
    return open;
  };

  const indexOf = (open: OpenLevel): Promise<BlockIndex> => {
    if (!open.index) {
      const index = readIndex(source, open.image, tagReader(source, order, open.directory));
      // Read for all who wait, so no one's signal stops it. A failed read is not kept; the lists are, what they were parsed
      // from is not.
      open.index = index;
      index.then(source.drop, () => {
        open.index = null;
      });
    }
    return open.index;
  };

  /** Where a block is, null where the file has none. */
  const blockRange = async (open: OpenLevel, ref: TileRef, plane: number): Promise<ByteRange | null> => {
    const { image } = open;
    const { level } = image;
    const { offsets, bytes } = await indexOf(open);
    const block = (plane * level.tilesDown + ref.row) * level.tilesAcross + ref.col;
    const offset = offsets[block]!;
    const length = bytesToRead(image, bytes[block]!);
    return offset === 0 || length === 0 ? null : { offset, length };
  };

  const foresee = async (ref: TileRef, wanted: readonly number[]): Promise<Foreseen[]> => {
    const open = levelOf(ref);
    const planes = open.image.level.planar ? wanted : [0];
    const ranges = await Promise.all(planes.map((plane) => blockRange(open, ref, plane)));
    return ranges.flatMap((range) => (range ? [source.foresee!(range)] : []));
  };

  /** Reads one block, decodes the samples of it that are asked for and lends them to `take`. */
  const readBlock = async (
    open: OpenLevel,
    ref: TileRef,
    { plane, wanted, take }: { plane: number; wanted: readonly number[]; take: TakePlane },
    { signal, within }: ReadTileOptions,
  ): Promise<void> => {
    const { image } = open;
    const { level } = image;
    const range = await blockRange(open, ref, plane);
    signal?.throwIfAborted();
    const fill = wanted.map((band) => bands[band]!.nodata);
    if (!range) {
      for (const [i, value] of fill.entries()) {
        take(filledArray(image.dtype, level.tileWidth * level.tileHeight, value), i);
      }
      return;
    }
    const name = `${image.strips ? `strip ${ref.row}` : `tile ${ref.col}, ${ref.row}`} of level ${ref.level}`;
    const samples = level.planar ? wanted.map(() => 0) : wanted;
    const decode = async (data: Uint8Array): Promise<void> => {
      signal?.throwIfAborted();
      await decodeBlock(image, data, { url, name, row: ref.row }, { samples, fill, take, within });
    };
    await source.lend(range, decode, signal);
  };

  return {
    header,
    async readTile(ref, wanted, take, options = {}) {
      options.signal?.throwIfAborted();
      const open = levelOf(ref);
      const missing = wanted.find((band) => !bands[band]);
      if (missing !== undefined) {
        throw new InputError(`${url}: band ${missing + 1} is wanted, and there are ${bands.length}`, { url });
      }
      if (!open.image.level.planar) return readBlock(open, ref, { plane: 0, wanted, take }, options);
      for (const [i, band] of wanted.entries()) {
        const own: TakePlane = (plane) => take(plane, i);
        await readBlock(open, ref, { plane: band, wanted: [band], take: own }, options);
      }
    },
    async tileBytes(ref, band) {
      const open = levelOf(ref);
      const { tilesAcross, tilesDown, planar } = open.image.level;
      const { offsets, bytes } = await indexOf(open);
      const block = ((planar ? band : 0) * tilesDown + ref.row) * tilesAcross + ref.col;
      return offsets[block] === 0 ? 0 : bytes[block]!;
    },
    ...(source.foresee && { foresee }),
    async close() {
      source.drop();
    },
  };
}
