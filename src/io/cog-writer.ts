import { InputError, StackwiseError, UnsupportedError } from '../errors.js';
import type { Grid, Window } from '../geo/grid.js';
import type { OverviewMethod, PackDtype, Summary } from '../kernels/overview.js';
import type { Predictor } from '../kernels/pack.js';
import { assembleCog } from './cog-assembly.js';
import { type CogForm, type Compression, checkCompression, cogLevels, gdalMetadata, layoutCog } from './cog-layout.js';
import { type CompressionLevel, cogPyramid, type Pyramid } from './cog-pyramid.js';
import type { Dtype, NumericArray, Planes } from './raster.js';
import { memorySink, type Sink } from './sink.js';
import { openOutput } from './stores.js';
import { ARRAY_OF } from './tile-collector.js';

export interface CogBand {
  /** Becomes the band's description. */
  name: string;
  /** Stored value × scale + offset = physical value; default 1. */
  scale?: number;
  /** Default 0. */
  offset?: number;
}

export interface CogOptions {
  grid: Grid;
  /** u64 and i64 cannot be written. */
  dtype: Dtype;
  bands: readonly CogBand[];
  /** The value that means missing; NaN is missing in floats whatever this says. */
  nodata: number | null;
  /** Default deflate. */
  compression?: Compression;
  /**
   * Deflate 0–9, zstd 1–22 (default 3). Deflate without a level looks for runs only: after the predictor that is within 3 % of
   * level 6 (± 0 % on Landsat reflectances) at three times its speed. In browsers deflate has one level only.
   */
  level?: number;
  /**
   * What is compressed: samples (1), differences of neighbours (2), or of the byte planes of floats (3). Default auto: 2 for
   * integers, 3 for floats. Without compression there is none.
   */
  predictor?: 'auto' | Predictor;
  /** px, a multiple of 16; default 512. */
  tileSize?: number;
  /** Of the overviews, px, a multiple of 16; default: `tileSize`. Overviews end where the picture fits one such tile. */
  overviewTileSize?: number;
  /** How each halving is made; default average. */
  overviews?: OverviewMethod | 'none';
  /** Whether the first three bands are shown as red, green and blue; default false. */
  rgb?: boolean;
  /** Whether the fourth band is how opaque they are, 0–255, and colours are not multiplied by it; default false. */
  alpha?: boolean;
  /** Further items of the file's metadata. */
  metadata?: Record<string, string>;
  signal?: AbortSignal;
  /** Whether an existing file is replaced; default false. */
  overwrite?: boolean;
  /** Default auto: when the compressed file passes 4 GiB. */
  bigTiff?: 'auto' | boolean;
  /** Whether pixels may stay unwritten (they read as nodata, or 0) and tiles without a valid pixel are left out; default false. */
  sparse?: boolean;
}

/** Of the valid samples of a band; NaN where there are none. stddev is the population's. */
export interface BandStatistics {
  minimum: number;
  maximum: number;
  mean: number;
  stddev: number;
  /** 0–100 */
  validPercent: number;
}

export interface CogResult {
  bytes: number;
  /** Of the file, hexadecimal. */
  sha1: string;
  /** Of the file, hexadecimal. */
  sha256: string;
  /** One a band. */
  statistics: BandStatistics[];
}

export interface CogWriter {
  /**
   * Takes a window: per band [height][width] of the file's dtype. Every pixel exactly once, windows in any order and alignment.
   * Resolves when more can be taken.
   */
  write(window: Window, data: readonly NumericArray[]): Promise<void>;
  /** Bytes held for tiles that are not complete yet. */
  readonly pendingBytes: number;
  /** Makes overviews and header, and gives the file its name. */
  finish(): Promise<CogResult>;
  /** Removes everything; does nothing after `finish`. */
  abort(): Promise<void>;
}

function refuse(what: string): never {
  throw new InputError(`cannot write a COG: ${what}`);
}

function predictorFor({ predictor = 'auto', compression }: CogOptions, isFloat: boolean): Predictor {
  if (![1, 2, 3, 'auto'].includes(predictor)) refuse(`predictor is 1, 2, 3 or auto, not ${predictor}`);
  if (predictor === 3 && !isFloat) refuse('predictor 3 is one of floats');
  if (compression === 'none') return 1;
  return predictor !== 'auto' ? predictor : isFloat ? 3 : 2;
}

