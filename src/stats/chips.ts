// Chips from blocks: each block is decoded once and handed to every chip that touches it.

import { countedSince } from '../io/meter.js';
import { type Dtype, type NumericArray, type Raster, SAMPLE_BYTES, type SampleArray } from '../io/raster.js';
import { arrayAt } from '../io/samples.js';
import { networkMeter } from '../io/stores.js';
import { type Area, areaOf, type Copy, copiesOf, copySamples, type Destination, hullOf, shiftOf } from './chip-copy.js';
import type { ChipImage, ChipJob, ChipJobResult, ChipPart, ChipSpec } from './chip-spec.js';
import type { RasterCache } from './source.js';

/** Compressed blocks that are read together: their ranges are put together where they are near. */
const READ_BYTES = 16 * 2 ** 20;
const READ_BLOCKS = 64;

/** The samples of a dtype in memory that may be shared. */
export function chipSamples(
  dtype: Dtype,
  buffer: ArrayBufferLike,
  length = buffer.byteLength / SAMPLE_BYTES[dtype],
): NumericArray {
  return arrayAt(dtype, buffer as ArrayBuffer, 0, length) as NumericArray;
}

/** A part for each chip that has no place of its own in the target, and the destinations of all. */
function destinationsOf(spec: ChipSpec, job: ChipJob): { destinations: Destination[]; parts: ChipPart[] } {
  const { side, nPlane, dtype, target } = spec;
  const image = spec.images[job.image]!;
  const chipPx = side * side;
  const own = image.planes.map((_, i) => i);
  const shared = target && {
    data: chipSamples(dtype, target.data, Math.floor(target.data.byteLength / SAMPLE_BYTES[dtype])),
    mask: new Uint8Array(target.mask),
  };
  const parts: ChipPart[] = [];
  const destinations = Array.from(job.chips, (chip, i): Destination => {
    const place = { col: job.cols[i]!, row: job.rows[i]! };
    if (shared && job.merged[i] === 0) return { ...shared, at: chip * nPlane * chipPx, planes: image.planes, ...place };
    const mask = new ArrayBuffer(own.length * chipPx);
    const data = new ArrayBuffer(mask.byteLength * SAMPLE_BYTES[dtype]);
    parts.push({ chip, image: job.image, merged: job.merged[i] !== 0, data, mask });
    return { data: chipSamples(dtype, data), mask: new Uint8Array(mask), at: 0, planes: own, ...place };
  });
  return { destinations, parts };
}

/** Strips that are lower than chips are put together first, so that chips are written in long runs; so many bytes of them. */
const STAGE_BYTES = 48 * 2 ** 20;

/** Bytes of a strip's planes. */
const stripBytes = ({ bands, dtype, level: { tileWidth, tileHeight } }: ChipImage) =>
  bands.length * tileWidth * tileHeight * SAMPLE_BYTES[dtype];

/** Whether blocks are strips lower than a chip. */
const isLow = (image: ChipImage, side: number) =>
  image.level.tilesAcross === 1 && image.level.tileHeight < side && stripBytes(image) <= STAGE_BYTES;

/** Room for decoded strips, which a session keeps from job to job. */
export class ChipStage {
  #buffer = new ArrayBuffer(0);

  take(bytes: number): ArrayBuffer {
    if (this.#buffer.byteLength < bytes) this.#buffer = new ArrayBuffer(bytes);
    return this.#buffer;
  }
}

/** Tiles in runs that are read together. Strips of a run fit on the stage. */
async function* readings(raster: Raster, image: ChipImage, tiles: readonly number[], isStaged: boolean) {
  const { tilesAcross, planar } = image.level;
  const mostSpan = isStaged ? Math.floor(STAGE_BYTES / stripBytes(image)) : Number.POSITIVE_INFINITY;
  let run: number[] = [];
  let runBytes = 0;
  for (const tile of tiles) {
    const ref = { level: 0, col: tile % tilesAcross, row: Math.floor(tile / tilesAcross) };
    // Blocks of other bands at this place are about as large.
    const bytes = (await raster.tileBytes(ref, image.bands[0]!)) * (planar ? image.bands.length : 1);
    const isFull = run.length === READ_BLOCKS || runBytes + bytes > READ_BYTES || tile - run[0]! >= mostSpan;
    if (run.length > 0 && isFull) {
      yield run;
      run = [];
      runBytes = 0;
    }
    run.push(tile);
    runBytes += bytes;
  }
  if (run.length > 0) yield run;
}

/** Cuts the chips of one job, run by run. */
class ChipCutter {
  blocksDecoded = 0;
  readonly #job: CutterJob;
  /** Which bands one block holds. Blocks of single bands are asked for one by one, so that their ranges go out together. */
  readonly #groups: number[][];

