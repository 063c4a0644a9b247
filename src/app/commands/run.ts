import { Command, Option } from 'commander';
import { InputError, UnsupportedError, UsageError } from '../../errors.js';
import { cannedAcl } from '../../io/s3-options.js';
import type { Json } from '../../io/stac-item.js';
import { configOf, type StatsConfig } from '../../jobs/task/stats-config.js';
import { checkRun } from '../../jobs/tile/run-check.js';
import type { RunOptions } from '../../jobs/tile/run-settings.js';
import { runTally, runTasks, type TaskReport } from '../../jobs/tile/run-tasks.js';
import { parseBytes } from '../../limit.js';
import { amount, anyNumber, type Flags } from '../amount-option.js';
import { configOption, objectOption } from '../config-option.js';
import { collect } from '../list-option.js';
import { progressReporter } from '../progress.js';
import { selectionOf } from '../selection-option.js';
import { stopSignals } from '../stop.js';

/** `stackwise run SET [tasks…] --plugin gm-s2 --location DIR` */
export function runCommand(): Command {
  return (
    new Command('run')
      .description('Make the tiles of a set of tasks: composites, COGs and their documents.')
      .argument('[set]', 'a folder or s3://bucket/prefix that save-tasks wrote, or a cache of odc-stats (.db)')
      .argument('[tasks...]', 'ids (period/x/y), indices from 0, slices like :10, @FILE of these; none: all')
      .option('--config <yaml>', 'options as YAML: a file, address or text; the command line wins')
      .option('--plugin <name>', 'gm-s2, gm-ls, gm-generic')
      .option('--plugin-config <yaml>', 'keys of the plugin, over those of --config; a file, address or text')
      .option('--cog-config <yaml>', 'how COGs are written, in place of cog_opts of --config')
      .option('--location <place>', 'a folder or s3://bucket/prefix; {product}, {version}, … are filled in')
      .option('--resolution <size>', 'other pixels on the same tiles: 30, or y,x')
      .option('--resampling <method>', 'nearest, bilinear, cubic, average or mode')
      .option('--transform-code <code>', 'a coordinate operation between datums, like EPSG:9688')
      .option('--dataset-filters <json>', 'which scenes of a task count: objects joined by |')
      .option('--overwrite', 'make anew what is there')
      .option('--dry-run', 'list what would be done, and check inputs, credentials and destination')
      .addOption(new Option('--dryrun').hideHelp())
      .option('--threads <count>', 'number of threads; -1: the cores')
      .option('--memory-limit <bytes>', 'like 4GiB (default: the cgroup or RAM less a margin)')
      .option('--concurrency <count>', 'tasks that compute at a time, which share the memory')
      .option('--max-processing-time <seconds>', 'the most that a task may take; 0: any')
      .option('--heartbeat-filepath <file>', 'gets the time every five seconds')
      .option('--public', 'anyone may read what is written to S3')
      .option('--no-public', 'the rule of the bucket holds')
      .option('--apply-eodatasets3', 'write odc-metadata.yaml, proc-info.yaml and thumbnails (the default)')
      .addOption(new Option('--apply_eodatasets3').hideHelp())
      .option('--no-apply-eodatasets3', 'write rasters, hashes and STAC items only')
      .option('--from-sqs <queue>', 'take tasks from a queue')
      .option('--href-map <from=to>', 'where scenes lie, like s3://bucket/=DIR; repeatable', collect)
      .addOption(new Option('--on-error <policy>', 'of scenes that cannot be read').choices(['fail', 'skip']))
      .addOption(
        new Option('--offset <mode>', "Sentinel-2's offset since baseline 04.00").choices(['auto', 'apply', 'none']),
      )
      .option('--nodata <value>', 'the missing value of the bands, in place of what files and items say')
      .addOption(new Option('--compat <program>', 'conventions of another program').choices(['odc']))
      .option('--work-dir <place>', 'where finished blocks wait, so that a stopped task can go on')
      .option('--no-work-dir', 'keep no finished blocks')
      .option('--report <file>', 'gets a line of JSON a task: what became of it, and where the time went')
      .option('--json', 'print machine-readable JSON lines')
      // Slices may begin with a dash.
      .allowUnknownOption()
      .action(run)
  );
}

