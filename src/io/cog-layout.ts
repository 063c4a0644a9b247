import { InputError, UnsupportedError } from '../errors.js';
import type { Grid } from '../geo/grid.js';
import { type PackDtype, SAMPLE_BYTES } from '../kernels/overview.js';
import type { Predictor } from '../kernels/pack.js';
import { geoTags } from './geo-tags.js';
import { asciiTag, ifdBytes, TIFF_TYPE, type TiffTag, writeIfd } from './tiff-tags.js';

/** TIFF's codes of the compressions written here. */
const COMPRESSION_CODE = { none: 1, deflate: 8, zstd: 50000 } as const;
export type Compression = keyof typeof COMPRESSION_CODE;

/** A compression by its name; throws UnsupportedError for one that is not written here. */
export function checkCompression(name: string): Compression {
  if (Object.hasOwn(COMPRESSION_CODE, name)) return name as Compression;
  const known = Object.keys(COMPRESSION_CODE).join(', ');
  throw new UnsupportedError(`cannot write a COG with ${name} compression: there are ${known}`);
}

/** What a reader is told once per file: the directories come first, each tile carries its size in front and its last bytes behind. */
const GHOST =
  'LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n' +
  'KNOWN_INCOMPATIBLE_EDITION=NO\n ';
export const LEADER_BYTES = 4;
export const TRAILER_BYTES = 4;
const CLASSIC_END = 2 ** 32 - 1;

/** One resolution of the file: its size and its grid of tiles. */
export interface CogLevel {
  /** px */
  width: number;
  /** px */
  height: number;
  /** px; of full resolution and of the overviews, which may differ. */
  tileSize: number;
  tilesAcross: number;
  tilesDown: number;
}

/** Everything about a file that is known before its tiles are. */
export interface CogForm {
  grid: Grid;
  dtype: PackDtype;
  nBand: number;
  nodata: number | null;
  compression: Compression;
  predictor: Predictor;
  /** The first three bands are red, green and blue. */
  isRgb: boolean;
  /** The fourth is how opaque they are, colours not multiplied by it. */
  hasAlpha?: boolean;
  levels: readonly CogLevel[];
}

/** Where everything goes: the head as bytes, then for each level the offset of each tile's first data byte (0 = sparse). */
export interface CogLayout {
  big: boolean;
  head: Uint8Array;
  /** [level][tile], row-major */
  tileOffsets: readonly Float64Array[];
  totalBytes: number;
}

/** Full resolution and its halvings (rounded up), until the whole picture fits a tile of an overview, which is where GDAL stops too. */
export function cogLevels(
  size: { width: number; height: number },
  tileSize: number,
  overviews: boolean,
  overviewTileSize = tileSize,
): CogLevel[] {
  const levels: CogLevel[] = [];
  let { width, height } = size;
  for (;;) {
    const side = levels.length === 0 ? tileSize : overviewTileSize;
    levels.push({
      width,
      height,
      tileSize: side,
      tilesAcross: Math.ceil(width / side),
      tilesDown: Math.ceil(height / side),
    });
    if (!overviews || Math.max(width, height) <= overviewTileSize) return levels;
    width = Math.ceil(width / 2);
    height = Math.ceil(height / 2);
  }
}

function nodataText(nodata: number): string {
  return Number.isNaN(nodata) ? 'nan' : String(nodata);
}

/** The tags of one level but for those that say where the tiles are. */
function levelTags(form: CogForm, index: number, metadata: string): TiffTag[] {
  const { nBand, dtype, nodata, predictor } = form;
  const colours = form.isRgb ? 3 : 1;
  const { width, height, tileSize } = form.levels[index]!;
  const short = (id: number, ...values: number[]): TiffTag => ({ id, type: TIFF_TYPE.short, values });
  const long = (id: number, value: number): TiffTag => ({ id, type: TIFF_TYPE.long, values: [value] });
  const each = (value: number): number[] => new Array<number>(nBand).fill(value);
  const format = dtype.startsWith('f') ? 3 : dtype.startsWith('i') ? 2 : 1;
  return [
    ...(index > 0 ? [long(254, 1)] : []), // NewSubfileType: a reduced image
    long(256, width),
    long(257, height),
    short(258, ...each(SAMPLE_BYTES[dtype] * 8)),
    short(259, COMPRESSION_CODE[form.compression]),
    short(262, form.isRgb ? 2 : 1), // Photometric: RGB, or black is zero
    short(277, nBand),
    short(284, 1), // PlanarConfiguration: chunky
    ...(predictor > 1 ? [short(317, predictor)] : []),
    long(322, tileSize),
    long(323, tileSize),
    // ExtraSamples: all but those of the colour, unspecified or (2) unassociated alpha
    ...(nBand > colours
      ? [
          short(
            338,
            ...each(0)
              .slice(colours)
              .fill(form.hasAlpha ? 2 : 0, 0, 1),
          ),
        ]
      : []),
    short(339, ...each(format)),
    ...(index === 0 ? geoTags(form.grid) : []),
    ...(index === 0 && metadata ? [asciiTag(42112, metadata)] : []),
    ...(nodata !== null ? [asciiTag(42113, nodataText(nodata))] : []),
  ];
}

