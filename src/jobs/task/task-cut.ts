// Scenes with their tiles → tasks: newest processings, fused products, periods by the sun.
import { InputError } from '../../errors.js';
import { type Calendar, calendarOf, type Frequency, type NamedPeriod } from '../../geo/frequency.js';
import { inPeriod, type Period, type PeriodCompat } from '../../geo/period.js';
import type { TileOutlines } from '../../geo/tile-outline.js';
import { newestOf } from '../../io/reprocessing.js';
import type { ProductList } from './product-list.js';
import type { SceneArena } from './scene-arena.js';
import { byTaskKey, type TaskKey } from './task.js';
import type { Candidate } from './task-candidates.js';
import { fuseScenes } from './task-scene.js';

/** A task as scenes by their numbers; its documents are written from it. */
export interface TaskDraft extends TaskKey {
  named: NamedPeriod;
  solarOffsetHours: number;
  /** By time, then id. */
  scenes: number[];
  /** In the order of `scenes`. */
  timesMs: number[];
}

export interface CutRules {
  frequency: Frequency;
  /** `--temporal-range`; null: all time. */
  range: Period | null;
  compat: PeriodCompat;
}

/** Without older processings of the same acquisition; `replaced` counts them. */
export function newestCandidates(candidates: readonly Candidate[]): { kept: Candidate[]; replaced: string[] } {
  const processed = candidates.flatMap((candidate) =>
    candidate.processing
      ? [{ ...candidate.processing, candidate, place: `${candidate.product} ${candidate.processing.place}` }]
      : [],
  );
  const { replaced } = newestOf(processed);
  const gone = new Set(replaced.map(({ candidate }) => candidate));
  return { kept: candidates.filter((candidate) => !gone.has(candidate)), replaced: replaced.map(({ id }) => id) };
}

export interface FuseRules {
  timeless: ReadonlySet<string>;
  /** Products that a group may lack. */
  optional: ReadonlySet<string>;
}

/** One tile list in all of them. */
function sharedTiles(parts: readonly Candidate[]): Candidate['tiles'] {
  const rest = parts.slice(1).map(({ tiles }) => new Set(tiles.map(({ x, y }) => `${x}/${y}`)));
  return parts[0]!.tiles.filter(({ x, y }) => rest.every((tiles) => tiles.has(`${x}/${y}`)));
}

function fuseGroup(
  group: readonly string[],
  candidates: readonly Candidate[],
  { timeless, optional }: FuseRules,
): Candidate[][] {
  const dated = new Map<string, Map<string, Candidate>>();
  const undated = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const { product, region, timeMs } = candidate;
    if (!group.includes(product)) continue;
    if (timeless.has(product)) {
      undated.set(`${product}\n${region}`, candidate);
      continue;
    }
    const key = `${timeMs}\n${region}`;
    const found = dated.get(key) ?? new Map<string, Candidate>();
    dated.set(key, found);
    // Two of one product at one time and place: the later name is the newer one.
    const other = found.get(product);
    if (!other || other.id < candidate.id) found.set(product, candidate);
  }
  return [...dated.values()].flatMap((found) => {
    const { region } = found.values().next().value!;
    const parts = group.map((product) => found.get(product) ?? undated.get(`${product}\n${region}`));
    const whole = parts.every((part, i) => part || optional.has(group[i]!));
    const there = parts.filter((part) => part !== undefined);
    return whole && there.length > 0 ? [there] : [];
  });
}

/**
 * Candidates with those of fused groups (`a+b`) made into one: same time, same region, all products that are not optional. Those of a
 * group that find no partner are left out.
 * @throws InputError when all of them are, or two parts have a band of one name
 */
export function fuseCandidates(
  candidates: readonly Candidate[],
  products: ProductList | null,
  arena: SceneArena,
  rules: FuseRules,
): Candidate[] {
  const groups = products?.groups ?? [];
  const fusing = groups.filter((group) => group.length > 1);
  if (fusing.length === 0) return [...candidates];
  const plain = new Set(groups.filter((group) => group.length === 1).flat());
  const fused = fusing.flatMap((group) =>
    fuseGroup(group, candidates, rules).map((parts): Candidate => {
      const [first] = parts as [Candidate];
      if (parts.length === 1) return first;
      const scene = fuseScenes(parts.map((part) => arena.scene(part.scene)));
      const { id, product } = scene;
      return { ...first, id, product, scene: arena.add(scene), tiles: sharedTiles(parts), processing: null };
    }),
  );
  if (fused.length === 0)
    throw new InputError(
      `no scenes: none of ${candidates.length} finds its partners for ${fusing.map((group) => group.join('+')).join(', ')} at one time and region`,
      { option: 'input-products' },
    );
  return [...candidates.filter(({ product }) => plain.has(product)), ...fused];
}

