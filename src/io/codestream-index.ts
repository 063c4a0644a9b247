// Where the tiles of a codestream are: from the index in its main header (TLM), or by a walk from tile-part to tile-part, which
// goes no further than it must.
import { FormatError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Codestream, MARKER } from './codestream.js';
import type { ByteRange } from './store.js';

/** Finds the tile-parts of tiles. */
export interface TileIndex {
  /** In the order of the file; a FormatError when there is none. */
  partsOf(tile: number, signal?: AbortSignal): Promise<readonly ByteRange[]>;
  /** True when the file has a usable index of its own. */
  readonly indexed: boolean;
}

/** SOT with its length, tile, bytes, part and number of parts; then at least SOD. */
export const SOT_BYTES = 12;
const LEAST_PART_BYTES = SOT_BYTES + 2;
/** Read at once where tile-parts are short, so that one read shows many. */
const AHEAD_BYTES = 2 ** 18;
const SHORT_PART_BYTES = 2 ** 16;
/** The number of a tile's part is a byte; files have one to a dozen. */
const MAX_TILE_PARTS = 255;

/** Takes a part in, or answers false where the tile has as many as it can. */
function addPart(parts: Map<number, ByteRange[]>, tile: number, part: ByteRange): boolean {
  const own = parts.get(tile);
  if (own && own.length >= MAX_TILE_PARTS) return false;
  if (own) own.push(part);
  else parts.set(tile, [part]);
  return true;
}

/** The tile-parts that TLM lists, or null where it lists none or what cannot be. */
function listedParts({ tlm, frame, firstPart, range }: Codestream): Map<number, ByteRange[]> | null {
  const parts = new Map<number, ByteRange[]>();
  const nTile = frame.tilesAcross * frame.tilesDown;
  let offset = firstPart;
  let n = 0;
  for (const payload of [...tlm].sort((a, b) => a[0]! - b[0]!)) {
    if (payload.length < 2) return null;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const tileBytes = (payload[1]! >> 4) & 3;
    const lengthBytes = payload[1]! & 64 ? 4 : 2;
    const step = tileBytes + lengthBytes;
    if (tileBytes === 3 || (payload.length - 2) % step !== 0) return null;
    for (let at = 2; at < payload.length; at += step, n++) {
      const tile = tileBytes === 0 ? n : tileBytes === 1 ? view.getUint8(at) : view.getUint16(at);
      const length = lengthBytes === 4 ? view.getUint32(at + tileBytes) : view.getUint16(at + tileBytes);
      if (tile >= nTile || length < LEAST_PART_BYTES || !addPart(parts, tile, { offset, length })) return null;
      offset += length;
    }
  }
  return n > 0 && offset <= range.offset + range.length ? parts : null;
}

/** A walk over the tile-parts that can stop and go on. */
interface Walk {
  parts: Map<number, ByteRange[]>;
  /** Number of parts of a tile as its headers give it. */
  wanted: Map<number, number>;
  at: number;
  count: number;
  done: boolean;
}

/** The bytes that are read to see the next tile-part: many parts at once where they are short. */
function aheadBytes({ at, count }: Walk, { firstPart }: Codestream): number {
  return count > 0 && (at - firstPart) / count < SHORT_PART_BYTES ? AHEAD_BYTES : SOT_BYTES;
}

/** Takes note of one tile-part. */
async function step(source: ByteSource, codestream: Codestream, walk: Walk, signal?: AbortSignal): Promise<void> {
  const { url } = source;
  const { frame, range } = codestream;
  const end = Math.min(range.offset + range.length, source.fileBytes);
  const { at } = walk;
  if (at + SOT_BYTES > end) {
    walk.done = true;
    return;
  }
  const ahead = Math.min(end - at, aheadBytes(walk, codestream));
  const view = await source.view({ offset: at, length: SOT_BYTES }, signal, ahead);
  const marker = view.getUint16(0);
  if (marker === MARKER.EOC) {
    walk.done = true;
    return;
  }
  const tile = view.getUint16(4);
  const stated = view.getUint32(6);
  const length = stated === 0 ? range.offset + range.length - at : stated;
  if (marker !== MARKER.SOT || tile >= frame.tilesAcross * frame.tilesDown || length < LEAST_PART_BYTES) {
    throw new FormatError(
      `${url}: a tile is wanted at byte ${at}, got marker ${marker.toString(16).padStart(4, '0')}, tile ${tile}, ${length} bytes`,
      { url },
    );
  }
  if (!addPart(walk.parts, tile, { offset: at, length })) {
    throw new FormatError(`${url}: tile ${tile} has more than ${MAX_TILE_PARTS} parts, at byte ${at}`, { url });
  }
  walk.count++;
  const nPart = view.getUint8(11);
  if (nPart > 0) walk.wanted.set(tile, nPart);
  walk.at += length;
  walk.done = stated === 0;
}

/** An index that reads nothing before it is asked. */
export function tileIndex(source: ByteSource, codestream: Codestream): TileIndex {
  const { url } = source;
  const listed = listedParts(codestream);
  const walk: Walk = { parts: new Map(), wanted: new Map(), at: codestream.firstPart, count: 0, done: false };
  let last: Promise<void> = Promise.resolve();

  const complete = (tile: number): boolean =>
    walk.done || (walk.parts.get(tile)?.length ?? 0) >= (walk.wanted.get(tile) ?? Infinity);

  const advance = async (tile: number, signal?: AbortSignal): Promise<void> => {
    if (complete(tile)) return;
    try {
      while (!complete(tile)) {
        signal?.throwIfAborted();
        await step(source, codestream, walk, signal);
      }
    } finally {
      source.drop();
    }
  };

  return {
    indexed: listed !== null,
    async partsOf(tile, signal) {
      if (!listed) {
        // One after the other: each goes on where the one before stopped.
        const own = last.then(() => advance(tile, signal));
        last = own.catch(() => {});
        await own;
      }
      const found = (listed ?? walk.parts).get(tile);
      if (found) return found;
      const where = listed ? 'the index of tiles (TLM) lacks it' : `the tiles end at byte ${walk.at}`;
      throw new FormatError(`${url}: codestream tile ${tile} is missing: ${where}`, { url });
    },
  };
}
