import { InputError } from '../errors.js';
import { type Crs, parseCrs } from './crs.js';

/** A 100 km square of the Military Grid Reference System, as Sentinel-2 numbers its tiles: zone, latitude band, square. */
export interface TileId {
  /** UTM zone, 1–60 */
  zone: number;
  /** Latitude band: C to X without I and O; N and later are north of the equator. */
  band: string;
  /** Two letters: column and row of the square. */
  square: string;
}

const TILE_ID = /^T?(0?[1-9]|[1-5]\d|60)([C-HJ-NP-X])([A-HJ-NP-Z][A-HJ-NP-V])$/;

/**
 * Takes a tile id apart: `10UDV`, `1CCA`, `01CCA`; a leading `T`, as in file names, and small letters are allowed.
 * @throws InputError that says which part is wrong
 */
export function parseTileId(text: string): TileId {
  const found = TILE_ID.exec(text.trim().toUpperCase());
  if (found) return { zone: Number(found[1]), band: found[2]!, square: found[3]! };
  throw new InputError(`"${text.slice(0, 40)}" is no tile id like 10UDV: ${wrongPart(text.trim().toUpperCase())}`, {
    option: 'tile',
  });
}

function wrongPart(text: string): string {
  const parts = /^T?(\d{1,2})([A-Z])([A-Z])([A-Z])$/.exec(text);
  if (!parts) return 'zone (1 to 60), latitude band (one letter) and square (two letters) are wanted';
  const [, zone, band, column, row] = parts;
  if (Number(zone) < 1 || Number(zone) > 60) return `there is no UTM zone ${zone}, they are 1 to 60`;
  if (!/[C-HJ-NP-X]/.test(band!)) return `there is no latitude band ${band}, they are C to X without I and O`;
  if (!/[A-HJ-NP-Z]/.test(column!)) return `there is no column ${column}: I and O are left out`;
  return `there is no row ${row}, they are A to V without I and O`;
}

/** `10UDV`, `1CCA`: without a leading zero, as buckets and catalogues write it. */
export function formatTileId({ zone, band, square }: TileId): string {
  return `${zone}${band}${square}`;
}

/** The UTM zone of a tile on WGS 84: EPSG 32601–32660 in the north, 32701–32760 in the south. */
export function crsOfTile({ zone, band }: TileId): Crs {
  return parseCrs(String((band >= 'N' ? 32600 : 32700) + zone));
}
