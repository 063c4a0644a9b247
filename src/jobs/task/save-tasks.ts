// From scenes to a set of tasks.
import { InputError } from '../../errors.js';
import { parseFrequency } from '../../geo/frequency.js';
import { indexDigits, inTileRange, parseGridSpec } from '../../geo/gridspec.js';
import { periodLabel } from '../../geo/period.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import type { DatasetCache } from '../../io/dataset-cache.js';
import { type ProductList, parseProductList } from './product-list.js';
import { byTaskKey } from './task.js';
import { cacheGrid, cacheGroups, cachePeriod } from './task-cache.js';
import { type CandidateCounts, type CandidateRules, type Candidates, collectCandidates } from './task-candidates.js';
import { cutTasks, draftOf, fuseCandidates, newestCandidates, type TaskDraft } from './task-cut.js';
import { type ItemSource, openItems } from './task-items.js';
import { filterNames } from './task-property.js';
import { boundsOfTiles, type SaveTasksOptions, type TaskRules, taskRules } from './task-rules.js';
import type { TaskSetHead } from './task-set.js';
import { hasTaskSet, writeTaskSet } from './task-set-folder.js';

export interface SaveTasksSummary {
  /** Where the set is. */
  out: string;
  tasks: number;
  /** Distinct, after duplicates were resolved. */
  scenes: number;
  /** Items that were looked at. */
  found: number;
  periods: string[];
  files: string[];
}

/** What was left after each step, in one line. */
function trail(
  { counts }: Pick<Candidates, 'counts'>,
  { rules, products, range }: TaskRules,
  searched: string,
): string {
  const others = [...counts.products].slice(0, 5).join(', ');
  const lacking = [...counts.unstated].map(([name, count]) => `${count} do not state ${name}`).join(', ');
  const place = rules.tiles || rules.area ? 'the tiles asked for' : `tiles of ${rules.gridSpec.name}`;
  const steps: [left: number, what: string][] = [
    [counts.found, `items in ${searched}`],
    [counts.ofProducts, `of ${products?.text}${counts.ofProducts === 0 ? ` (there are ${others})` : ''}`],
    [counts.passing, `pass the filters${lacking && ` (${lacking})`}`],
    [counts.inTime, `in or next to ${range && periodLabel(range)}`],
    [counts.onTiles, `on ${place}`],
  ];
  const told = steps.filter(([left, what], i) => i === 0 || left < steps[i - 1]![0] || what.startsWith('on '));
  const end = told.findIndex(([left]) => left === 0);
  const shown = (end < 0 ? told : told.slice(0, end + 1)).map(([left, what]) => `${left} ${what}`);
  return [...shown, ...(end < 0 ? ['none in a period'] : [])].join(', then ');
}

function notesOf(counts: CandidateCounts, replaced: readonly string[], rules: CandidateRules): string[] {
  const notes: string[] = [];
  const some = (names: readonly string[]) =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  if (counts.twins > 0) notes.push(`${counts.twins} items came twice`);
  if (replaced.length > 0) notes.push(`${replaced.length} older processings are left out: ${some(replaced)}`);
  for (const [name, count] of counts.unstated) {
    const asked =
      name === 'gqa_iterative_mean_xy'
        ? '--gqa'
        : rules.filters.some((f) => filterNames(f).includes(name))
          ? 'the filter'
          : 'an option';
    notes.push(`${count} items do not state ${name}, which ${asked} asks for: they are left out`);
  }
  return notes;
}

/** The tasks of a cache as they are, of scenes that pass. */
async function draftsOfCache(
  cache: DatasetCache,
  { candidates }: Candidates,
  { rules, range }: TaskRules,
): Promise<TaskDraft[]> {
  const { gridSpec, tiles, area } = rules;
  const outlines = await tileOutlines(gridSpec);
  const byUuid = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const drafts: TaskDraft[] = [];
  for (const { period, x, y, uuids } of await cacheGroups(cache, gridSpec)) {
    const named = cachePeriod(period);
    if (range && (named.startMs > range.endMs || named.endMs < range.startMs)) continue;
    if ((tiles && !inTileRange({ x, y }, tiles)) || (area && !area.has(`${x}/${y}`))) continue;
    const members = [...new Set(uuids)].flatMap((uuid) => byUuid.get(uuid) ?? []);
    if (members.length > 0) drafts.push(draftOf({ period, x, y }, named, members, outlines.solarOffsetHours({ x, y })));
  }
  return drafts.sort(byTaskKey);
}

