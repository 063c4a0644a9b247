// What the results of a chip are made from, as one hash.
import { createHash } from 'node:crypto';
import { StoreError } from '../../errors.js';
import type { ChipGrid } from '../../geo/chip-grid.js';
import { fileName } from '../../io/href.js';
import { mapFew } from '../../io/map-few.js';
import { storeFor } from '../../io/stores.js';
import { ALGORITHM } from '../../stats/change.js';
import type { ChangeSpec } from '../../stats/change-block.js';
import type { SourceScene } from '../../stats/spec.js';
import { stateOf } from '../source-states.js';

/** Files whose state is asked at a time. */
const AT_ONCE = 32;

/**
 * What a file is called in the hash. Where its state is known its name is enough, so that a folder may be moved, or spelled otherwise; where
 * it is not, its address counts, but for what signs it, which changes from run to run.
 */
function calledBy(href: string, state: string | null): string {
  if (state !== null) return fileName(href);
  return /^https?:/i.test(href) ? href.replace(/[?#].*$/, '') : href;
}

/** For each scene the MD5 of what its pixels come from: its files with their state (size, and time or tag), bands, and what is added. */
export async function sceneInputs(scenes: readonly SourceScene[]): Promise<string[]> {
  const hrefs = [...new Set(scenes.flatMap(({ sources }) => Object.values(sources).map(({ href }) => href)))];
  const states = new Map(await mapFew(hrefs, AT_ONCE, async (href) => [href, await stateOf(href)] as const));
  return scenes.map(({ id, timeMs, sources }) => {
    const files = Object.entries(sources).map(([name, { href, bandIndex, shiftDn = 0 }]) => {
      const state = states.get(href) ?? null;
      return [name, calledBy(href, state), bandIndex, shiftDn, state];
    });
    return createHash('md5')
      .update(JSON.stringify([id, timeMs, files]))
      .digest('hex');
  });
}

/** From here on the state of files is asked anew, where a network is between. */
export function forgetFiles(scenes: readonly SourceScene[]): void {
  for (const { sources } of scenes) {
    for (const { href } of Object.values(sources)) storeFor(href).forget?.(href);
  }
}

/**
 * Makes sure that what was read is in the state that `inputs` say: files were so before, and are so now.
 * @throws StoreError with status CHANGED when they are not.
 */
export async function checkInputs(
  { spec, inputs }: { spec: ChangeSpec; inputs: readonly string[] },
  places: readonly number[],
): Promise<void> {
  const scenes = places.map((place) => spec.scenes[place]!);
  forgetFiles(scenes);
  const now = await sceneInputs(scenes);
  const other = places.findIndex((place, i) => inputs[place] !== now[i]);
  if (other < 0) return;
  const { id } = scenes[other]!;
  throw new StoreError(`the files of scene ${id} changed while they were read`, { status: 'CHANGED', items: [id] });
}

/** MD5 of a chip's inputs: the scenes that meet it, the grid, and the options that change numbers. */
export function inputsMd5(
  spec: ChangeSpec,
  { chips, inputs }: { chips: ChipGrid; inputs: readonly string[] },
  { h, v, scenes }: { h: number; v: number; scenes: readonly number[] },
): string {
  const { originX, originY, pixelSize, chipPx } = chips;
  const { kind, bands, options, grid, thermalUnit } = spec;
  const { epsg, definition } = grid.crs;
  const what = [
    ALGORITHM,
    kind,
    bands,
    options,
    [epsg, definition, originX, originY, pixelSize, chipPx],
    [h, v],
    thermalUnit,
  ];
  const hash = createHash('md5').update(JSON.stringify(what));
  for (const place of scenes) hash.update(inputs[place]!);
  return hash.digest('hex');
}
