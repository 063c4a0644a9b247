import { InputError } from '../errors.js';
import type { Grid } from '../geo/grid.js';
import type { Compression } from '../io/cog-layout.js';
import { type BandStatistics, type CogWriter, createCog } from '../io/cog-writer.js';
import { addTo, type StoreMeter } from '../io/meter.js';
import { DTYPE_NAMES } from '../io/raster.js';
import type { Scene } from '../io/scene.js';
import { samplesOf } from '../stats/composite.js';
import { resolveBands } from '../stats/sensors.js';
import type { CompositeSpec, Resampling } from '../stats/spec.js';
import type { CompositeOptions } from './composite-options.js';
import { mosaicTiles, overlaps } from './mosaic-tiles.js';
import type { Prepared } from './prepare.js';
import { type BlockSink, runWithout } from './run.js';

export interface MosaicOptions {
  /** Default: all value bands that every tile has. */
  bands?: readonly string[] | undefined;
  /** Pixel size in units of the CRS; default: of the finest band. */
  resolution?: number | undefined;
  /** A raster's URL, or a grid, whose frame is taken as it is. */
  like?: string | Grid | undefined;
  crs?: string | undefined;
  /** West, south, east, north in degrees; default: around all tiles. */
  bbox?: readonly number[] | undefined;
  /** Default average; `mode` reads full resolution, since overviews of classes may be averages of class numbers. */
  resampling?: Resampling | undefined;
  /** Side of the file's tiles, px; default 1024. */
  blockSize?: number | undefined;
  /** Default zstd. */
  compression?: Compression | undefined;
  /** Default 4 of zstd. */
  level?: number | undefined;
  /** One file a band, `OUT_band.tif`, each with its own sample type and missing value. */
  perBand?: boolean | undefined;
  /** The missing value of the bands, in place of what files and items say. */
  nodata?: number | undefined;
  onError?: 'fail' | 'skip' | undefined;
  overwrite?: boolean | undefined;
  threads?: number | undefined;
  memoryLimitBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((donePx: number, totalPx: number) => void) | undefined;
  onWarning?: ((text: string) => void) | undefined;
}

/** One file of a mosaic. */
export interface MosaicFile {
  path: string;
  bands: readonly string[];
  dtype: string;
  nodata: number | null;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  statistics: readonly BandStatistics[];
}

export interface MosaicSummary {
  files: MosaicFile[];
  grid: { width: number; height: number };
  tiles: { used: number; dropped: { id: string; reason: string }[] };
  /** Pairs of tiles that share ground. */
  overlaps: number;
  network: StoreMeter;
}

const DEFAULT_BLOCK_PX = 1024;

/**
 * Puts tiles together into one cloud-optimised GeoTIFF, or one a band: no data where no tile has any, and where several have, the first
 * by name counts, each band by itself. It is a composite of the tiles by the statistic `first`, block by block in bounded memory.
 * @throws InputError, FormatError, StoreError… as a composite does
 */
export async function mosaic(
  sources: string | readonly string[],
  out: string,
  options: MosaicOptions = {},
): Promise<MosaicSummary> {
  if (!/\.tiff?$/i.test(out)) throw new InputError(`a mosaic is a file like mosaic.tif, not ${out}`, { option: 'out' });
  const { bands, perBand = false, onWarning } = options;
  const tiles = await mosaicTiles([sources].flat(), options);
  const parts = perBand
    ? resolveBands(tiles, bands ?? null).map((band) => ({ bands: [band], path: pathOfBand(out, band) }))
    : [{ bands, path: out }];
  const summary: MosaicSummary = {
    files: [],
    grid: { width: 0, height: 0 },
    tiles: { used: 0, dropped: [] },
    overlaps: 0,
    network: { requests: 0, bytes: 0, retries: 0 },
  };
  for (const [i, part] of parts.entries()) {
    const run = await mosaicOf(tiles, part, {
      ...options,
      onWarning: (text) => onWarning?.(perBand ? `${part.bands!.join()}: ${text}` : text),
      onProgress: (done, total) => options.onProgress?.(i * total + done, parts.length * total),
    });
    summary.files.push(run.result);
    const { width, height } = run.prepared.spec.grid;
    summary.grid = { width, height };
    const dropped = run.dropped.filter(({ id }) => !summary.tiles.dropped.some((known) => known.id === id));
    summary.tiles = {
      used: Math.max(summary.tiles.used, run.prepared.sceneCount),
      dropped: [...summary.tiles.dropped, ...dropped],
    };
    summary.overlaps = Math.max(summary.overlaps, overlaps(placesOf(run.prepared.spec)).count);
    addTo(summary.network, run.network);
  }
  return summary;
}

