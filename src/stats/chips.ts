// Chips from blocks: each block is decoded once and handed to every chip that touches it.

import type { Window } from '../geo/grid.js';
import { countedSince } from '../io/meter.js';
import { type Dtype, type NumericArray, type Raster, SAMPLE_BYTES, type SampleArray } from '../io/raster.js';
import { arrayAt } from '../io/samples.js';
import { networkMeter } from '../io/stores.js';
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

/** Where the planes of one chip are written. */
interface Destination {
  data: NumericArray;
  mask: Uint8Array;
  /** Of the chip's first sample. */
  at: number;
  /** Which plane of the destination each band of the image is. */
  planes: readonly number[];
  /** px of the image */
  col: number;
  row: number;
}

/** Decoded pixels of an image, as far as they lie in it: one block, or several strips one below the other. */
interface Area {
  /** px of the image */
  col: number;
  row: number;
  width: number;
  height: number;
  /** px from one row to the next */
  stride: number;
}

/** A rectangle of an area's plane and where its first sample goes. */
interface Copy {
  destination: Destination;
  from: number;
  to: number;
  width: number;
  height: number;
}

/** Copies the valid samples of a rectangle; all are valid when `nodata` is null and the samples are whole numbers. */
function copySamples(
  source: NumericArray,
  { from, width, height, destination: { data, mask } }: Copy,
  to: number,
  { stride, side, nodata }: { stride: number; side: number; nodata: number | null },
): void {
  if (nodata !== null || source instanceof Float32Array || source instanceof Float64Array) {
    for (let y = 0; y < height; y++) {
      const [p, q] = [from + y * stride, to + y * side];
      for (let x = 0; x < width; x++) {
        const value = source[p + x]!;
        // NaN is missing whatever nodata says.
        if (value === nodata || Number.isNaN(value)) continue;
        data[q + x] = value;
        mask[q + x] = 1;
      }
    }
    return;
  }
  for (let y = 0; y < height; y++) {
    const p = from + y * stride;
    const q = to + y * side;
    for (let x = 0; x < width; x++) data[q + x] = source[p + x]!;
    if (width < side) mask.fill(1, q, q + width);
  }
  // Rows as wide as the chip follow each other without a gap.
  if (width === side) mask.fill(1, to, to + height * side);
}

/** What an area and a chip share along one axis, or null. */
function overlap(first: number, count: number, chip: number, side: number): { begin: number; count: number } | null {
  const begin = Math.max(first, chip);
  const end = Math.min(first + count, chip + side);
  return end > begin ? { begin, count: end - begin } : null;
}

/** The rectangle that each chip takes from an area, but for the band. */
function copiesOf(area: Area, destinations: readonly Destination[], side: number): Copy[] {
  const copies: Copy[] = [];
  for (const destination of destinations) {
    const y = overlap(area.row, area.height, destination.row, side);
    const x = y && overlap(area.col, area.width, destination.col, side);
    if (!x || !y) continue;
    copies.push({
      destination,
      from: (y.begin - area.row) * area.stride + x.begin - area.col,
      to: destination.at + (y.begin - destination.row) * side + x.begin - destination.col,
      width: x.count,
      height: y.count,
    });
  }
  return copies;
}

/** The rectangle around all that is copied from a block. */
function hullOf(copies: readonly Copy[], stride: number): Window {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const { from, width, height } of copies) {
    const [col, row] = [from % stride, Math.floor(from / stride)];
    left = Math.min(left, col);
    top = Math.min(top, row);
    right = Math.max(right, col + width);
    bottom = Math.max(bottom, row + height);
  }
  return { col: left, row: top, width: right - left, height: bottom - top };
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

const isStriped = ({ level: { tilesAcross, tileHeight } }: ChipImage, side: number) =>
  tilesAcross === 1 && tileHeight < side;

/** Room for decoded strips, which a session keeps from job to job. */
export class ChipStage {
  #buffer = new ArrayBuffer(0);

