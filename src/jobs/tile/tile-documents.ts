// The documents of a finished tile, which agree with each other.
import { createHash } from 'node:crypto';
import { tileDataset } from './tile-dataset.js';
import { tileItem } from './tile-item.js';
import { tileFileNames } from './tile-name.js';
import { tileRecord } from './tile-record.js';
import type { TileResult } from './tile-result.js';

/** A document of a tile, to be written into its folder. */
export interface TileDocument {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
}

export interface TileDocumentOptions {
  /** Whether those of eodatasets3 are written too: `apply_eodatasets3`. Default true. */
  eodatasets?: boolean | undefined;
}

const hashOf = (kind: 'sha1' | 'sha256', bytes: Uint8Array) => createHash(kind).update(bytes).digest('hex');

/** Of a small file: its size, and its hashes in hexadecimal. */
export function sumsOf(bytes: Uint8Array): { bytes: number; sha1: string; sha256: string } {
  return { bytes: bytes.length, sha1: hashOf('sha1', bytes), sha256: hashOf('sha256', bytes) };
}

/** `<SHA-1>  <name>` lines, as `sha1sum -c` reads them. */
function sha1Lines(documents: readonly TileDocument[], { files }: TileResult): string {
  const order = ['band', 'rgba', 'thumbnail'];
  const rasters = [...files].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return [...documents.map(({ name, bytes }) => ({ name, sha1: hashOf('sha1', bytes) })), ...rasters]
    .map(({ sha1, name }) => `${sha1}  ${name}\n`)
    .join('');
}

/**
 * The documents of a tile in the order they are to be written: `.sha1`, `.proc-info.yaml`, `.odc-metadata.yaml` and last of all the STAC
 * item: where it is, all of the tile is there. Equal results have equal documents.
 * @throws UnsupportedError for a CRS without a definition here
 */
export async function tileDocuments(
  result: TileResult,
  { eodatasets = true }: TileDocumentOptions = {},
): Promise<{ files: TileDocument[] }> {
  const names = tileFileNames(result.title);
  const document = (name: string, mediaType: string, text: string): TileDocument => ({
    name,
    mediaType,
    bytes: new TextEncoder().encode(text),
  });
  const record = eodatasets ? document(names.record, 'text/yaml', await tileRecord(result)) : null;
  const dataset = eodatasets ? document(names.dataset, 'text/yaml', await tileDataset(result)) : null;
  const content = await tileItem(result, names.item, {
    sha1: names.sha1,
    dataset: dataset?.name ?? null,
    record: record && { name: record.name, bytes: record.bytes.length, sha256: hashOf('sha256', record.bytes) },
  });
  const item = document(names.item, 'application/geo+json', `${JSON.stringify(content, null, 2)}\n`);
  const metadata = [item, dataset, record].filter((one) => one !== null);
  const sums = document(names.sha1, 'text/plain', sha1Lines(metadata, result));
  return { files: [sums, ...metadata.reverse()] };
}
