// Zarr, version 3: a folder with a document an array and a file a chunk.
import { DTYPE_NAMES, type Dtype } from './raster.js';

export interface ZarrArray {
  dtype: Dtype;
  shape: readonly number[];
  /** The last chunk along an axis is stored whole. */
  chunkShape: readonly number[];
  fill: number;
  dimensions: readonly string[];
  gzip: boolean;
  attributes: Readonly<Record<string, unknown>>;
}

/** JSON has no NaN and no infinities; Zarr writes them as words. */
const fillValue = (fill: number) =>
  Number.isNaN(fill) ? 'NaN' : fill === 0 ? 0 : Number.isFinite(fill) ? fill : fill > 0 ? 'Infinity' : '-Infinity';

/** The zarr.json of an array: bytes little-endian, then gzip if that is asked for. */
export function zarrArrayDocument({ dtype, shape, chunkShape, fill, dimensions, gzip, attributes }: ZarrArray): object {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: DTYPE_NAMES[dtype],
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: fillValue(fill),
    codecs: [
      { name: 'bytes', configuration: { endian: 'little' } },
      ...(gzip ? [{ name: 'gzip', configuration: { level: 6 } }] : []),
    ],
    attributes,
    dimension_names: dimensions,
  };
}

/** The zarr.json of a folder of arrays. */
export function zarrGroupDocument(attributes: Readonly<Record<string, unknown>>): object {
  return { zarr_format: 3, node_type: 'group', attributes };
}

/** Where a chunk lies under its array's folder. */
export const zarrChunkPath = (indices: readonly number[]) => `c/${indices.join('/')}`;

export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