function ghostBytes(): Uint8Array {
  return new TextEncoder().encode(
    `GDAL_STRUCTURAL_METADATA_SIZE=${String(GHOST.length).padStart(6, '0')} bytes\n${GHOST}`,
  );
}

/** Offsets of the tiles when the first byte of data is at `start`: smallest overview first, full resolution last. */
function placeTiles(tileBytes: readonly Float64Array[], start: number): { offsets: Float64Array[]; end: number } {
  let end = start;
  const offsets = tileBytes.map((bytes) => new Float64Array(bytes.length));
  for (let level = tileBytes.length - 1; level >= 0; level--) {
    tileBytes[level]!.forEach((bytes, tile) => {
      if (bytes === 0) return;
      offsets[level]![tile] = end + LEADER_BYTES;
      end += LEADER_BYTES + bytes + TRAILER_BYTES;
    });
  }
  return { offsets, end };
}

/**
 * The layout of a cloud-optimised GeoTIFF with GDAL's ghost area: header, directories (main image first, overviews in
 * decreasing size), tiles. BigTIFF when asked for, or under 'auto' when classic offsets would not reach the end.
 *
 * @param tileBytes compressed bytes [level][tile], 0 = sparse
 * @param metadata the GDAL_METADATA document, or ''
 */
export function layoutCog(
  form: CogForm,
  tileBytes: readonly Float64Array[],
  metadata: string,
  bigTiff: 'auto' | boolean,
): CogLayout {
  const big = bigTiff === true;
  const ghost = ghostBytes();
  const headerBytes = big ? 16 : 8;
  let at = headerBytes + ghost.length;
  at += at & 1;
  const empty = tileBytes.map((bytes) => new Float64Array(bytes.length));
  const tags = (offsets: readonly Float64Array[], level: number): TiffTag[] => [
    ...levelTags(form, level, metadata),
    { id: 324, type: big ? TIFF_TYPE.long8 : TIFF_TYPE.long, values: offsets[level]! },
    { id: 325, type: TIFF_TYPE.long, values: tileBytes[level]! },
  ];
  const starts = form.levels.map((_, level) => {
    const start = at;
    at += ifdBytes(tags(empty, level), big);
    return start;
  });
  const { offsets, end } = placeTiles(tileBytes, at);
  if (!big && end > CLASSIC_END) {
    if (bigTiff === 'auto') return layoutCog(form, tileBytes, metadata, true);
    throw new InputError(`the file takes ${end} bytes, more than a classic TIFF can hold: allow BigTIFF`);
  }

  const head = new Uint8Array(at);
  const view = new DataView(head.buffer);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, big ? 43 : 42, true);
  if (big) {
    view.setUint16(4, 8, true);
    view.setBigUint64(8, BigInt(starts[0]!), true);
  } else {
    view.setUint32(4, starts[0]!, true);
  }
  head.set(ghost, headerBytes);
  starts.forEach((start, level) => {
    writeIfd(view, start, tags(offsets, level), { big, next: starts[level + 1] ?? 0 });
  });
  return { big, head, tileOffsets: offsets, totalBytes: end };
}

/** Text for XML: the five characters that mean something there. */
function escapeXml(text: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
  return text.replace(/[&<>"']/g, (c) => `&${names[c]};`);
}

/** GDAL's metadata document: items of the file (sample null) and of its bands, with their role where GDAL gives them one. */
export function gdalMetadata(
  items: readonly { name: string; value: string; sample: number | null; role?: string }[],
): string {
  if (items.length === 0) return '';
  const lines = items.map(({ name, value, sample, role }) => {
    const where = sample === null ? '' : ` sample="${sample}"`;
    const as = role ? ` role="${role}"` : '';
    // GDAL escapes the text twice, and unescapes it twice when it reads.
    return `  <Item name="${escapeXml(name)}"${where}${as}>${escapeXml(escapeXml(value))}</Item>`;
  });
  return `<GDALMetadata>\n${lines.join('\n')}\n</GDALMetadata>\n`;
}