const text = (flags: Flags, name: string) => flags[name] as string | undefined;

const withTransform = (config: Json | undefined, code: string | undefined) =>
  code === undefined ? config : { ...config, transform_code: code };

/** What the command line says; undefined where it says nothing. */
async function fromFlags(flags: Flags, signal: AbortSignal): Promise<Partial<RunOptions>> {
  const pluginConfig = await objectOption(text(flags, 'pluginConfig'), 'plugin-config', signal);
  return {
    plugin: text(flags, 'plugin'),
    pluginConfig: withTransform(pluginConfig, text(flags, 'transformCode')),
    cogOpts: await objectOption(text(flags, 'cogConfig'), 'cog-config', signal),
    location: text(flags, 'location'),
    overwrite: flags.overwrite === true || undefined,
    datasetFilters: text(flags, 'datasetFilters'),
    resolution: text(flags, 'resolution'),
    resampling: text(flags, 'resampling'),
    compat: text(flags, 'compat') as RunOptions['compat'],
    offset: text(flags, 'offset') as RunOptions['offset'],
    nodata: anyNumber(flags, 'nodata'),
    onError: text(flags, 'onError') as RunOptions['onError'],
    // Given on the command line in any spelling, or not at all.
    eodatasets3: flags.apply_eodatasets3 === true ? true : (flags.applyEodatasets3 as boolean | undefined),
    hrefMap: flags.hrefMap as string[] | undefined,
    threads: threadsOf(flags),
    memoryLimitBytes: bytesOf(text(flags, 'memoryLimit')),
    concurrency: amount(flags, 'concurrency', 'whole number'),
    maxProcessingTime: amount(flags, 'maxProcessingTime'),
    heartbeatFile: text(flags, 'heartbeatFilepath'),
    workDir: flags.workDir === false ? false : flags.workDir === true ? undefined : text(flags, 'workDir'),
    reportFile: text(flags, 'report'),
  };
}

function threadsOf(flags: Flags): number | undefined {
  return flags.threads === '-1' ? -1 : amount(flags, 'threads', 'whole number');
}

const bytesOf = (given: string | undefined) => (given === undefined || given === '' ? undefined : parseBytes(given));

function fromConfig(config: StatsConfig): Partial<RunOptions> {
  const word = <T extends string>(key: string, value: string | undefined, words: readonly T[]): T | undefined => {
    const found = words.find((one) => one === value);
    if (value === undefined || found) return found;
    throw new InputError(`${key} is one of ${words.join(', ')}, not ${value}`, { option: 'config' });
  };
  const { resolution } = config;
  return {
    plugin: config.plugin,
    pluginConfig: config.plugin_config,
    product: config.product,
    cogOpts: config.cog_opts,
    location: config.location ?? config.output_location?.trim(),
    overwrite: config.overwrite,
    datasetFilters: config.dataset_filters,
    resolution: resolution === undefined ? undefined : String(resolution),
    resampling: config.resampling,
    compat: word('compat', config.compat, ['odc']),
    offset: word('offset', config.offset, ['auto', 'apply', 'none']),
    nodata: config.nodata,
    onError: word('on_error', config.on_error, ['fail', 'skip']),
    eodatasets3: config.apply_eodatasets3,
    hrefMap: config.href_map,
    threads: config.threads,
    memoryLimitBytes: bytesOf(config.memory_limit),
    concurrency: config.concurrency,
    maxProcessingTime: config.max_processing_time,
    heartbeatFile: config.heartbeat_filepath,
    workDir: config.work_dir,
    reportFile: config.report,
  };
}

function merged(config: Partial<RunOptions>, own: Partial<RunOptions>): RunOptions {
  const given = (options: Partial<RunOptions>) =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<RunOptions>;
  const both = { ...given(config), ...given(own) };
  const { plugin, location } = both;
  if (plugin === undefined) throw new UsageError('--plugin is wanted, like gm-s2 (or "plugin" in --config)');
  if (location === undefined)
    throw new UsageError('--location is wanted: a folder or s3://bucket/prefix (or "output_location" in --config)');
  return { ...both, plugin, location, pluginConfig: { ...config.pluginConfig, ...own.pluginConfig } };
}

