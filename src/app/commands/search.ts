import { dirname } from 'node:path';
import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { parseBbox } from '../../geo/region.js';
import { schemeOf } from '../../io/href.js';
import { isObject, type Json } from '../../io/stac-item.js';
import { itemCollection } from '../../jobs/item-collection.js';
import { outputFolder } from '../../jobs/output-folder.js';
import { type SearchOptions, searchScenes } from '../../jobs/search.js';
import { amount, type Flags } from '../amount-option.js';
import { geometryOf } from '../geometry-option.js';
import { collect, wordsOf } from '../list-option.js';
import { stopSignals } from '../stop.js';

/** `stackwise search (--stac URL | --bucket NAME --tile ID | folders) --datetime A/B --out items.json` */
export function searchCommand(): Command {
  return new Command('search')
    .description('Find scenes in a STAC API, in an archive without an index, or in folders, and write their items.')
    .argument('[sources...]', 'folders, product folders, items or catalogues')
    .option('--stac <url>', 'a STAC API, or earth-search, planetary-computer, usgs, dea, cdse')
    .option('--collections <names>', 'of the API, comma-separated')
    .option('--ids <ids>', 'of items, comma-separated')
    .option('--query <condition>', 'like "eo:cloud_cover<20"; repeatable', collect)
    .option('--filter <json>', 'CQL2 as JSON, passed on as it is')
    .option('--prefer <name>', 'which address of an asset to take: s3, https, …')
    .addOption(new Option('--bucket <name>', 'sentinel-s2-l1c, sentinel-s2-l2a, sentinel-cogs or usgs-landsat'))
    .option('--tile <id>', 'like 10UDV')
    .option('--path-row <path/row>', 'like 001/062')
    .option('--mirror <bucket>', 'another bucket of the same layout')
    .option('--datetime <interval>', 'like 2024-06-01/2024-08-31, or open with ..')
    .option('--bbox <w,s,e,n>', 'area in degrees')
    .option('--geometry <geojson>', 'area as a GeoJSON file or text')
    .option('--max-cloud <percent>', 'leave out scenes with more cloud')
    .option('--limit <count>', 'at most so many scenes')
    .option('--out <file>', 'items as a STAC item collection')
    .option('--overwrite', 'replace an existing file')
    .option('--json', 'print machine-readable JSON')
    .action(run);
}

async function run(sources: string[], flags: Flags): Promise<void> {
  const out = flags.out as string | undefined;
  if (!out) throw new UsageError('--out FILE is wanted');
  const stop = stopSignals();
  try {
    const place = outputFolder(folderOf(out));
    if (flags.overwrite !== true && (await place.has(out)))
      throw new InputError(`${out} exists already: give --overwrite to replace it, or another --out`);
    const notes: string[] = [];
    const found = await searchScenes({
      ...searchOptions(flags),
      ...(sources.length > 0 && { sources }),
      signal: stop.signal,
      onNote: (text) => notes.push(text),
    });
    await place.make();
    await place.write(out, itemCollection(found.items, place));
    const { requests, searched, scenes } = found;
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify({ file: out, scenes: scenes.length, requests, searched, notes })}\n`);
      return;
    }
    for (const note of notes) process.stderr.write(`stackwise: ${note}\n`);
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const span = `${day(scenes[0]!.timeMs)} to ${day(scenes.at(-1)!.timeMs)}`;
    process.stdout.write(`${out}: ${scenes.length} scenes, ${span}${requests > 0 ? `, ${requests} requests` : ''}\n`);
  } finally {
    stop.dispose();
  }
}

const folderOf = (path: string) => (schemeOf(path) === null ? dirname(path) : path.slice(0, path.lastIndexOf('/')));

const OPERATORS: Readonly<Record<string, string>> = {
  '=': 'eq',
  '!=': 'neq',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
};

/** `eo:cloud_cover<20` → { "eo:cloud_cover": { "lt": 20 } }; words that are numbers, true or false are taken for that. */
export function parseQuery(conditions: readonly string[]): Json {
  const query: Record<string, Record<string, unknown>> = Object.create(null);
  for (const text of conditions) {
    const found = /^\s*([\w:.-]+)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*$/.exec(text);
    if (!found)
      throw new InputError(`--query is a property, =, !=, <, <=, > or >=, and a value, and got "${text}"`, {
        option: 'query',
      });
    const [, name, operator, word] = found as unknown as [string, string, string, string];
    const plain =
      word === 'true' ? true : word === 'false' ? false : Number.isFinite(Number(word)) ? Number(word) : word;
    query[name] = { ...query[name], [OPERATORS[operator]!]: plain };
  }
  return query;
}

export function filterOf(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw new InputError('--filter takes CQL2 as a JSON object', { option: 'filter' });
}

function searchOptions(flags: Flags): SearchOptions {
  const text = (name: string) => flags[name] as string | undefined;
  const words = (name: string) => wordsOf(flags, name)?.filter(Boolean);
  return {
    stac: text('stac'),
    collections: words('collections'),
    ids: words('ids'),
    query: flags.query ? parseQuery(flags.query as string[]) : undefined,
    filter: filterOf(text('filter')),
    alternate: text('prefer'),
    bucket: text('bucket'),
    tile: text('tile'),
    pathRow: text('pathRow'),
    mirror: text('mirror'),
    datetime: text('datetime'),
    bbox: flags.bbox === undefined ? undefined : parseBbox(String(flags.bbox)),
    geometry: geometryOf(text('geometry')),
    maxCloudPercent: amount(flags, 'maxCloud'),
    limit: amount(flags, 'limit', 'whole number'),
  };
}
