import { Command } from 'commander';
import { InputError } from '../../errors.js';
import { folderOf } from '../../io/href.js';
import { storeFor } from '../../io/stores.js';
import { type LocateOptions, locateShapes, locateTiles, type TileName } from '../../jobs/locate-grids.js';
import { outputFolder } from '../../jobs/output-folder.js';
import type { Flags } from '../amount-option.js';
import { stopSignals } from '../stop.js';

/** `stackwise locate-grids (--grid NAME | GRID_SHAPE) EXTENT [CSV]` */
export function locateGridsCommand(): Command {
  return new Command('locate-grids')
    .description('List the tiles of a grid that share ground with polygons, as lines of x,y.')
    .argument('<files...>', 'tiles as polygons (without --grid), the extent, and a file for the list: GeoJSON or .shp')
    .option('--grid <name>', 'au_extended_30, africa_10, …, crs;resolution;pixels, or JSON')
    .option('--attr-filter <conditions>', `polygons of the extent that count: "FEAT_CODE != 'sea' AND AREA > 10"`)
    .option('--overwrite', 'replace an existing list')
    .option('--json', 'print machine-readable JSON')
    .action(run);
}

async function run(files: string[], flags: Flags, command: Command): Promise<void> {
  const grid = flags.grid as string | undefined;
  const [tiles = '', extent, csv, ...more] = grid === undefined ? files : ['', ...files];
  if (extent === undefined || more.length > 0)
    return command.error(
      grid === undefined
        ? 'wanted are --grid NAME EXTENT [CSV], or GRID_SHAPE EXTENT [CSV]'
        : 'with --grid wanted are EXTENT [CSV]',
    );
  const stop = stopSignals();
  try {
    const options: LocateOptions = {
      attributeFilter: flags.attrFilter as string | undefined,
      signal: stop.signal,
      onWarning: (text) => process.stderr.write(`${text}\n`),
    };
    if (csv !== undefined && flags.overwrite !== true) await refuseExisting(csv);
    const found =
      grid === undefined ? await locateShapes(tiles, extent, options) : await locateTiles(grid, extent, options);
    if (found.length === 0) options.onWarning?.(`no tile shares ground with ${extent}`);
    const text = found.map((name) => `${name.join(',')}\n`).join('');
    if (csv !== undefined) await storeFor(csv).write(csv, new TextEncoder().encode(text));
    process.stdout.write(shown(found, { text, csv, json: flags.json === true }));
  } finally {
    stop.dispose();
  }
}

async function refuseExisting(csv: string): Promise<void> {
  if (await outputFolder(folderOf(csv) || '.').has(csv))
    throw new InputError(`${csv} exists already: give --overwrite to replace it`);
}

function shown(
  found: readonly TileName[],
  { text, csv, json }: { text: string; csv: string | undefined; json: boolean },
): string {
  if (json) return `${JSON.stringify({ tiles: found, ...(csv !== undefined && { file: csv }) })}\n`;
  return csv === undefined ? text : `${csv}: ${found.length} tiles\n`;
}