/** Refuses what cannot be written, and settles the rest. */
function cogForm(options: CogOptions): CogForm {
  const { grid, dtype, bands, nodata, compression = 'deflate', tileSize = 512, overviews = 'average' } = options;
  const { overviewTileSize = tileSize, rgb: isRgb = false, alpha: hasAlpha = false } = options;
  if (!(dtype in ARRAY_OF))
    throw new UnsupportedError(`cannot write a COG of ${dtype}: it takes up to 32-bit integers, f32 and f64`);
  if (bands.length < 1 || bands.length > 65535) refuse(`1 to 65535 bands are possible, not ${bands.length}`);
  if (!(Number.isInteger(grid.width) && Number.isInteger(grid.height) && grid.width > 0 && grid.height > 0)) {
    refuse(`the grid has ${grid.width} × ${grid.height} pixels`);
  }
  if (isRgb && bands.length < 3) refuse(`red, green and blue are three bands, not ${bands.length}`);
  if (hasAlpha && !(isRgb && bands.length >= 4 && dtype === 'u8')) {
    refuse(`alpha is the fourth band of an rgb picture of u8, not of ${bands.length} bands of ${dtype}`);
  }
  for (const [name, side] of Object.entries({ tileSize, overviewTileSize })) {
    if (!Number.isInteger(side) || side < 16 || side % 16 !== 0)
      refuse(`${name} must be a multiple of 16, not ${side}`);
  }
  const isFloat = dtype === 'f32' || dtype === 'f64';
  if (nodata !== null && !isFloat && ARRAY_OF[dtype as PackDtype].of(nodata)[0] !== nodata) {
    refuse(`nodata ${nodata} is not a value of ${dtype}`);
  }
  return {
    grid,
    dtype: dtype as PackDtype,
    nBand: bands.length,
    nodata: nodata !== null && dtype === 'f32' ? Math.fround(nodata) : nodata,
    compression: checkCompression(compression),
    predictor: predictorFor(options, isFloat),
    isRgb,
    hasAlpha,
    levels: cogLevels(grid, tileSize, overviews !== 'none', overviewTileSize),
  };
}

function compressionLevel({ compression = 'deflate', level }: CogOptions): CompressionLevel {
  const [least, most, usual] = compression === 'zstd' ? ([1, 22, 3] as const) : ([0, 9, 'runs'] as const);
  if (level !== undefined && !(Number.isInteger(level) && level >= least && level <= most)) {
    throw new InputError(`the level of ${compression} is a whole number from ${least} to ${most}, not ${level}`);
  }
  return level ?? usual;
}

function statisticsOf(summary: Summary, nPx: number): BandStatistics {
  const { count, minimum, maximum, mean, squares } = summary;
  if (count === 0) return { minimum: NaN, maximum: NaN, mean: NaN, stddev: NaN, validPercent: 0 };
  return { minimum, maximum, mean, stddev: Math.sqrt(squares / count), validPercent: (100 * count) / nPx };
}

/** GDAL_METADATA: the caller's items, then names, scales, offsets and statistics of the bands as GDAL writes them. */
function metadataText(options: CogOptions, statistics: readonly BandStatistics[]): string {
  const items: Parameters<typeof gdalMetadata>[0][number][] = Object.entries(options.metadata ?? {}).map(
    ([name, value]) => ({ name, value, sample: null }),
  );
  options.bands.forEach(({ name, scale = 1, offset = 0 }, sample) => {
    if (name) items.push({ name: 'DESCRIPTION', value: name, sample, role: 'description' });
    if (scale !== 1 || offset !== 0) {
      items.push({ name: 'OFFSET', value: String(offset), sample, role: 'offset' });
      items.push({ name: 'SCALE', value: String(scale), sample, role: 'scale' });
    }
    const { minimum, maximum, mean, stddev, validPercent } = statistics[sample]!;
    const facts = { MAXIMUM: maximum, MEAN: mean, MINIMUM: minimum, STDDEV: stddev };
    if (!Object.values(facts).every(Number.isFinite)) return;
    for (const [key, value] of Object.entries(facts)) {
      items.push({ name: `STATISTICS_${key}`, value: String(value), sample });
    }
    items.push({ name: 'STATISTICS_VALID_PERCENT', value: String(Number(validPercent.toPrecision(4))), sample });
  });
  return gdalMetadata(items);
}

function checkWindow(window: Window, data: readonly NumericArray[], form: CogForm): void {
  const { col, row, width, height } = window;
  const inside =
    [col, row, width, height].every(Number.isInteger) &&
    Math.min(col, row) >= 0 &&
    Math.min(width, height) > 0 &&
    col + width <= form.grid.width &&
    row + height <= form.grid.height;
  const where = `window ${width} × ${height} at column ${col}, row ${row}`;
  if (!inside) throw new InputError(`the ${where} is not inside the grid of ${form.grid.width} × ${form.grid.height}`);
  if (data.length !== form.nBand) throw new InputError(`the ${where} has ${data.length} bands, the file ${form.nBand}`);
  for (const plane of data) {
    if (!(plane instanceof ARRAY_OF[form.dtype]) || plane.length !== width * height) {
      const got = `${plane.constructor.name} of ${plane.length}`;
      throw new InputError(`the ${where} needs ${ARRAY_OF[form.dtype].name}s of ${width * height}, got ${got}`);
    }
  }
}

