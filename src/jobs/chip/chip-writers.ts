// Chips as files. A writer takes passes of chips; what it leaves carries its final name only when it is whole.
import { encodeCog } from '../../io/cog-writer.js';
import { npyHeader } from '../../io/npy.js';
import { type Dtype, type NumericArray, SAMPLE_BYTES } from '../../io/raster.js';
import type { Sink } from '../../io/sink.js';
import { openOutput } from '../../io/stores.js';
import { gzipped, zarrArrayDocument, zarrChunkPath, zarrGroupDocument } from '../../io/zarr.js';
import { type OutputFolder, outputFolder } from '../output-folder.js';
import type { ChipLabel } from './chip-labels.js';
import type { Chips } from './chip-run.js';
import { type ChipTable, labelRecord } from './chip-table.js';

export type ChipFormat = 'npy' | 'zarr' | 'geotiff' | 'json';

export interface ChipWriter {
  /** Chips that a pass must have a multiple of, but for the last; null: chips may come in any order. */
  readonly inOrderBy: number | null;
  write(chips: Chips): Promise<void>;
  /** Gives names; returns the files. */
  finish(table: ChipTable): Promise<string[]>;
  abort(): Promise<void>;
}

/** What a writer knows beforehand. */
export interface ChipForm {
  folder: OutputFolder;
  /** Paths of the samples and of the mask, or of the one file. */
  path: string;
  maskPath: string;
  shape: readonly [nPoint: number, nTime: number, nBand: number, side: number, side: number];
  dtype: Dtype;
  fill: number;
  gzip: boolean;
  overwrite: boolean;
  /** Whether files can only be written from their first byte to their last. */
  sequential: boolean;
  /** Chips that are in memory at a time. */
  passChips: number;
}

const bytesOf = (array: NumericArray) =>
  new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);

/** Bytes that lie in memory of their own: not every function of the platform takes shared ones. */
const ownBytes = (array: NumericArray): Uint8Array<ArrayBuffer> => new Uint8Array(bytesOf(array));

const chipLengthOf = ([, nTime, nBand, side]: ChipForm['shape']) => nTime * nBand * side * side;

async function openSinks(paths: readonly string[], overwrite: boolean): Promise<Sink[]> {
  const sinks: Sink[] = [];
  try {
    for (const path of paths) sinks.push(await openOutput(path, { overwrite }));
  } catch (error) {
    await Promise.all(sinks.map((sink) => sink.abort()));
    throw error;
  }
  return sinks;
}

/** Chips that follow each other in the output as well: [first, end) of the pass. */
function* runsOf(labels: readonly ChipLabel[]): Generator<[first: number, end: number]> {
  let first = 0;
  for (let i = 1; i <= labels.length; i++) {
    if (i < labels.length && labels[i]!.index === labels[i - 1]!.index + 1) continue;
    yield [first, i];
    first = i;
  }
}

/** Systems take 2 GiB at a time at most. */
const WRITE_BYTES = 2 ** 28;

/** Two NumPy arrays: the samples, and the mask. */
export async function npyWriter({
  path,
  maskPath,
  shape,
  dtype,
  overwrite,
  sequential,
}: ChipForm): Promise<ChipWriter> {
  const sinks = await openSinks([path, maskPath], overwrite);
  const headers = [npyHeader(dtype, shape), npyHeader('u8', shape)];
  const chipLength = chipLengthOf(shape);
  const chipBytes = [chipLength * SAMPLE_BYTES[dtype], chipLength];
  for (const [i, sink] of sinks.entries()) await sink.write(0, headers[i]!);
  return {
    inOrderBy: sequential ? 1 : null,
    async write({ data, mask, labels }) {
      for (const [first, end] of runsOf(labels)) {
        for (const [i, array] of [data, mask].entries()) {
          const bytes = bytesOf(array.subarray(first * chipLength, end * chipLength));
          const offset = headers[i]!.length + labels[first]!.index * chipBytes[i]!;
          for (let done = 0; done < bytes.length; done += WRITE_BYTES)
            await sinks[i]!.write(offset + done, bytes.subarray(done, done + WRITE_BYTES));
        }
      }
    },
    async finish() {
      for (const sink of sinks) await sink.commit();
      return [path, maskPath];
    },
    abort: async () => void (await Promise.all(sinks.map((sink) => sink.abort()))),
  };
}

/** Bytes of a chunk before compression; larger chips are a chunk each. */
const CHUNK_BYTES = 2 ** 22;