  constructor(job: CutterJob) {
    this.#job = job;
    const all = [...job.image.bands.keys()];
    this.#groups = job.image.level.planar ? all.map((i) => [i]) : [all];
  }

  /** Cuts out of each block as it is decoded. */
  async cutTiles(tiles: readonly number[]): Promise<void> {
    const reads = tiles.flatMap((tile) => {
      const area = areaOf(this.#job.image, tile);
      const copies = this.#copiesOf(area);
      return this.#reads(tile, copies, (plane, i) => this.#cut(plane, i, area, copies));
    });
    await together(reads, this.#job.signal);
  }

  /** Puts strips one below the other first, and cuts out of them band by band. */
  async cutStrips(tiles: readonly number[]): Promise<void> {
    const { image, stage, signal } = this.#job;
    const { level, bands, dtype } = image;
    const [first, last] = [tiles[0]!, tiles.at(-1)!];
    const stripPx = level.tileWidth * level.tileHeight;
    const planePx = (last - first + 1) * stripPx;
    const staged = chipSamples(dtype, stage.take(bands.length * planePx * SAMPLE_BYTES[dtype]), bands.length * planePx);
    const reads = tiles.flatMap((tile) =>
      this.#reads(tile, this.#copiesOf(areaOf(image, tile)), (plane, i) => {
        staged.set(plane, i * planePx + (tile - first) * stripPx);
      }),
    );
    await together(reads, signal);
    const area = areaOf(image, first, last);
    const copies = this.#copiesOf(area);
    for (const i of bands.keys()) this.#cut(staged.subarray(i * planePx, (i + 1) * planePx), i, area, copies);
  }

  #copiesOf(area: Area): Copy[] {
    return copiesOf(area, this.#job.destinations, this.#job.side);
  }

  #cut(plane: NumericArray, i: number, { stride }: Area, copies: readonly Copy[]): void {
    const { image, side } = this.#job;
    const how = { stride, side, nodata: image.nodata[i]!, shift: shiftOf(image, i) };
    for (const copy of copies) copySamples(plane, copy, copy.to + copy.destination.planes[i]! * side * side, how);
  }

  /** Reads of all blocks at a tile's place; `take` gets the plane of the image's i-th band. */
  #reads(tile: number, copies: readonly Copy[], take: (plane: NumericArray, i: number) => void): Read[] {
    const { raster, image } = this.#job;
    const { tilesAcross, tileWidth } = image.level;
    const ref = { level: 0, col: tile % tilesAcross, row: Math.floor(tile / tilesAcross) };
    const within = hullOf(copies, tileWidth);
    return this.#groups.map((group) => async (signal) => {
      const wanted = group.map((i) => image.bands[i]!);
      const own = (plane: SampleArray, i: number) => take(plane as NumericArray, group[i]!);
      await raster.readTile(ref, wanted, own, { signal, within });
      this.blocksDecoded++;
    });
  }
}

interface CutterJob {
  raster: Raster;
  image: ChipImage;
  side: number;
  destinations: readonly Destination[];
  stage: ChipStage;
  signal: AbortSignal | undefined;
}

/** Decodes the blocks of a job, each once, and cuts out what the chips have of them. */
export async function cutChips(
  { spec, cache, stage, signal }: { spec: ChipSpec; cache: RasterCache; stage: ChipStage; signal?: AbortSignal },
  job: ChipJob,
): Promise<ChipJobResult> {
  const image = spec.images[job.image]!;
  const { side } = spec;
  const network = countedSince(networkMeter);
  const raster = await cache.open(image.href);
  const { destinations, parts } = destinationsOf(spec, job);
  const cutter = new ChipCutter({ raster, image, side, destinations, stage, signal });
  // Few chips have less to gain from the stage than it costs.
  const isStaged = isLow(image, side) && destinations.length * side > image.level.width;
  for await (const run of readings(raster, image, job.tiles, isStaged))
    await (isStaged ? cutter.cutStrips(run) : cutter.cutTiles(run));
  return { parts, blocksDecoded: cutter.blocksDecoded, network: network() };
}

type Read = (stop: AbortSignal) => Promise<void>;

/**
 * Reads all, and throws the first failure when every read has ended: nothing writes to a chip any more when the job is over. Each
 * read has a signal of its own, for Node warns of many listeners on one.
 */
async function together(reads: readonly Read[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const stops = reads.map(() => new AbortController());
  const stopAll = (reason: unknown) => {
    for (const stop of stops) stop.abort(reason);
  };
  const abort = () => stopAll(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  let failure: { reason: unknown } | null = null;
  const fail = (reason: unknown) => {
    failure ??= { reason };
    stopAll(reason);
  };
  await Promise.all(reads.map((read, i) => read(stops[i]!.signal).catch(fail)));
  signal?.removeEventListener('abort', abort);
  if (failure) throw (failure as { reason: unknown }).reason;
}
