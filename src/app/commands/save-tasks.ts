import { Command, Option } from 'commander';
import { InputError, UsageError } from '../../errors.js';
import { saveTasks } from '../../jobs/task/save-tasks.js';
import type { StatsConfig } from '../../jobs/task/stats-config.js';
import { configOf } from '../../jobs/task/stats-config.js';
import type { SaveTasksOptions } from '../../jobs/task/task-rules.js';
import { amount, type Flags } from '../amount-option.js';
import { configOption } from '../config-option.js';
import { geometryOf } from '../geometry-option.js';
import { progressReporter } from '../progress.js';
import { stopSignals } from '../stop.js';
import { filterOf, parseQuery } from './search.js';

const collect = (value: string, previous: string[] = []) => [...previous, value];

/** `stackwise save-tasks (sources | --stac URL | --bucket NAME) --grid NAME --out SET` */
export function saveTasksCommand(): Command {
  return (
    new Command('save-tasks')
      .description('Cut scenes into tasks by tile and period, and write them as a set that workers take one by one.')
      .argument('[sources...]', 'items, catalogues, folders, globs, or a cache of odc-stats (.db)')
      .option('--out <set>', 'a folder or s3://bucket/prefix (default: <products>_<range>)')
      .option('--grid <name>', 'au_extended_30, africa_10, …, crs;resolution;pixels, or JSON')
      .option(
        '--frequency <name>',
        'annual, annual-fy, semiannual, seasonal, quarterly, monthly, rolling-3months, all, …',
      )
      .option('--start-month <month>', 'of a water-year, 1 to 12')
      .addOption(
        new Option('--period-label <which>', 'what rolling periods are called by').choices(['start', 'centre']),
      )
      .option('--temporal-range <period>', 'like 2019--P1Y or 2019-03--P3M')
      .option('--year <year>', 'the same as --temporal-range <year>--P1Y')
      .option('--input-products <names>', 'a-b or a,b: all of both; a+b: both fused into one')
      .option('--optional-products <name>', 'may be missing where products are fused; repeatable', collect)
      .option('--ignore-time <name>', 'a product without time, like elevation; repeatable', collect)
      .option('--tiles <x0:x1,y0:y1>', 'columns and rows of tiles, ends not counted')
      .option('--geometry <geojson>', 'tiles that polygons touch, as a GeoJSON file or text')
      .option('--geojson-filter <file>', 'the same, of which only the first feature counts')
      .option('--gqa <value>', 'most of gqa:iterative_mean_xy')
      .option('--usgs-collection-category <name>', 'of ls5_sr, ls7_sr, ls8_sr and ls9_sr, like T1')
      .option('--dataset-filter <json>', 'like {"dataset_maturity":"final"}; any property of STAC or ODC')
      .option('--max-cloud <percent>', 'leave out scenes with more cloud')
      .option('--stac <url>', 'a STAC API, or earth-search, planetary-computer, usgs, dea, cdse')
      .option('--collections <names>', 'of the API, comma-separated (default: the input products)')
      .option('--query <condition>', 'of the API, like "eo:cloud_cover<20"; repeatable', collect)
      .option('--filter <json>', 'of the API, CQL2 as JSON, passed on as it is')
      .option('--prefer <name>', 'which address of an asset to take: s3, https, …')
      .option('--bucket <name>', 'sentinel-s2-l1c, sentinel-s2-l2a, sentinel-cogs or usgs-landsat')
      .option('--tile <id>', 'of the bucket, like 10UDV')
      .option('--path-row <path/row>', 'of the bucket, like 001/062')
      .option('--mirror <bucket>', 'another bucket of the same layout')
      .option('--all-processings', 'keep older processings of an acquisition')
      .option('--href-map <from=to>', 'where scenes lie, like s3://bucket/=DIR; repeatable', collect)
      .addOption(new Option('--compat <program>', 'conventions of another program').choices(['odc']))
      .option('--allow-empty', 'a set without tasks is no failure')
      .option('--overwrite', 'replace an existing set')
      .option('--config <yaml>', 'options as YAML: a file, address or text; the command line wins')
      .option('--json', 'print machine-readable JSON')
      // Of odc-stats: there is no database to choose here, and no cache to compress.
      .addOption(new Option('-E, --env <name>').hideHelp())
      .addOption(new Option('-z <level>').hideHelp())
      .action(run)
  );
}

const words = (value: unknown) =>
  value === undefined
    ? undefined
    : [value]
        .flat()
        .flatMap((text) => String(text).split(','))
        .map((word) => word.trim())
        .filter(Boolean);