  take(bytes: number): ArrayBuffer {
    if (this.#buffer.byteLength < bytes) this.#buffer = new ArrayBuffer(bytes);
    return this.#buffer;
  }
}

/** Tiles in runs that are read together. Strips of a run fit on the stage. */
async function* readings(raster: Raster, image: ChipImage, tiles: readonly number[], side: number) {
  const { tilesAcross, tileWidth, tileHeight } = image.level;
  const stripBytes = image.bands.length * tileWidth * tileHeight * SAMPLE_BYTES[image.dtype];
  const mostSpan = isStriped(image, side)
    ? Math.max(1, Math.floor(STAGE_BYTES / stripBytes))
    : Number.POSITIVE_INFINITY;
  let run: number[] = [];
  let runBytes = 0;
  for (const tile of tiles) {
    const ref = { level: 0, col: tile % tilesAcross, row: Math.floor(tile / tilesAcross) };
    const bytes = await raster.tileBytes(ref, image.bands[0]!);
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

/** The area of a tile, or of all strips from one to another. */
function areaOf({ level }: ChipImage, first: number, last = first): Area {
  const { tilesAcross, tileWidth, tileHeight, width, height } = level;
  const [col, row] = [(first % tilesAcross) * tileWidth, Math.floor(first / tilesAcross) * tileHeight];
  const end = (Math.floor(last / tilesAcross) + 1) * tileHeight;
  return { col, row, width: Math.min(tileWidth, width - col), height: Math.min(end, height) - row, stride: tileWidth };
}

/** Decodes the blocks of a job, each once, and cuts out what the chips have of them. */
export async function cutChips(
  { spec, cache, stage, signal }: { spec: ChipSpec; cache: RasterCache; stage: ChipStage; signal?: AbortSignal },
  job: ChipJob,
): Promise<ChipJobResult> {
  const image = spec.images[job.image]!;
  const { side } = spec;
  const { level, bands, dtype } = image;
  const network = countedSince(networkMeter);
  const raster = await cache.open(image.href);
  const { destinations, parts } = destinationsOf(spec, job);
  // Blocks of single bands are asked for one by one, so that their ranges go out together.
  const groups = level.planar ? bands.map((_, i) => [i]) : [bands.map((_, i) => i)];
  let blocksDecoded = 0;

  const cut = (plane: NumericArray, i: number, area: Area, copies: readonly Copy[]): void => {
    const how = { stride: area.stride, side, nodata: image.nodata[i]! };
    for (const copy of copies) copySamples(plane, copy, copy.to + copy.destination.planes[i]! * side * side, how);
  };
  const decode = (
    { tile, copies }: { tile: number; copies: readonly Copy[] },
    group: readonly number[],
    take: (plane: NumericArray, i: number) => void,
  ): Read => {
    const ref = { level: 0, col: tile % level.tilesAcross, row: Math.floor(tile / level.tilesAcross) };
    const wanted = group.map((i) => bands[i]!);
    const own = (plane: SampleArray, i: number) => take(plane as NumericArray, group[i]!);
    const within = hullOf(copies, level.tileWidth);
    return async (signal) => {
      await raster.readTile(ref, wanted, own, { signal, within });
      blocksDecoded++;
    };
  };
  const cutTiles = async (run: readonly number[]): Promise<void> => {
    const work = run.flatMap((tile) => {
      const area = areaOf(image, tile);
      const copies = copiesOf(area, destinations, side);
      return groups.map((group) => decode({ tile, copies }, group, (plane, i) => cut(plane, i, area, copies)));
    });
    await together(work, signal);
  };
  const cutStrips = async (run: readonly number[]): Promise<void> => {
    const [first, last] = [run[0]!, run.at(-1)!];
    const stripPx = level.tileWidth * level.tileHeight;
    const planePx = (last - first + 1) * stripPx;
    const staged = chipSamples(dtype, stage.take(bands.length * planePx * SAMPLE_BYTES[dtype]), bands.length * planePx);
    const work = run.flatMap((tile) => {
      const copies = copiesOf(areaOf(image, tile), destinations, side);
      return groups.map((group) =>
        decode({ tile, copies }, group, (plane, i) => staged.set(plane, i * planePx + (tile - first) * stripPx)),
      );
    });
    await together(work, signal);
    const area = areaOf(image, first, last);
    const copies = copiesOf(area, destinations, side);
    for (const i of bands.keys()) cut(staged.subarray(i * planePx, (i + 1) * planePx), i, area, copies);
  };

  // Few chips have less to gain from the stage than it costs.
  const isCrowded = destinations.length * side > level.width;
  const work = isCrowded && isStriped(image, side) ? cutStrips : cutTiles;
  for await (const run of readings(raster, image, job.tiles, side)) await work(run);
  return { parts, blocksDecoded, network: network() };
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
