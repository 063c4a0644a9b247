import { isReflectance } from '../io/baseline.js';
import { mapFew } from '../io/map-few.js';
import type { Scene, SceneBand } from '../io/scene.js';

/** What is done about the offset of Sentinel-2's newer baselines: what the metadata says, as if it were never applied, nothing. */
export type OffsetMode = 'auto' | 'apply' | 'none';

/** How the numbers of one band of one scene are taken to those that all share, and what they then mean: value × scale + offset. */
export interface BandRadiometry {
  /** Added to valid stored numbers. */
  shiftDn: number;
  /** Null: nothing says it. */
  scale: number | null;
  offset: number | null;
}

/** A scene whose pixels are asked whether the offset is in them. */
export interface Doubt {
  scene: Scene;
  band: SceneBand;
}

/** The baseline from which stored numbers carry an offset, and that offset. */
const FIRST_OFFSET_BASELINE = '04.00';
const OFFSET_DN = -1000;
const SCALE = 1e-4;
/** A scene whose darkest valid pixels are below this has its offset applied: without, they would be darker than black by 0.01. */
const DARK_DN = 900;
/** Scenes that are looked at together. */
const AT_ONCE = 8;

/** ESA's own files: its buckets at AWS, and its products wherever they lie. */
const ESA_OWN = /(^|[/.])sentinel-s2-l[12][ac][/.]|\.SAFE\//i;
const PREAPPLYING = /(^|[/.])sentinel-cogs[/.]|\/sentinel-s2-l2a-cogs\//;

/** The offset that the item states, in stored numbers; null where it states none that is a whole one. */
function statedDn({ scale, offset }: SceneBand): number | null {
  if (offset === null) return null;
  const dn = offset / (scale ?? SCALE);
  return Math.abs(dn - Math.round(dn)) < 1e-3 ? Math.round(dn) : null;
}

