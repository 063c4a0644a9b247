import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { parseBbox } from '../geo/region.js';
import type { AreaOptions } from '../jobs/change/change-area.js';
import type { Flags } from './amount-option.js';
import { geometryOf } from './geometry-option.js';
import { numbersOf } from './list-option.js';

/** `h,v` of an option. */
export function cellOf(text: string, option: string): number[] {
  const cell = numbersOf(text);
  if (cell.length === 2 && cell.every(Number.isInteger)) return cell;
  throw new InputError(`column,row of a ${option} is wanted, like 3,9, got "${text}"`, { option });
}

/** `--chips`: a file of lines `h,v`, or `-` for the standard input. */
function chipsOf(file: string): number[][] {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new InputError(`cannot read ${file}: ${(cause as Error).message}`, { option: 'chips' }, { cause });
  }
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const cell = numbersOf(line);
    if (cell.length === 2 && cell.every(Number.isInteger)) return [cell];
    const shown = JSON.stringify(line.slice(0, 80));
    throw new InputError(`line ${i + 1} of ${file} should be column,row of a chip, and is ${shown}`, {
      option: 'chips',
    });
  });
}

/** Adds the ways to name an area of a grid of chips. */
export function withAreaOptions(command: Command): Command {
  return command
    .option('--chip <h,v>', 'one chip of the grid')
    .option('--chips <file>', 'a file of lines h,v (as of `ccdc status --missing`), or - for the standard input')
    .option('--tile <h,v>', 'the chips of a tile')
    .option('--bbox <w,s,e,n>', 'the chips that an area touches, lon/lat unless --bbox-crs')
    .option('--bbox-crs <crs>', 'CRS of --bbox')
    .option('--geometry <geojson>', 'the chips that polygons touch: a GeoJSON file or text');
}

/** What {@link withAreaOptions} understands; `h,v` that is none is refused where the grid is known. */
export function areaOf(flags: Flags): AreaOptions {
  const { chip, chips, tile, bbox, bboxCrs, geometry } = flags;
  return {
    chip: chip === undefined ? undefined : cellOf(String(chip), 'chip'),
    chips: chips === undefined ? undefined : chipsOf(String(chips)),
    tile: tile === undefined ? undefined : cellOf(String(tile), 'tile'),
    bbox: bbox === undefined ? undefined : parseBbox(String(bbox)),
    bboxCrs: bboxCrs as string | undefined,
    geometry: geometryOf(geometry as string | undefined),
  };
}