/** Names of bands are data: in a file's name they are plain. */
function pathOfBand(out: string, band: string): string {
  const plain = band.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_');
  return out.replace(/(\.tiff?)$/i, (end) => `_${plain}${end}`);
}

function mosaicOf(
  tiles: readonly Scene[],
  part: { bands: readonly string[] | undefined; path: string },
  options: MosaicOptions,
) {
  const { resampling = 'average', blockSize = DEFAULT_BLOCK_PX, onWarning } = options;
  const { resolution, like, crs, bbox, nodata, onError, threads, memoryLimitBytes, signal, onProgress } = options;
  const composite: CompositeOptions = {
    ...{ resolution, like, crs, bbox, nodata, onError, threads, memoryLimitBytes, signal, onProgress, onWarning },
    bands: part.bands,
    statistics: ['first'],
    masks: ['none'],
    group: 'none',
    offset: 'none',
    resampling,
    eachBand: true,
    fullResolution: resampling === 'mode',
    outputTilePx: blockSize,
  };
  // Not `undefined`: an area that is named and not given would be one all the same.
  const given = Object.fromEntries(Object.entries(composite).filter(([, value]) => value !== undefined));
  let told = false;
  return runWithout(tiles, given, async (prepared) => {
    if (!told) tellOf(prepared, onWarning);
    told = true;
    return mosaicSink(prepared, part.path, { ...options, resampling, blockSize });
  });
}

const placesOf = ({ observations, bands }: CompositeSpec) =>
  observations.flatMap(({ scenes }) =>
    scenes.flatMap(({ id, sources }) => {
      const { grid } = sources[bands[0]!]!;
      return grid ? [{ id, grid }] : [];
    }),
  );

/** What a user should know of the numbers. */
function tellOf({ spec, bandHeaders }: Prepared, onWarning: MosaicOptions['onWarning']): void {
  const { count, first } = overlaps(placesOf(spec));
  if (first)
    onWarning?.(
      `${count} ${count === 1 ? 'pair of tiles shares' : 'pairs of tiles share'} ground, like ${first.join(' and ')}: where both have data, the first by name counts`,
    );
  const coarse = bandHeaders.filter(({ dtype }) => ['i32', 'u32', 'i64', 'u64', 'f64'].includes(dtype));
  if (coarse.length > 0)
    onWarning?.(`samples are ${DTYPE_NAMES[coarse[0]!.dtype]}: they go through float32, which keeps 24 bits`);
  const types = [...new Set(bandHeaders.map(({ dtype }) => DTYPE_NAMES[dtype]))];
  if (types.length > 1)
    onWarning?.(
      `the bands are ${types.join(' and ')}, and one file has one type: ${DTYPE_NAMES[spec.outputs[0]!.dtype]}; with --per-band each keeps its own`,
    );
}

/** How overviews of the mosaic are made: as its pixels were, where that can be. */
const OVERVIEWS: Record<Resampling, 'nearest' | 'average' | 'mode'> = {
  nearest: 'nearest',
  bilinear: 'average',
  cubic: 'average',
  average: 'average',
  mode: 'mode',
};

async function mosaicSink(
  { spec, bandHeaders }: Prepared,
  path: string,
  options: MosaicOptions & { resampling: Resampling; blockSize: number },
): Promise<BlockSink<MosaicFile>> {
  const { resampling, blockSize, overwrite = false, compression = 'zstd', signal } = options;
  const level = options.level ?? (compression === 'zstd' ? 4 : undefined);
  const { bands, dtype, nodata } = spec.outputs[0]!;
  const writer: CogWriter = await createCog(path, {
    grid: spec.grid,
    dtype,
    nodata,
    bands: bands.map((name, i) => ({ name, scale: bandHeaders[i]!.scale, offset: bandHeaders[i]!.offset })),
    overviews: OVERVIEWS[resampling],
    tileSize: blockSize,
    compression,
    ...(level !== undefined && { level }),
    sparse: true,
    overwrite,
    ...(signal && { signal }),
  });
  return {
    write: ({ planes }, window) =>
      writer.write(
        window,
        planes[0]!.map((bytes) => samplesOf(dtype, bytes)),
      ),
    async finish() {
      const { bytes, sha256, statistics } = await writer.finish();
      return { path, bands, dtype: DTYPE_NAMES[dtype], nodata, bytes, sha256, statistics };
    },
    abort: () => writer.abort(),
  };
}