const isJp2 = ({ href }: SceneBand) => /\.(jp2|j2k)([?#]|$)/i.test(href);

/** What metadata says of the offset of a band: how large it is, and whether it is applied; null: nobody says. */
export interface OffsetFacts {
  offsetDn: number;
  applied: boolean | null;
  /** Whether the statement is of an archive known to be wrong at times. */
  doubtful: boolean;
}

/** Null for bands that have no such offset: classes, other sensors. */
export function offsetFacts(scene: Scene, key: string, band: SceneBand): OffsetFacts | null {
  const { radiometry } = scene;
  if (!radiometry || !isReflectance(key, band)) return null;
  const stated = statedDn(band);
  const isNew = radiometry.baseline >= FIRST_OFFSET_BASELINE;
  const offsetDn = stated || (isNew ? OFFSET_DN : 0);
  if (offsetDn === 0) return { offsetDn, applied: false, doubtful: false };
  // Converters may have applied it; nobody does in ESA's own files, whatever the item says of its other ones.
  if (isJp2(band)) return { offsetDn, applied: false, doubtful: !ESA_OWN.test(band.href) };
  const flag = radiometry.offsetApplied;
  if (flag !== null) return { offsetDn, applied: flag, doubtful: true };
  if (PREAPPLYING.test(band.href)) return { offsetDn, applied: null, doubtful: true };
  return { offsetDn, applied: stated === 0, doubtful: stated === 0 };
}

/** Whether a scene's darkest pixels look as if the offset were applied; null: they do not tell. */
export function looksApplied(darkDn: number | null): boolean | null {
  return darkDn === null ? null : darkDn < DARK_DN;
}

/** What a run does with every band of every scene. */
export interface SettledRadiometry {
  /** By scene, then band as it is named in the run. */
  shiftDn(scene: Scene, band: string): number;
  /** What the numbers mean after it, by band: nulls where no item says it, 1 and 0 where the scenes differ. */
  facts: readonly { scale: number | null; offset: number | null }[];
  warnings: string[];
}

export interface RadiometryRequest {
  scenes: readonly Scene[];
  bands: readonly string[];
  mode: OffsetMode;
  /** The key and band of a scene under the run's name of it. */
  find(scene: Scene, band: string): { key: string; band: SceneBand } | null;
  /** The darkest valid numbers (0.1 %) of a band, or null; asked only where metadata cannot be relied on. */
  darkest(doubt: Doubt): Promise<number | null>;
}

/** At most five names, and how many more. */
function listed(scenes: readonly Scene[]): string {
  const names = scenes.slice(0, 5).map(({ id }) => id);
  return names.join(', ') + (scenes.length > 5 ? ` and ${scenes.length - 5} more` : '');
}

/** The first band of a scene whose metadata leaves doubt; all bands of a scene were made together. */
function doubtOf(scene: Scene, { bands, find }: RadiometryRequest): (Doubt & { facts: OffsetFacts }) | null {
  for (const name of bands) {
    const found = find(scene, name);
    const facts = found && offsetFacts(scene, found.key, found.band);
    if (found && facts?.doubtful) return { scene, band: found.band, facts };
  }
  return null;
}

/** Whether the offset is in each scene's numbers, where the item or the archive leaves doubt; and what to say about it. */
async function askPixels(request: RadiometryRequest): Promise<{ applied: Map<Scene, boolean>; warnings: string[] }> {
  const { scenes, darkest } = request;
  const applied = new Map<Scene, boolean>();
  const against = { true: [] as Scene[], false: [] as Scene[] };
  const guessed: Scene[] = [];
  const doubts = scenes.flatMap((scene) => doubtOf(scene, request) ?? []);
  const seen = await mapFew(doubts, AT_ONCE, async (doubt) => looksApplied(await darkest(doubt)));
  for (const [i, { scene, facts }] of doubts.entries()) {
    // Bright pixels may be a bright scene's; dark ones prove it, since nothing is darker than black.
    applied.set(scene, seen[i] || (facts.applied ?? seen[i] ?? true));
    if (facts.applied === null) guessed.push(scene);
    else if (seen[i] !== null && seen[i] !== facts.applied) against[`${facts.applied}`].push(scene);
  }
  const hint = '--offset apply or none decides otherwise';
  const warnings: string[] = [];
  if (against.true.length > 0)
    warnings.push(
      `offset-conflict: ${listed(against.true)}: the item says that the offset is applied, and the darkest pixels (${DARK_DN} or more) that it is not; the item is believed: ${hint}`,
    );
  if (against.false.length > 0)
    warnings.push(
      `offset-conflict: ${listed(against.false)}: item or format say that the offset is not applied, and the darkest pixels (below ${DARK_DN}) that it is; the pixels are believed: ${hint}`,
    );
  if (guessed.length > 0)
    warnings.push(
      `offset-guessed: ${listed(guessed)}: nothing says whether the offset is applied; the darkest pixels decided: ${hint}`,
    );
  return { applied, warnings };
}

function settleBand(
  { scene, key, band }: { scene: Scene; key: string; band: SceneBand },
  mode: OffsetMode,
  asked: boolean | undefined,
): BandRadiometry {
  const facts = offsetFacts(scene, key, band);
  if (!facts) return { shiftDn: 0, scale: band.scale, offset: band.offset };
  // JPEG 2000 beside a doubtful COG is in no doubt.
  const applied = mode === 'apply' ? false : ((facts.doubtful ? asked : undefined) ?? facts.applied ?? true);
  // A number n as it is stored means (n + inNumbers) × scale.
  const inNumbers = applied ? 0 : facts.offsetDn;
  const shiftDn = mode === 'none' ? 0 : inNumbers;
  const scale = band.scale ?? SCALE;
  return { shiftDn, scale, offset: (inNumbers - shiftDn) * scale };
}

/**
 * Settles, for all scenes of a run in one place, what is added to stored numbers, so that equal numbers mean equal reflectance whatever
 * the processing baseline. Only whole offsets of Sentinel-2 are added; scale and offset of other sensors stay facts about the result.
 */
export async function settleRadiometry(request: RadiometryRequest): Promise<SettledRadiometry> {
  const { scenes, bands, mode, find } = request;
  const { applied, warnings } =
    mode === 'auto' ? await askPixels(request) : { applied: new Map(), warnings: [] as string[] };
  const settled = new Map<Scene, Map<string, BandRadiometry>>();
  for (const scene of scenes) {
    const own = new Map<string, BandRadiometry>();
    for (const name of bands) {
      const found = find(scene, name);
      if (found) own.set(name, settleBand({ scene, ...found }, mode, applied.get(scene)));
    }
    settled.set(scene, own);
  }
  const facts = bands.map((name) => {
    const all = scenes.flatMap((scene) => settled.get(scene)!.get(name) ?? []);
    const [first] = all;
    const alike = all.every(({ scale, offset }) => scale === first!.scale && offset === first!.offset);
    if (!alike)
      warnings.push(`scale-differs: ${name}: the scenes differ in scale or offset, so the result states neither`);
    return alike && first ? { scale: first.scale, offset: first.offset } : { scale: 1, offset: 0 };
  });
  return { shiftDn: (scene, band) => settled.get(scene)?.get(band)?.shiftDn ?? 0, facts, warnings };
}
