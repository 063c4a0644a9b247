import { FormatError, UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte-source.js';

/** Bytes of a value by TIFF's type code: BYTE, ASCII, SHORT, LONG, RATIONAL, … IFD8. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] as const;
const ASCII = 2;
/** Types whose values are whole numbers. */
const WHOLE: readonly number[] = [1, 3, 4, 6, 8, 9, 13, 16, 17, 18];
/** More entries than this in one directory are not a picture's (about 100 ids are known). */
const MAX_ENTRIES = 4096;

/** One entry of a directory: where its values are in the file. */
export interface TiffEntry {
  type: number;
  count: number;
  /** Bytes from the start of the file to the first value. */
  at: number;
}

export interface TiffDirectory {
  entries: Map<number, TiffEntry>;
  /** Offset of the next directory, 0 = none. */
  next: number;
}

/** Byte order and size of offsets, from the first bytes of the file. */
export interface TiffOrder {
  little: boolean;
  big: boolean;
  /** Offset of the first directory. */
  first: number;
}

function offsetOf(view: DataView, at: number, { little, big }: Pick<TiffOrder, 'little' | 'big'>): number {
  return big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
}

/** Reads the file header; anything but a TIFF is refused by what it is. */
export async function readTiffOrder(source: ByteSource): Promise<TiffOrder> {
  const { url, fileBytes } = source;
  if (fileBytes < 8) throw new FormatError(`${url}: neither TIFF nor JPEG 2000: it has ${fileBytes} bytes`, { url });
  const view = await source.view({ offset: 0, length: Math.min(16, fileBytes) });
  const mark = view.getUint16(0);
  if (mark === 0x0000 && view.byteLength >= 8 && view.getUint32(4) === 0x6a502020) {
    throw new UnsupportedError(`${url}: JPEG 2000 files are not read here`, { url });
  }
  if (mark === 0xff4f) throw new UnsupportedError(`${url}: JPEG 2000 codestreams are not read here`, { url });
  const little = mark === 0x4949;
  const version = view.getUint16(2, little);
  const big = version === 43;
  if ((!little && mark !== 0x4d4d) || (!big && version !== 42)) {
    throw new FormatError(`${url}: neither TIFF nor JPEG 2000: it begins with ${mark.toString(16).padStart(4, '0')}`, {
      url,
    });
  }
  if (big && (view.byteLength < 16 || view.getUint16(4, little) !== 8)) {
    throw new FormatError(`${url}: a BigTIFF header that says nothing of 8-byte offsets`, { url });
  }
  return { little, big, first: offsetOf(view, big ? 8 : 4, { little, big }) };
}

/** Reads the table of a directory; the values outside it are read when asked for. */
export async function readDirectory(
  source: ByteSource,
  order: TiffOrder,
  at: number,
  signal?: AbortSignal,
): Promise<TiffDirectory> {
  const { url } = source;
  const { little, big } = order;
  const countBytes = big ? 8 : 2;
  const entryBytes = big ? 20 : 12;
  const head = await source.view({ offset: at, length: countBytes }, signal);
  const nEntry = big ? Number(head.getBigUint64(0, little)) : head.getUint16(0, little);
  if (nEntry === 0 || nEntry > MAX_ENTRIES) {
    throw new FormatError(`${url}: the directory at ${at} says it has ${nEntry} entries`, { url });
  }
  const tableBytes = nEntry * entryBytes;
  const nextBytes = big ? 8 : 4;
  const start = at + countBytes;
  // A file may end with its last directory, without the offset of a next one.
  const hasNext = start + tableBytes + nextBytes <= source.fileBytes;
  const range = { offset: start, length: tableBytes + (hasNext ? nextBytes : 0) };
  const view = await source.view(range, signal);
  const entries = new Map<number, TiffEntry>();
  for (let i = 0; i < nEntry; i++) {
    const p = i * entryBytes;
    const id = view.getUint16(p, little);
    const type = view.getUint16(p + 2, little);
    const count = offsetOf(view, p + 4, order);
    const size = TYPE_BYTES[type] ?? 0;
    // An entry of an unknown type stays, so that a tag that decides how pixels are read is not taken for absent.
    if (entries.has(id)) continue;
    const value = p + (big ? 12 : 8);
    const inside = count * size <= (big ? 8 : 4);
    entries.set(id, { type, count, at: inside ? start + value : offsetOf(view, value, order) });
  }
  return { entries, next: hasNext ? offsetOf(view, tableBytes, order) : 0 };
}

/** Values of an entry as numbers (f64: offsets beyond 2^53 do not exist in files), or null when the directory lacks it. */
export interface TagReader {
  has(id: number): boolean;
  /** True when the entry is there and has whole numbers. */
  isWhole(id: number): boolean;
  count(id: number): number;
  /** All values, at most `most` of them; null when the entry is not there. */
  numbers(id: number, most?: number): Promise<Float64Array | null>;
  /** The value of an entry that has one whole number, or `otherwise`; an entry of another kind is a FormatError. */
  number(id: number, otherwise: number): Promise<number>;
  text(id: number): Promise<string | null>;
  bytes(id: number): Promise<Uint8Array | null>;
}

/** Metadata larger than this is refused: no header needs it, and it would be held per file. */
const MAX_VALUE_BYTES = 1 << 28;

function valueAt(view: DataView, p: number, type: number, little: boolean): number {
  switch (type) {
    case 3:
      return view.getUint16(p, little);
    case 4:
    case 13:
      return view.getUint32(p, little);
    case 5:
      return view.getUint32(p, little) / view.getUint32(p + 4, little);
    case 6:
      return view.getInt8(p);
    case 8:
      return view.getInt16(p, little);
    case 9:
      return view.getInt32(p, little);
    case 10:
      return view.getInt32(p, little) / view.getInt32(p + 4, little);
    case 11:
      return view.getFloat32(p, little);
    case 12:
      return view.getFloat64(p, little);
    case 16:
    case 18:
      return Number(view.getBigUint64(p, little));
    case 17:
      return Number(view.getBigInt64(p, little));
    default:
      return view.getUint8(p);
  }
}

/** Reads the values of a directory's entries. */
export function tagReader(
  source: ByteSource,
  order: TiffOrder,
  { entries }: TiffDirectory,
  signal?: AbortSignal,
): TagReader {
  const viewOf = async (id: number, most: number): Promise<{ view: DataView; type: number; count: number } | null> => {
    const entry = entries.get(id);
    if (!entry) return null;
    const size = TYPE_BYTES[entry.type] ?? 0;
    if (size === 0) return null;
    const count = Math.min(entry.count, most);
    const length = count * size;
    if (length > MAX_VALUE_BYTES) {
      throw new UnsupportedError(`${source.url}: the values of tag ${id} take ${length} bytes`, { url: source.url });
    }
    const view =
      length > 0 ? await source.view({ offset: entry.at, length }, signal) : new DataView(new ArrayBuffer(0));
    return { view, type: entry.type, count };
  };
  const numbers = async (id: number, most = Number.POSITIVE_INFINITY): Promise<Float64Array | null> => {
    const values = await viewOf(id, most);
    if (!values) return null;
    const size = TYPE_BYTES[values.type]!;
    const out = new Float64Array(values.count);
    for (let i = 0; i < out.length; i++) out[i] = valueAt(values.view, i * size, values.type, order.little);
    return out;
  };
  const bytes = async (id: number): Promise<Uint8Array | null> => {
    const values = await viewOf(id, Number.POSITIVE_INFINITY);
    return values && new Uint8Array(values.view.buffer, values.view.byteOffset, values.view.byteLength).slice();
  };
  return {
    has: (id) => entries.has(id),
    isWhole: (id) => WHOLE.includes(entries.get(id)?.type ?? 0),
    count: (id) => entries.get(id)?.count ?? 0,
    numbers,
    bytes,
    async number(id, otherwise) {
      const entry = entries.get(id);
      if (!entry) return otherwise;
      if (entry.count !== 1 || !WHOLE.includes(entry.type)) {
        const { url } = source;
        throw new FormatError(
          `${url}: tag ${id} should be one whole number, got ${entry.count} of type ${entry.type}`,
          {
            url,
          },
        );
      }
      return (await numbers(id, 1))![0]!;
    },
    async text(id) {
      if (entries.get(id)?.type !== ASCII) return null;
      const raw = await bytes(id);
      if (!raw) return null;
      const end = raw.indexOf(0);
      return new TextDecoder().decode(end < 0 ? raw : raw.subarray(0, end));
    },
  };
}
