import { FormatError } from '../errors.js';
import { withBuffer } from './buffers.js';
import { type Foreseen, foreseenReads } from './foreseen.js';
import type { ByteRange, Store, StoreOptions } from './store.js';

/** The first read: what GDAL's COG driver writes for a scene fits in, and so does a small file altogether. */
const HEAD_BYTES = 32768;
/** Later reads of directories fetch at least this much, because the next directory is often near. */
const AHEAD_BYTES = 8192;

/** The parts of a file that have been read, as a view of the whole. */
export interface ByteSource {
  readonly url: string;
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** A view of a range, which is read unless it is here already, with up to `aheadBytes` of what follows. */
  view(range: ByteRange, signal?: AbortSignal, aheadBytes?: number): Promise<DataView>;
  /** Reads a range past the memory of this source, and lends the bytes until `use` has settled. */
  lend<T>(range: ByteRange, use: (bytes: Uint8Array) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Of files behind a network: tells of a range that will be lent, so that it can be read before. Null: reads wait for nothing. */
  foresee: ((range: ByteRange) => Foreseen) | null;
  /** Forgets what was read. */
  drop(): void;
}

export async function openByteSource(url: string, store: Store, signal?: AbortSignal): Promise<ByteSource> {
  const options = signal ? { signal } : {};
  const head = await store.read(url, { offset: 0, length: HEAD_BYTES }, options);
  const fileBytes = head.length < HEAD_BYTES ? head.length : (await store.stat(url, options)).bytes;
  let pieces: { offset: number; bytes: Uint8Array }[] = [{ offset: 0, bytes: head }];

  const find = ({ offset, length }: ByteRange) =>
    pieces.find((p) => offset >= p.offset && offset + length <= p.offset + p.bytes.length);

  const read = async ({ offset, length }: ByteRange, options: StoreOptions): Promise<Uint8Array> => {
    if (!(offset >= 0 && length >= 0 && offset + length <= fileBytes)) {
      throw new FormatError(
        `${url}: ${length} bytes at ${offset} are wanted, and the file ends at ${fileBytes}: it is cut off or corrupt`,
        { url },
      );
    }
    const bytes = await store.read(url, { offset, length }, options);
    if (bytes.length !== length) {
      throw new FormatError(`${url}: ${length} bytes at ${offset} are wanted, got ${bytes.length}`, { url });
    }
    return bytes;
  };

  const foreseen = store.isFar ? foreseenReads((range, signal) => read(range, { signal })) : null;

  return {
    url,
    fileBytes,
    foresee: foreseen && ((range) => foreseen.foresee(range)),
    async lend(range, use, signal) {
      const taken = foreseen?.take(range);
      if (taken) {
        try {
          return await use(await taken.bytes(signal));
        } finally {
          taken.giveBack();
        }
      }
      return withBuffer(range.length, async (into) => use(await read(range, { into, ...(signal && { signal }) })));
    },
    async view(range, signal, aheadBytes = AHEAD_BYTES) {
      let piece = find(range);
      if (!piece) {
        const length = Math.max(range.length, Math.min(aheadBytes, fileBytes - range.offset));
        piece = { offset: range.offset, bytes: await read({ offset: range.offset, length }, signal ? { signal } : {}) };
        pieces.push(piece);
      }
      const { buffer, byteOffset } = piece.bytes;
      return new DataView(buffer, byteOffset + range.offset - piece.offset, range.length);
    },
    drop() {
      pieces = [];
    },
  };
}
