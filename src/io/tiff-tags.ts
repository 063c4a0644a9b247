/** TIFF field types written here, by their code in the file. */
export const TIFF_TYPE = { ascii: 2, short: 3, long: 4, double: 12, long8: 16 } as const;
type TiffType = (typeof TIFF_TYPE)[keyof typeof TIFF_TYPE];

const TYPE_BYTES: Record<TiffType, number> = { 2: 1, 3: 2, 4: 4, 12: 8, 16: 8 };

/** One entry of an image file directory; ASCII values are the bytes with their closing zero. */
export interface TiffTag {
  id: number;
  type: TiffType;
  values: readonly number[] | Float64Array | Uint8Array;
}

/** Text as an ASCII field (UTF-8, as GDAL reads it). */
export function asciiTag(id: number, text: string): TiffTag {
  return { id, type: TIFF_TYPE.ascii, values: new TextEncoder().encode(`${text}\0`) };
}

/** Bytes that an entry's values take outside its directory, padded to an even number; 0 when they fit inside. */
function outsideBytes(tag: TiffTag, big: boolean): number {
  const bytes = tag.values.length * TYPE_BYTES[tag.type];
  return bytes <= (big ? 8 : 4) ? 0 : bytes + (bytes & 1);
}

/** Bytes of a directory with the values that stand behind it. */
export function ifdBytes(tags: readonly TiffTag[], big: boolean): number {
  const inside = big ? 8 + tags.length * 20 + 8 : 2 + tags.length * 12 + 4;
  return tags.reduce((sum, tag) => sum + outsideBytes(tag, big), inside);
}

function writeValues(view: DataView, at: number, tag: TiffTag): void {
  const size = TYPE_BYTES[tag.type];
  tag.values.forEach((value: number, i: number) => {
    const p = at + i * size;
    if (tag.type === TIFF_TYPE.ascii) view.setUint8(p, value);
    else if (tag.type === TIFF_TYPE.short) view.setUint16(p, value, true);
    else if (tag.type === TIFF_TYPE.long) view.setUint32(p, value, true);
    else if (tag.type === TIFF_TYPE.double) view.setFloat64(p, value, true);
    else view.setBigUint64(p, BigInt(value), true);
  });
}

/**
 * Writes a little-endian directory at `at` (an even offset from the start of the file), entries in ascending order of id, values
 * that do not fit behind it.
 */
export function writeIfd(
  view: DataView,
  at: number,
  tags: readonly TiffTag[],
  { big, next }: { big: boolean; next: number },
): void {
  const offset = (p: number, value: number): void =>
    big ? view.setBigUint64(p, BigInt(value), true) : view.setUint32(p, value, true);
  const sorted = [...tags].sort((p, q) => p.id - q.id);
  if (big) view.setBigUint64(at, BigInt(sorted.length), true);
  else view.setUint16(at, sorted.length, true);
  let entry = at + (big ? 8 : 2);
  let outside = entry + sorted.length * (big ? 20 : 12) + (big ? 8 : 4);
  for (const tag of sorted) {
    view.setUint16(entry, tag.id, true);
    view.setUint16(entry + 2, tag.type, true);
    offset(entry + 4, tag.values.length);
    const value = entry + (big ? 12 : 8);
    const bytes = outsideBytes(tag, big);
    if (bytes > 0) {
      offset(value, outside);
      writeValues(view, outside, tag);
      outside += bytes;
    } else {
      writeValues(view, value, tag);
    }
    entry += big ? 20 : 12;
  }
  offset(entry, next);
}
