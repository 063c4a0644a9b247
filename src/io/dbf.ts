// Attributes beside shapefiles: dBASE tables (.dbf).
import { FormatError } from '../errors.js';

export type DbfValue = string | number | boolean | null;

export interface DbfTable {
  fields: string[];
  /** A record each by field; null for those marked as deleted. */
  rows: (Record<string, DbfValue> | null)[];
}

interface Field {
  name: string;
  type: string;
  offset: number;
  length: number;
}

const HEADER_BYTES = 32;
const FIELD_BYTES = 32;
const FIELDS_END = 0x0d;
const DELETED = 0x2a;
/** Limit against tables that fill the memory. */
const MAX_CELLS = 20_000_000;

/** What a .cpg file says, as browsers call encodings; UTF-8, else Windows-1252, where nothing is said. */
function decoderOf(encoding: string | null): (bytes: Uint8Array) => string {
  const label =
    encoding
      ?.trim()
      .replace(/^(ANSI|CP)[ _-]?(?=\d)/i, 'windows-')
      .replace(/^(\d{4})$/, 'windows-$1') ?? null;
  try {
    const decoder = label ? new TextDecoder(label) : null;
    if (decoder) return (bytes) => decoder.decode(bytes);
  } catch {
    // A name that nobody knows: as if nothing was said.
  }
  const [strict, latin] = [new TextDecoder('utf-8', { fatal: true }), new TextDecoder('windows-1252')];
  return (bytes) => {
    try {
      return strict.decode(bytes);
    } catch {
      return latin.decode(bytes);
    }
  };
}

function cellOf(text: string, type: string): DbfValue {
  const trimmed = text.replace(/[\0 ]+$/, '');
  if (type === 'N' || type === 'F') {
    const number = trimmed.trim() === '' || trimmed.includes('*') ? Number.NaN : Number(trimmed);
    return Number.isFinite(number) ? number : null;
  }
  if (type === 'L') return /^[YyTt]/.test(trimmed) ? true : /^[NnFf]/.test(trimmed) ? false : null;
  return trimmed === '' ? null : trimmed;
}

function fieldsOf(bytes: Uint8Array, headerBytes: number, decode: (bytes: Uint8Array) => string): Field[] {
  const fields: Field[] = [];
  let offset = 1;
  for (let at = HEADER_BYTES; at + FIELD_BYTES <= headerBytes && bytes[at] !== FIELDS_END; at += FIELD_BYTES) {
    const name = bytes.subarray(at, at + 11);
    const end = name.indexOf(0);
    const length = bytes[at + 16]!;
    fields.push({
      name: decode(end < 0 ? name : name.subarray(0, end)).trim(),
      type: String.fromCharCode(bytes[at + 11]!).toUpperCase(),
      offset,
      length,
    });
    offset += length;
  }
  return fields;
}

/** @throws FormatError for bytes that are no such table, or promise more than there is */
export function parseDbf(bytes: Uint8Array, { url, encoding }: { url: string; encoding: string | null }): DbfTable {
  const wrong = (what: string) => new FormatError(`${url}: ${what}`, { url });
  if (bytes.length < HEADER_BYTES) throw wrong('it is no dBASE table');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [nRow, headerBytes, rowBytes] = [view.getUint32(4, true), view.getUint16(8, true), view.getUint16(10, true)];
  if (headerBytes < HEADER_BYTES + 1 || headerBytes > bytes.length || rowBytes < 1) throw wrong('it is no dBASE table');
  const decode = decoderOf(encoding);
  const fields = fieldsOf(bytes, headerBytes, decode);
  const width = fields.reduce((sum, { length }) => sum + length, 1);
  if (fields.length === 0 || width > rowBytes)
    throw wrong(`its ${fields.length} fields take ${width} of ${rowBytes} bytes`);
  if (headerBytes + nRow * rowBytes > bytes.length)
    throw wrong(`${nRow} records of ${rowBytes} bytes are promised in ${bytes.length} bytes`);
  if (nRow * fields.length > MAX_CELLS) throw wrong(`it has more than ${MAX_CELLS} cells`);
  const rows = Array.from({ length: nRow }, (_, i) => {
    const at = headerBytes + i * rowBytes;
    if (bytes[at] === DELETED) return null;
    const row: Record<string, DbfValue> = Object.create(null);
    for (const { name, type, offset, length } of fields)
      row[name] = cellOf(decode(bytes.subarray(at + offset, at + offset + length)), type);
    return row;
  });
  return { fields: fields.map(({ name }) => name), rows };
}