/** What is read without a signature and written for whom is the environment's affair, in this process and its threads. */
function settleS3(config: StatsConfig, flags: Flags, { location }: RunOptions): void {
  const isPublic = flags.public ?? (config.s3_acl === undefined ? config.s3_public : undefined);
  const acl = flags.public === false ? undefined : isPublic === true ? 'public-read' : config.s3_acl;
  if (acl !== undefined) process.env.STACKWISE_S3_ACL = cannedAcl(acl);
  else if (flags.public === false) delete process.env.STACKWISE_S3_ACL;
  if (config.aws_unsigned === true && !location.startsWith('s3:')) process.env.AWS_NO_SIGN_REQUEST ??= 'YES';
}

async function run(set: string | undefined, selection: string[], flags: Flags): Promise<void> {
  const stop = stopSignals('what is finished stays, and the same command goes on');
  const json = flags.json === true;
  const progress = progressReporter({ stream: process.stderr, json, label: 'run', unit: ' tasks' });
  try {
    if (set?.startsWith('--')) throw new UsageError(`unknown option '${set}'`);
    if (flags.fromSqs !== undefined)
      throw flags.dryRun === true || flags.dryrun === true || selection.length > 0
        ? new UsageError('--from-sqs takes its tasks from the queue: give no others, and no --dry-run')
        : new UnsupportedError('queues are not read yet: give the tasks');
    const config = configOf(await configOption(text(flags, 'config'), stop.signal), 'run');
    const options: RunOptions = {
      ...merged(fromConfig(config), await fromFlags(flags, stop.signal)),
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
      onNote: (note) => progress.note(note),
    };
    settleS3(config, flags, options);
    // With a set in the configuration all arguments are tasks.
    const [url, chosen] =
      config.filedb !== undefined && set !== undefined && !isSet(set)
        ? [config.filedb, [set, ...selection]]
        : [set ?? config.filedb, selection];
    if (url === undefined) throw new UsageError('a set of tasks is wanted');
    const tasks = selectionOf(chosen);
    if (flags.dryRun === true || flags.dryrun === true) await list(url, tasks, options, json);
    else await work(url, tasks, options, json, progress);
  } finally {
    progress.close();
    stop.dispose();
  }
}

/** Whether an argument is the place of a set and no task. */
const isSet = (word: string) => !word.startsWith('@') && !/^[-\d:]+$/.test(word) && !/--P\d/.test(word);

async function list(url: string, tasks: string[], options: RunOptions, json: boolean): Promise<void> {
  let troubled = 0;
  let count = 0;
  for await (const { id, line, trouble } of checkRun(url, tasks, options)) {
    count++;
    process.stdout.write(json ? `${JSON.stringify({ id, line, trouble })}\n` : `${line}\n`);
    if (trouble === null) continue;
    troubled++;
    options.onNote?.(`${id}: ${trouble}`);
  }
  if (troubled > 0) throw new InputError(`${troubled} of ${count} tasks could not be run`);
}

async function work(
  url: string,
  tasks: string[],
  options: RunOptions,
  json: boolean,
  progress: ReturnType<typeof progressReporter>,
): Promise<void> {
  const onTask = (report: TaskReport) => {
    // Failures are told as notes.
    if (!json && report.status === 'failed') return;
    progress.close();
    process.stdout.write(`${json ? JSON.stringify(report) : shown(report)}\n`);
  };
  // A reader that goes away ends the process, and what was left to do is not done.
  process.exitCode = 1;
  const summary = await runTasks(url, tasks, { ...options, onTask });
  process.exitCode = 0;
  progress.done();
  options.onNote?.(runTally(summary));
  if (summary.failed === 0) return;
  const failed = summary.tasks.filter(({ status }) => status === 'failed');
  throw new InputError(
    `${summary.failed} of ${summary.tasks.length} tasks failed: ${failed
      .slice(0, 5)
      .map(({ id, reason }) => `${id} (${reason})`)
      .join('; ')}${failed.length > 5 ? ` and ${failed.length - 5} more` : ''}`,
    { items: failed.map(({ id }) => id) },
  );
}

const shown = ({ id, status, url, reason }: TaskReport) =>
  `${id} ${status}${reason ? ` (${reason})` : ''}${url ? ` ${url}` : ''}`;
