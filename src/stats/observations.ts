import { solarDay } from '../geo/time.js';
import type { Observation, SourceScene } from './spec.js';

export type Group = 'solar-day' | 'none';

/**
 * Scenes in order of time (then id), each an observation of its own or together with the others of its solar day. The solar day
 * is that of the area's middle longitude, so that all scenes of a run are judged by one clock.
 */
export function groupScenes(
  scenes: readonly SourceScene[],
  { group, longitudeDeg }: { group: Group; longitudeDeg: number },
): Observation[] {
  const ordered = [...scenes].sort((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  if (group === 'none') return ordered.map((scene) => ({ timeMs: scene.timeMs, scenes: [scene] }));
  const days = new Map<string | number, Observation>();
  for (const scene of ordered) {
    const day = solarDay(scene.timeMs, longitudeDeg);
    const known = days.get(day);
    if (known) known.scenes.push(scene);
    else days.set(day, { timeMs: scene.timeMs, scenes: [scene] });
  }
  return [...days.values()];
}
