import { InputError } from '../errors.js';
import { type Crs, describeCrs, sameCrs } from '../geo/crs.js';
import { type Interval, inInterval, monthOf } from '../geo/time.js';
import type { Scene } from '../io/scene.js';

export interface Selection {
  interval?: Interval | null;
  /** 1–12 */
  months?: readonly number[] | null;
  /** 0–100; scenes that do not state their cloud cover stay. */
  maxCloudPercent?: number | null;
  /** The earliest so many. */
  limit?: number | null;
  /** West, south, east, north in degrees: scenes that surely lie outside are dropped. */
  lonLatBounds?: readonly [number, number, number, number] | null;
  /** What was searched, for the message when nothing is left. */
  source?: string;
}

export type DropReason = 'duplicate' | 'area' | 'datetime' | 'months' | 'cloud' | 'limit';

export interface Selected {
  /** By time, then id. */
  scenes: Scene[];
  dropped: { id: string; reason: DropReason }[];
  /** For the user: duplicates and the like. */
  notes: string[];
}

/** Whether a scene may touch a box in degrees; one that says nothing of its place may. */
function touches(scene: Scene, [west, south, east, north]: readonly [number, number, number, number]): boolean {
  if (!scene.bbox) return true;
  const [w, s, e, n] = scene.bbox;
  if (s > north || n < south) return false;
  return w <= e ? w <= east && e >= west : w <= east || e >= west; // west > east: across the antimeridian
}

function byTime(a: Scene, b: Scene): number {
  return a.timeMs - b.timeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** One scene an id: bands that the first lacks are taken from the others (some archives split a scene over items). */
function withoutTwins(scenes: readonly Scene[], result: Selected): Scene[] {
  const byId = new Map<string, Scene>();
  const twins: string[] = [];
  for (const scene of scenes) {
    const first = byId.get(scene.id);
    if (!first || first.timeMs !== scene.timeMs) {
      byId.set(first ? `${scene.id}\n${scene.timeMs}` : scene.id, scene);
      continue;
    }
    twins.push(scene.id);
    result.dropped.push({ id: scene.id, reason: 'duplicate' });
    const bands: Scene['bands'] = Object.assign(Object.create(null), scene.bands, first.bands);
    byId.set(scene.id, { ...first, bands });
  }
  if (twins.length > 0) result.notes.push(`${twins.length} duplicate items were merged: ${listed(twins)}`);
  return [...byId.values()];
}

/** At most five names, and how many more there are. */
function listed(names: readonly string[]): string {
  const more = names.length - 5;
  return names.slice(0, 5).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const dayOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10);

/** Filters scenes; an `InputError` tells what remained after each filter when none is left. */
export function selectScenes(scenes: readonly Scene[], selection: Selection = {}): Selected {
  const { interval, months, maxCloudPercent, limit, lonLatBounds, source } = selection;
  const result: Selected = { scenes: [], dropped: [], notes: [] };
  let kept = withoutTwins(scenes, result).sort(byTime);
  const trail = [`${scenes.length} found${source ? ` in ${source}` : ''}`];
  if (kept.length > 0) trail[0] += ` (${dayOf(kept[0]!.timeMs)} to ${dayOf(kept.at(-1)!.timeMs)})`;
  const filter = (reason: DropReason, label: string, keep: (scene: Scene, index: number) => boolean) => {
    const before = kept;
    kept = before.filter(keep);
    const remaining = new Set(kept);
    for (const scene of before) if (!remaining.has(scene)) result.dropped.push({ id: scene.id, reason });
    trail.push(`${kept.length} ${label}`);
  };
  if (lonLatBounds)
    filter('area', `in the area ${lonLatBounds.map((v) => +v.toFixed(5)).join(',')}`, (s) => touches(s, lonLatBounds));
  if (interval) filter('datetime', 'in the time asked for', (s) => inInterval(s.timeMs, interval));
  if (months) filter('months', `in the months ${months.join(',')}`, (s) => months.includes(monthOf(s.timeMs)));
  if (maxCloudPercent !== undefined && maxCloudPercent !== null)
    filter('cloud', `with at most ${maxCloudPercent} % cloud`, (s) => !(s.cloudCoverPercent! > maxCloudPercent));
  if (limit !== undefined && limit !== null)
    filter('limit', `within the limit of ${limit}`, (_, index) => index < limit);
  if (kept.length === 0) throw new InputError(`no scenes: ${trail.join(', then ')}`);
  result.scenes = kept;
  return result;
}

/** The CRS that all scenes share; several are an `InputError` that names scenes. Null when no scene states one. */
export function commonCrs(scenes: readonly Scene[]): Crs | null {
  const groups: { crs: Crs; ids: string[] }[] = [];
  for (const { crs, id } of scenes) {
    if (!crs) continue;
    // By EPSG code first: comparing projections costs parsing, and most scenes share the first one's.
    const group = groups.find((g) => g.crs === crs || sameCrs(g.crs, crs));
    if (group) group.ids.push(id);
    else groups.push({ crs, ids: [id] });
  }
  if (groups.length <= 1) return groups[0]?.crs ?? null;
  const most = groups.reduce((a, b) => (b.ids.length > a.ids.length ? b : a));
  const others = groups.filter((group) => group !== most);
  const ids = others.flatMap((group) => group.ids);
  throw new InputError(
    `the scenes do not share a CRS: ${most.ids.length} in ${describeCrs(most.crs)}, ` +
      `${ids.length} in ${others.map((group) => describeCrs(group.crs)).join(', ')}: ${listed(ids)}; say with --crs which one the result is to have`,
    { items: ids.slice(0, 5) },
  );
}