/** First and last local time of all scenes on all tiles. */
function spanOf(candidates: readonly Candidate[], hoursOf: (x: number, y: number) => number) {
  const span = { startMs: Infinity, endMs: -Infinity };
  for (const { timeMs, tiles } of candidates)
    for (const { x, y } of tiles) {
      const localMs = timeMs + hoursOf(x, y) * 3_600_000;
      span.startMs = Math.min(span.startMs, localMs);
      span.endMs = Math.max(span.endMs, localMs);
    }
  return span;
}

/** Periods are made of whole days: those of a day are looked up once. */
function keptByDay(calendar: Calendar): Calendar {
  const days = new Map<number, readonly NamedPeriod[]>();
  return (timeMs) => {
    const day = Math.floor(timeMs / 86_400_000);
    const periods = days.get(day) ?? calendar(timeMs);
    days.set(day, periods);
    return periods;
  };
}

/**
 * Tasks by period, x and y; only those that have scenes. A scene belongs to the period of its time by the sun, in whole hours for each
 * tile (under `odc` to the one of UTC where the frequency is `all`). Timeless scenes are in every task of their tiles.
 */
export function cutTasks(
  candidates: readonly Candidate[],
  { frequency, range, compat }: CutRules,
  { outlines, timeless }: { outlines: TileOutlines; timeless: ReadonlySet<string> },
): TaskDraft[] {
  const offsets = new Map<string, number>();
  const solarHours = (x: number, y: number): number => {
    const key = `${x}/${y}`;
    const hours = offsets.get(key) ?? outlines.solarOffsetHours({ x, y });
    offsets.set(key, hours);
    return hours;
  };
  const isRaw = compat === 'odc' && frequency.kind === 'all';
  const hoursOf = isRaw ? () => 0 : solarHours;
  const dated = candidates.filter(({ product }) => !timeless.has(product));
  if (dated.length === 0) return [];
  const calendar = keptByDay(calendarOf(frequency, range, spanOf(dated, hoursOf)));

  const drafts = new Map<string, { key: TaskKey; named: NamedPeriod; members: Candidate[] }>();
  const onTile = new Map<string, Set<string>>();
  for (const candidate of dated)
    for (const { x, y } of candidate.tiles) {
      if (range && !inPeriod(candidate.timeMs + solarHours(x, y) * 3_600_000, range)) continue;
      for (const named of calendar(candidate.timeMs + hoursOf(x, y) * 3_600_000)) {
        const id = `${named.key}/${x}/${y}`;
        let draft = drafts.get(id);
        if (!draft) {
          draft = { key: { period: named.key, x, y }, named, members: [] };
          drafts.set(id, draft);
          const ids = onTile.get(`${x}/${y}`) ?? new Set();
          onTile.set(`${x}/${y}`, ids.add(id));
        }
        draft.members.push(candidate);
      }
    }
  for (const candidate of candidates)
    if (timeless.has(candidate.product))
      for (const { x, y } of candidate.tiles)
        for (const id of onTile.get(`${x}/${y}`) ?? []) drafts.get(id)!.members.push(candidate);
  return [...drafts.values()]
    .map(({ key, named, members }) => draftOf(key, named, members, solarHours(key.x, key.y)))
    .sort(byTaskKey);
}

/** A task of the scenes given, by time, then id. */
export function draftOf(
  key: TaskKey,
  named: NamedPeriod,
  members: readonly Pick<Candidate, 'scene' | 'id' | 'timeMs'>[],
  solarOffsetHours: number,
): TaskDraft {
  const sorted = [...members].sort((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return {
    ...key,
    named,
    solarOffsetHours,
    scenes: sorted.map(({ scene }) => scene),
    timesMs: sorted.map(({ timeMs }) => timeMs),
  };
}