/** A Zarr group of two arrays, `chips` and `mask`, in chunks of whole chips; its documents are written last of all. */
export function zarrWriter({ path: group, shape, dtype, fill, gzip, passChips }: ChipForm): ChipWriter {
  const folder = outputFolder(group);
  const written: string[] = [];
  const chipLength = chipLengthOf(shape);
  const fitting = Math.floor(CHUNK_BYTES / (chipLength * SAMPLE_BYTES[dtype]));
  const chunkChips = Math.max(1, Math.min(shape[0], fitting, passChips));
  const chunkShape = [chunkChips, ...shape.slice(1)];
  const arrays = [
    { name: 'chips', dtype, fill },
    { name: 'mask', dtype: 'u8' as const, fill: 0 },
  ];
  /** One chunk, whole: what a last one lacks is the fill value. */
  const chunkOf = (array: NumericArray, empty: number): Uint8Array<ArrayBuffer> => {
    const length = chunkChips * chipLength;
    if (array.length === length) return ownBytes(array);
    const whole = new (array.constructor as new (n: number) => NumericArray)(length).fill(empty);
    whole.set(array);
    return ownBytes(whole);
  };
  return {
    inOrderBy: chunkChips,
    async write({ data, mask, labels }) {
      for (let first = 0; first < labels.length; first += chunkChips) {
        const end = Math.min(labels.length, first + chunkChips);
        const place = zarrChunkPath([Math.floor(labels[first]!.index / chunkChips), 0, 0, 0, 0]);
        for (const [i, array] of [data, mask].entries()) {
          const bytes = chunkOf(array.subarray(first * chipLength, end * chipLength), arrays[i]!.fill);
          const path = folder.pathOf(`${arrays[i]!.name}/${place}`);
          await folder.makeFor(path);
          await folder.write(path, gzip ? await gzipped(bytes) : bytes);
          written.push(path);
        }
      }
    },
    async finish(table) {
      const dimensions = ['point', 'time', 'band', 'y', 'x'];
      const json = (document: object) => new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
      for (const array of arrays) {
        const document = zarrArrayDocument({ ...array, shape, chunkShape, dimensions, gzip, attributes: {} });
        await folder.write(folder.pathOf(`${array.name}/zarr.json`), json(document));
      }
      const path = folder.pathOf('zarr.json');
      const { times, bands, meanings, sources, pointsCrs } = table;
      await folder.write(path, json(zarrGroupDocument({ times, bands, meanings, sources, pointsCrs })));
      return [group];
    },
    abort: async () => void (await Promise.all(written.map((path) => folder.remove(path)))),
  };
}

/** The name of a chip's own file; null outside, where it has no place on the ground. */
export const tiffName = ({ index, status }: ChipLabel) =>
  status === 'outside' ? null : `chip-${String(index).padStart(6, '0')}.tif`;

/** A GeoTIFF a chip, its bands date by date; nodata is the fill value where the chip has masked samples. */
export function tiffWriter({ folder }: ChipForm): ChipWriter {
  const files: string[] = [];
  return {
    inOrderBy: null,
    async write({ data, mask, shape, labels, times, bands, meanings, fill }) {
      const [, , , side] = shape;
      const names = times.flatMap(({ label }) => bands.map((band) => (label === '' ? band : `${label}_${band}`)));
      for (const [i, label] of labels.entries()) {
        const name = tiffName(label);
        if (name === null) continue;
        const { crs, transform } = label;
        const grid = { crs: crs!, affine: transform!, width: side, height: side };
        const planeAt = (plane: number) => (i * names.length + plane) * side * side;
        const planes = names.map((_, plane) => data.subarray(planeAt(plane), planeAt(plane + 1)));
        const isWhole = !mask.subarray(planeAt(0), planeAt(names.length)).includes(0);
        const tileSize = Math.min(512, Math.ceil(side / 16) * 16);
        const nodata = isWhole ? null : fill;
        const meant = names.map((name, plane) => ({ name, ...meanings[plane % bands.length]! }));
        const options = { bands: meant, tileSize, overviews: 'none' } as const;
        const bytes = await encodeCog({ grid, names, data: planes, nodata }, options);
        const path = folder.pathOf(name);
        await folder.write(path, bytes);
        files.push(path);
      }
    },
    finish: async () => files,
    abort: async () => void (await Promise.all(files.map((path) => folder.remove(path)))),
  };
}

/** Nested lists of a chip, [nTime][nBand][side][side], with null where it is masked. */
function nestedChip({ data, mask, shape }: Chips, chip: number): unknown {
  const [, nTime, nBand, side] = shape;
  let at = chip * nTime * nBand * side * side;
  const list = (count: number, make: () => unknown) => Array.from({ length: count }, make);
  const sample = () => (mask[at] === 0 ? null : data[at]);
  const next = () => {
    const value = sample();
    at++;
    return value;
  };
  return list(nTime, () => list(nBand, () => list(side, () => list(side, next))));
}

/** One JSON document: a chip a line, then the table. */
export async function jsonWriter({ path, overwrite }: ChipForm): Promise<ChipWriter> {
  const [sink] = await openSinks([path], overwrite);
  let end = 0;
  const append = async (text: string): Promise<void> => {
    const bytes = new TextEncoder().encode(text);
    await sink!.write(end, bytes);
    end += bytes.length;
  };
  await append('{"chips": [');
  let separator = '\n';
  return {
    inOrderBy: 1,
    async write(chips) {
      for (const [i, label] of chips.labels.entries()) {
        await append(`${separator}${JSON.stringify({ ...labelRecord(label), data: nestedChip(chips, i) })}`);
        separator = ',\n';
      }
    },
    async finish(table) {
      await append(`\n],\n${JSON.stringify(table).slice(1)}\n`);
      await sink!.commit();
      return [path];
    },
    abort: () => sink!.abort(),
  };
}