/** What the command line says; undefined where it says nothing. */
function fromFlags(flags: Flags): SaveTasksOptions & { year?: number | undefined } {
  const text = (name: string) => flags[name] as string | undefined;
  if (flags.geometry !== undefined && flags.geojsonFilter !== undefined)
    throw new UsageError('give one area, not both --geometry and --geojson-filter');
  return {
    out: text('out'),
    grid: text('grid'),
    frequency: text('frequency'),
    startMonth: amount(flags, 'startMonth', 'whole number'),
    periodLabel: text('periodLabel') as SaveTasksOptions['periodLabel'],
    temporalRange: text('temporalRange'),
    year: amount(flags, 'year', 'whole number'),
    inputProducts: text('inputProducts'),
    optionalProducts: words(flags.optionalProducts),
    ignoreTime: words(flags.ignoreTime),
    tiles: text('tiles'),
    geometry: geometryOf(text('geometry') ?? text('geojsonFilter')),
    firstFeature: flags.geojsonFilter === undefined ? undefined : true,
    gqa: amount(flags, 'gqa'),
    usgsCollectionCategory: text('usgsCollectionCategory'),
    datasetFilter: text('datasetFilter'),
    maxCloudPercent: amount(flags, 'maxCloud'),
    stac: text('stac'),
    collections: words(flags.collections),
    query: flags.query ? parseQuery(flags.query as string[]) : undefined,
    filter: filterOf(text('filter')),
    alternate: text('prefer'),
    bucket: text('bucket'),
    tile: text('tile'),
    pathRow: text('pathRow'),
    mirror: text('mirror'),
    allProcessings: flags.allProcessings === true || undefined,
    hrefMap: flags.hrefMap as string[] | undefined,
    compat: text('compat') as SaveTasksOptions['compat'],
    overwrite: flags.overwrite === true || undefined,
    allowEmpty: flags.allowEmpty === true || undefined,
  };
}

/** `[[5, 6], [6, 7]]`, as odc-stats stores ranges of tiles, or their text. */
function tilesText(tiles: StatsConfig['tiles']): string | undefined {
  if (!Array.isArray(tiles)) return tiles as string | undefined;
  return tiles.map((side) => [side].flat().join(':')).join(',');
}

function fromConfig(config: StatsConfig): SaveTasksOptions & { year?: number | undefined } {
  const { grid, compat, period_label: label, geometry } = config;
  if (compat !== undefined && compat !== 'odc')
    throw new InputError(`compat is odc, not ${compat}`, { option: 'config' });
  if (label !== undefined && label !== 'start' && label !== 'centre')
    throw new InputError(`period_label is start or centre, not ${label}`, { option: 'config' });
  return {
    out: config.out,
    grid: typeof grid === 'object' ? JSON.stringify(grid) : grid,
    frequency: config.frequency,
    startMonth: config.start_month,
    periodLabel: label,
    temporalRange: config.temporal_range,
    year: config.year,
    inputProducts: config.input_products,
    optionalProducts: config.optional_products,
    ignoreTime: config.ignore_time,
    tiles: tilesText(config.tiles),
    geometry: typeof geometry === 'string' ? geometryOf(geometry) : geometry,
    firstFeature: config.first_feature,
    gqa: config.gqa,
    usgsCollectionCategory: config.usgs_collection_category,
    datasetFilter: config.dataset_filter,
    maxCloudPercent: config.max_cloud,
    stac: config.stac,
    collections: config.collections,
    alternate: config.prefer,
    bucket: config.bucket,
    tile: config.tile,
    pathRow: config.path_row,
    mirror: config.mirror,
    allProcessings: config.all_processings,
    hrefMap: config.href_map,
    compat,
    overwrite: config.overwrite,
    allowEmpty: config.allow_empty,
  };
}

type Given = SaveTasksOptions & { year?: number | undefined };

function merged(config: Given, flags: Given): SaveTasksOptions {
  const given = (options: Given) =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if (flags.year !== undefined && flags.temporalRange !== undefined)
    throw new UsageError('give one time, not both --year and --temporal-range');
  const own: Given = given(flags);
  const rest: Given = given(config);
  // A time of the command line stands for either of the configuration's.
  if (own.year !== undefined || own.temporalRange !== undefined) {
    delete rest.year;
    delete rest.temporalRange;
  }
  if (own.stac !== undefined || own.bucket !== undefined) {
    delete rest.stac;
    delete rest.bucket;
  }
  const { year, ...options }: Given = { ...rest, ...own };
  if (year === undefined) return options;
  if (options.temporalRange !== undefined) throw new UsageError('give one time, not both year and temporal_range');
  return { ...options, temporalRange: `${String(year).padStart(4, '0')}--P1Y` };
}

async function run(sources: string[], flags: Flags): Promise<void> {
  const stop = stopSignals();
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'save-tasks', unit: ' tasks' });
  try {
    const own = fromFlags(flags);
    if (flags.env !== undefined)
      progress.note('--env is passed over: scenes come from the sources, and there is no database');
    if (flags.z !== undefined) progress.note('-z is passed over: a set is a folder of JSON');
    const config = configOf(await configOption(flags.config as string | undefined, stop.signal), 'save-tasks');
    const options = merged(fromConfig(config), own);
    const from =
      sources.length > 0 || options.stac !== undefined || options.bucket !== undefined
        ? sources
        : (config.sources ?? []);
    if (options.grid === undefined && !(from.length === 1 && /\.db$/i.test(from[0]!)))
      throw new UsageError('--grid is wanted, like au_extended_30 or epsg:6933;10;9600');
    const summary = await saveTasks(from, {
      ...options,
      signal: stop.signal,
      onProgress: (done, total) => total !== null && progress.update(done, total),
      onNote: (text) => progress.note(text),
    });
    progress.done();
    const { out, tasks, scenes, found, periods } = summary;
    const span = periods.length > 1 ? `${periods[0]} to ${periods.at(-1)}` : (periods[0] ?? 'no period');
    process.stdout.write(
      json ? `${JSON.stringify(summary)}\n` : `${out}: ${tasks} tasks of ${scenes} scenes (${found} found), ${span}\n`,
    );
  } finally {
    progress.close();
    stop.dispose();
  }
}