function headOf(
  drafts: readonly TaskDraft[],
  { products, range, rules: { gridSpec } }: TaskRules,
  frequency: string | null,
  names: string,
): TaskSetHead {
  const periods = new Map<string, { key: string; label: string; tasks: number }>();
  for (const { named } of drafts) {
    const { key, label } = named;
    const one = periods.get(key) ?? { key, label, tasks: 0 };
    one.tasks++;
    periods.set(key, one);
  }
  return {
    inputProducts: products?.text ?? names,
    gridSpec,
    frequency,
    temporalRange: range && periodLabel(range),
    tasks: drafts.length,
    scenes: new Set(drafts.flatMap(({ scenes }) => scenes)).size,
    digits: indexDigits(drafts),
    periods: [...periods.values()],
  };
}

/** `ga_ls8c_ard_3_2019--P1Y`, as odc-stats names its caches. */
function defaultOut(products: ProductList | null, { range }: TaskRules): string {
  if (!products)
    throw new InputError('a set needs a place: give --out, or --input-products to name it by', { option: 'out' });
  return `${products.text.replace(/[^\w.+-]+/g, '_')}_${range ? periodLabel(range) : 'all'}`;
}

/** The grid and, where nothing says otherwise, that the source's own tasks are taken. */
function gridOf(options: SaveTasksOptions, { cache, searched }: ItemSource) {
  if (options.grid !== undefined) return { gridSpec: parseGridSpec(options.grid), own: null };
  if (!cache) throw new InputError('tasks need a grid, like au_extended_30 or epsg:6933;10;9600', { option: 'grid' });
  if (options.frequency !== undefined)
    throw new InputError(`the tasks of ${searched} have their periods: give --grid too to cut its scenes anew`, {
      option: 'frequency',
    });
  return { gridSpec: cacheGrid(cache), own: cache };
}

async function draftsOf(source: ItemSource, settled: TaskRules, options: SaveTasksOptions, own: DatasetCache | null) {
  const { rules, products, range } = settled;
  const { compat = null, startMonth, periodLabel: label, onProgress, optionalProducts } = options;
  const frequency = parseFrequency(options.frequency ?? 'annual', { startMonth, label });
  const bounds = rules.tiles && (await boundsOfTiles(rules.gridSpec, rules.tiles));
  const items = source.items({ timeless: rules.timeless, interval: rules.interval, bounds });
  const anywhere: CandidateRules = own ? { ...rules, tiles: null, area: null, interval: null } : rules;
  const collected = await collectCandidates(items, anywhere, { onProgress: (found) => onProgress?.(found, null) });
  const { kept, replaced } =
    own || options.allProcessings
      ? { kept: collected.candidates, replaced: [] }
      : newestCandidates(collected.candidates);
  for (const note of notesOf(collected.counts, replaced, rules)) options.onNote?.(note);
  if (own) return { collected, drafts: await draftsOfCache(own, collected, settled) };
  const fuse = { timeless: rules.timeless, optional: new Set(optionalProducts ?? []) };
  const fused = kept.length > 0 ? fuseCandidates(kept, products, collected.arena, fuse) : [];
  const outlines = await tileOutlines(rules.gridSpec);
  return { collected, drafts: cutTasks(fused, { frequency, range, compat }, { outlines, timeless: rules.timeless }) };
}

/**
 * Finds scenes, cuts them into tasks by tile and period, and writes the set: a folder with a document a task, `tasks.csv`, GeoJSON of
 * each period, a picture, and `tasks.json` last.
 * @param sources items, catalogues, folders, globs, or a cache of odc-stats (`.db`), whose own tasks are taken unless a grid is given
 * @throws InputError when no task is left (unless `allowEmpty`), with what remained after each step; when `out` has a set already
 */
export async function saveTasks(sources: readonly string[], options: SaveTasksOptions): Promise<SaveTasksSummary> {
  const { inputProducts, allowEmpty, overwrite, signal, onProgress } = options;
  const products = inputProducts === undefined ? null : parseProductList(inputProducts);
  const source = await openItems({ ...options, sources }, products);
  const { gridSpec, own } = gridOf(options, source);
  const settled = await taskRules(options, gridSpec, products);
  const out = options.out ?? defaultOut(products, settled);
  if (!overwrite && (await hasTaskSet(out)))
    throw new InputError(`${out} is a set of tasks already: give --overwrite to replace it, or another --out`);
  const { collected, drafts } = await draftsOf(source, settled, options, own);
  const { counts, arena } = collected;
  if (drafts.length === 0 && !allowEmpty)
    throw new InputError(`no tasks: ${trail(collected, settled, source.searched)}; --allow-empty makes a set of none`);
  const frequency = own ? ((own.config?.freq as string | null) ?? null) : (options.frequency ?? 'annual');
  const head = headOf(drafts, settled, frequency, [...counts.products].sort().join('-'));
  const files = await writeTaskSet(
    out,
    { drafts, arena, head },
    { overwrite, signal, onProgress: (done, total) => onProgress?.(done, total) },
  );
  return {
    out,
    tasks: drafts.length,
    scenes: head.scenes,
    found: counts.found,
    periods: head.periods.map(({ key }) => key),
    files,
  };
}
