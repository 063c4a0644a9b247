// Names of files of change products: LCMAP's where the area is a tile of Landsat ARD's grids.
import { CHIP_GRIDS, type ChipGrid } from '../geo/chip-grid.js';
import type { ChipRange } from './change/result-store.js';

/** LCMAP's regions by the grids' names. */
const REGIONS: Readonly<Record<string, string>> = { conus: 'CU', alaska: 'AK', hawaii: 'HI' };
/** Of the products' definition here. */
const VERSION = 'V01';
const LARGEST_TILE = 999;

function regionOf(grid: ChipGrid): string | null {
  const region = Object.hasOwn(REGIONS, grid.name) ? REGIONS[grid.name]! : null;
  const named = CHIP_GRIDS[grid.name as keyof typeof CHIP_GRIDS];
  const isSame = region !== null && (Object.keys(named) as (keyof ChipGrid)[]).every((key) => named[key] === grid[key]);
  return isSame ? region : null;
}

/** The tile that a range of chips is, or null. */
function tileOf({ tileChips: n }: ChipGrid, { hMin, vMin, hMax, vMax }: ChipRange): { h: number; v: number } | null {
  const [h, v] = [hMin / n, vMin / n];
  const isTile = Number.isInteger(h) && Number.isInteger(v) && hMax === hMin + n - 1 && vMax === vMin + n - 1;
  return isTile ? { h, v } : null;
}

const padded = (n: number) => String(n).padStart(3, '0');
const inName = (text: string) => text.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 40) || 'grid';

/**
 * The name of an area on a day, without product and ending: `LCMAP_CU_003009_2014_20140701_V01` for tile 3, 9 of CONUS; else
 * `CCDC_<grid>_` and `tile-h3v9`, `chip-h157v454` or `chips-h157v454-h160v460`, then the same.
 */
export function productStem(grid: ChipGrid, range: ChipRange, date: string): string {
  const day = `${date.slice(0, 4)}_${date.replaceAll('-', '')}_${VERSION}`;
  const tile = tileOf(grid, range);
  const region = regionOf(grid);
  if (region && tile && [tile.h, tile.v].every((n) => n >= 0 && n <= LARGEST_TILE)) {
    return `LCMAP_${region}_${padded(tile.h)}${padded(tile.v)}_${day}`;
  }
  const { hMin, vMin, hMax, vMax } = range;
  const first = `h${hMin}v${vMin}`;
  const last = `h${hMax}v${vMax}`;
  const chips = first === last ? `chip-${first}` : `chips-${first}-${last}`;
  return `CCDC_${inName(region ?? grid.name)}_${tile ? `tile-h${tile.h}v${tile.v}` : chips}_${day}`;
}