/** Overviews, then the file from its first byte to its last, then its name. */
async function finishCog(options: CogOptions, form: CogForm, pyramid: Pyramid, sink: Sink): Promise<CogResult> {
  const { sparse = false, bigTiff = 'auto', signal } = options;
  const nPx = form.grid.width * form.grid.height;
  if (pyramid.missingPx > 0 && !sparse) {
    throw new InputError(`${pyramid.missingPx} of ${nPx} pixels of the COG were never written`);
  }
  await pyramid.build();
  const statistics = pyramid.summaries().map((summary) => statisticsOf(summary, nPx));
  const layout = layoutCog(form, pyramid.tileBytes, metadataText(options, statistics), bigTiff);
  const digests = await assembleCog(sink, pyramid, layout, signal);
  await sink.commit();
  return { bytes: layout.totalBytes, ...digests, statistics };
}

/** The writer over any pair of sinks; the first error, and an abort, remove everything. */
function cogWriter(options: CogOptions, form: CogForm, sinks: { sink: Sink; scratch: Sink }): CogWriter {
  const { overviews = 'average', sparse = false, signal } = options;
  const { sink, scratch } = sinks;
  const method = overviews === 'none' ? null : overviews;
  const level = compressionLevel(options);
  const pyramid = cogPyramid({ form, scratch, level, overviews: method, sparse, signal });
  let turn: Promise<unknown> = Promise.resolve();
  let ended: Promise<void> | null = null;

  const remove = (): Promise<void> => {
    ended ??= (async () => {
      signal?.removeEventListener('abort', remove);
      await pyramid.settle();
      await Promise.all([scratch.abort(), sink.abort()]);
    })();
    return ended;
  };
  signal?.addEventListener('abort', remove);

  /** Runs one step after those before it; whatever goes wrong leaves nothing behind. */
  const step = <T>(work: () => Promise<T>): Promise<T> => {
    const run = turn.then(async () => {
      try {
        signal?.throwIfAborted();
        if (ended) throw new StackwiseError('the COG is finished or was given up; nothing more can be written to it');
        return await work();
      } catch (error) {
        await remove();
        signal?.throwIfAborted();
        throw error;
      }
    });
    turn = run.catch(() => {});
    return run;
  };

  return {
    write: (window, data) =>
      step(async () => {
        checkWindow(window, data, form);
        await pyramid.add(window, data);
      }),
    get pendingBytes() {
      return pyramid.heldBytes;
    },
    finish: () =>
      step(async () => {
        const result = await finishCog(options, form, pyramid, sink);
        await remove();
        return result;
      }),
    abort: remove,
  };
}

/**
 * Starts a cloud-optimised GeoTIFF (tiled, pixel-interleaved, directories first, GDAL's ghost area) that takes its pixels window by
 * window in bounded memory: tiles are compressed as they become complete and wait in a scratch file beside the output.
 *
 * @throws InputError when the file exists and `overwrite` is not given, or an option is impossible
 * @throws StoreError when the disk does not take it
 */
export async function createCog(path: string, options: CogOptions): Promise<CogWriter> {
  options.signal?.throwIfAborted();
  const form = cogForm(options);
  compressionLevel(options);
  const sink = await openOutput(path, { overwrite: options.overwrite ?? false });
  try {
    const scratch = await openOutput(path, { scratch: true });
    const writer = cogWriter(options, form, { sink, scratch });
    if (options.signal?.aborted) await writer.abort();
    options.signal?.throwIfAborted();
    return writer;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** The dtype of a typed array. */
function dtypeOf(data: NumericArray | undefined): PackDtype {
  const found = Object.entries(ARRAY_OF).find(([, type]) => data instanceof type);
  if (!found) throw new InputError('cannot write a COG: the planes are no typed arrays of numbers');
  return found[0] as PackDtype;
}

function planesOptions(planes: Planes, options: Partial<CogOptions>): CogOptions {
  return {
    grid: planes.grid,
    dtype: dtypeOf(planes.data[0]),
    bands: planes.names.map((name) => ({ name })),
    nodata: planes.nodata,
    ...options,
  };
}

async function writeWhole(writer: CogWriter, { grid, data }: Planes): Promise<CogResult> {
  await writer.write({ col: 0, row: 0, width: grid.width, height: grid.height }, data);
  return writer.finish();
}

/** Writes planes as a cloud-optimised GeoTIFF; see {@link createCog}. */
export async function writeCog(path: string, planes: Planes, options: Partial<CogOptions> = {}): Promise<CogResult> {
  return writeWhole(await createCog(path, planesOptions(planes, options)), planes);
}

/** The bytes of the cloud-optimised GeoTIFF that {@link writeCog} would write, in Node and in browsers. */
export async function encodeCog(planes: Planes, options: Partial<CogOptions> = {}): Promise<Uint8Array<ArrayBuffer>> {
  const all = planesOptions(planes, options);
  all.signal?.throwIfAborted();
  const form = cogForm(all);
  const memory = memorySink();
  let bytes = new Uint8Array(0);
  const sink: Sink = {
    ...memory,
    commit: async () => {
      bytes = memory.bytes();
    },
  };
  await writeWhole(cogWriter(all, form, { sink, scratch: memorySink() }), planes);
  return bytes;
}
