import type { Dtype } from './raster.js';

/** One item of GDAL's metadata document (TIFF tag 42112). */
export interface MetadataItem {
  name: string;
  value: string;
  /** 0-based band, or null for the file. */
  sample: number | null;
  role: string | null;
  domain: string | null;
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** The items of a GDAL_METADATA document; what is not an `Item` is passed over. */
export function parseGdalMetadata(xml: string): MetadataItem[] {
  const items: MetadataItem[] = [];
  for (const [, attributes, body] of xml.matchAll(/<Item\b([^<>]*)>([^<]*)<\/Item>/g)) {
    const of = (key: string): string | null => {
      const found = new RegExp(`\\b${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes!);
      return found ? unescapeXml(found[1] ?? found[2]!) : null;
    };
    const sample = of('sample');
    const name = of('name');
    if (name === null) continue;
    // GDAL escapes the values twice.
    const value = unescapeXml(unescapeXml(body!));
    items.push({
      name,
      value,
      sample: sample === null ? null : Number(sample),
      role: of('role'),
      domain: of('domain'),
    });
  }
  return items;
}

const INTEGER_RANGE: Partial<Record<Dtype, readonly [number, number]>> = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
  u32: [0, 2 ** 32 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u64: [0, Number.MAX_SAFE_INTEGER],
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/**
 * The text of GDAL_NODATA as a value that samples of the dtype can have, or null. A value that they cannot have (−9999 in bytes,
 * 0.5 in integers, 1e300 in f32) marks nothing, as in GDAL. Of 64-bit integers only those that a number holds exactly count.
 */
export function parseNodata(text: string | null, dtype: Dtype): number | null {
  if (text === null) return null;
  const word = text.trim();
  const float = dtype === 'f32' || dtype === 'f64';
  if (/^[+-]?nan/i.test(word)) return float ? Number.NaN : null;
  const infinite = /^([+-]?)(?:inf|1\.#inf)/i.exec(word);
  const digits = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i.exec(word);
  if (!infinite && !digits) return null;
  const value = infinite ? (infinite[1] === '-' ? -1 : 1) * Number.POSITIVE_INFINITY : Number(digits![0]);
  if (dtype === 'f32') {
    const near = Math.fround(value);
    return Number.isFinite(near) || !Number.isFinite(value) ? near : null;
  }
  if (dtype === 'f64') return value;
  const [least, most] = INTEGER_RANGE[dtype]!;
  return Number.isInteger(value) && value >= least && value <= most ? value : null;
}
