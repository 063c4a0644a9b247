import { InputError } from '../../errors.js';
import { halved, type Land, makeLand } from './land.js';
import { chance } from './noise.js';
import { doubledSky, makeSky, type Sky } from './sky.js';
import { BANDS, CLOUD, endmembers, greennessAt, MATERIALS } from './spectra.js';

export interface SimulationOptions {
  /** Default 1; the same seed gives the same pixels on every machine. */
  seed?: number;
  /** Acquisition days, spread over a year; default 24. */
  dates?: number;
  /** px of 10 m along each side, even; default 512. */
  size?: number;
  /** How many of B02, B03, B04, B08 there are at 10 m; default 4. */
  tenMetreBands?: number;
  /** How many of B11, B12, B05, B06, B07, B8A there are at 20 m; default 2. */
  twentyMetreBands?: number;
  /** Gives all bands 10 m, as programs see them that resample first; default false. */
  allAtTenMetres?: boolean;
  /** Whether one day comes in two overlapping scenes; default true where there are four days or more. */
  twins?: boolean;
  /** Mean part under clouds, 0–1; default 0.36. */
  cloudiness?: number;
}

/** One scene to be: its moment and its weather. */
export interface ScenePlan {
  id: string;
  timeMs: number;
  /** Months since the year began, [0, 12). */
  month: number;
  seed: number;
  cover: number;
  cirrusCover: number;
  shadowPx: readonly [number, number];
  /** Whether the wood was cleared by then. */
  after: boolean;
  /** Where data lie: col · a + row · b is within [from, to), as parts of the size. */
  swath: { a: number; b: number; from: number; to: number };
}

export interface SimulatedBand {
  name: string;
  commonName: string;
  /** m */
  gsd: number;
  /** Position in BANDS. */
  index: number;
}

export interface Simulation {
  size: number;
  bands: SimulatedBand[];
  scenes: ScenePlan[];
  /** The ground at 10 and at 20 m. */
  land: { fine: Land; coarse: Land };
}

/** Reflectance × 10000, 0 where there are no data; u16[height][width] of 10 or 20 m px. */
export interface SceneImage {
  bands: Record<string, Uint16Array>;
  /** Scene classes as Sen2Cor numbers them, u8 at 20 m. */
  scl: Uint8Array;
  /** Percent of the valid pixels. */
  cloudCoverPercent: number;
  /** 1 where there are data and neither cloud, shadow nor cirrus, u8 at 20 m. */
  clear: Uint8Array;
}

const ALL = { a: 1, b: 0, from: -1, to: 2 };

function count(value: number, name: string, [least, most]: readonly [number, number]): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InputError(`${name} of a simulation is a whole number from ${least} to ${most}, not ${value}`);
}

/** When and under which sky the scenes are taken: cloud covers are spread evenly, then dealt out by chance. */
function planScenes(dates: number, seed: number, options: { cloudiness: number; twins: boolean }): ScenePlan[] {
  const order = Array.from({ length: dates }, (_, t) => t).sort(
    (p, q) => chance(p, 0, seed + 900) - chance(q, 0, seed + 900),
  );
  const scenes: ScenePlan[] = [];
  const stepDays = 364 / dates;
  for (let t = 0; t < dates; t++) {
    const day = Math.floor(2 + stepDays * (t + 0.7 * chance(t, 1, seed)));
    const timeMs = Date.UTC(2024, 0, 1 + day, 10, 50, 31 + Math.floor(20 * chance(t, 2, seed)));
    const u = (order.indexOf(t) + 0.5) / dates;
    const cover = Math.min(0.97, u * Math.sqrt(u) * 2.5 * options.cloudiness);
    const winter = Math.abs(day - 172) / 183;
    const reach = 7 + 9 * chance(t, 3, seed) + 12 * winter * winter;
    const edge = chance(t, 4, seed) < 0.17 ? { a: 1, b: 0.22, from: 0.25 + 0.5 * chance(t, 5, seed), to: 3 } : ALL;
    const at = new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
    const scene: ScenePlan = {
      id: `S2${t % 2 ? 'B' : 'A'}_MSIL2A_${at}_31UFS_SIMULATED`,
      timeMs,
      month: (day / 366) * 12,
      seed: seed + 7919 * (t + 1),
      cover,
      cirrusCover: chance(t, 6, seed) < 0.3 ? 0.35 * chance(t, 7, seed) : 0,
      shadowPx: [-Math.floor(reach * 0.4), -Math.floor(reach * 0.75)],
      after: t >= 0.55 * dates,
      swath: edge,
    };
    if (options.twins && t === Math.floor(dates / 3)) {
      const later = { ...scene, id: scene.id.replace('_SIMULATED', '_B_SIMULATED'), timeMs: timeMs + 14_000 };
      scenes.push({ ...scene, swath: { a: 0, b: 1, from: -1, to: 0.6 } });
      scenes.push({ ...later, seed: scene.seed, swath: { a: 0, b: 1, from: 0.45, to: 2 } });
    } else scenes.push(scene);
  }
  return scenes;
}

/** The ground and the plan of a year of scenes; pixels are made by `renderScene`. */
export function planSimulation(options: SimulationOptions = {}): Simulation {
  const { seed = 1, cloudiness = 0.36 } = options;
  const dates = count(options.dates ?? 24, 'dates', [1, 366]);
  const size = 2 * count((options.size ?? 512) / 2, 'half the size', [4, 8192]);
  const ten = count(options.tenMetreBands ?? 4, 'tenMetreBands', [1, 4]);
  const twenty = count(options.twentyMetreBands ?? 2, 'twentyMetreBands', [0, 6]);
  const all = BANDS.map(({ name, commonName, gsd }, index) => ({ name, commonName, gsd, index }));
  const fine = makeLand(size, seed);
  const chosen = [
    ...all.filter(({ gsd }) => gsd === 10).slice(0, ten),
    ...all.filter(({ gsd }) => gsd === 20).slice(0, twenty),
  ];
  return {
    size,
    bands: options.allAtTenMetres ? chosen.map((band) => ({ ...band, gsd: 10 })) : chosen,
    scenes: planScenes(dates, seed, { cloudiness, twins: options.twins ?? dates >= 4 }),
    land: { fine, coarse: halved(fine) },
  };
}

function inSwath({ a, b, from, to }: ScenePlan['swath'], x: number, y: number, size: number): boolean {
  const at = (a * (x + 0.5) + b * (y + 0.5)) / size;
  return at >= from && at < to;
}

/** What an image of the ground depends on beside the sky. */
export type Moment = Pick<ScenePlan, 'month' | 'seed' | 'after'>;

/** One of BANDS in reflectance × 10000, u16[size][size]; without a sky the ground as it is, free of noise. */
export function renderBand(land: Land, scene: Moment, band: number, sky: Sky | null): Uint16Array {
  const { size, vigour, brightness } = land;
  const material = scene.after ? land.materialAfter : land.material;
  const { bare, green } = endmembers(band, scene.month);
  const greenness = Float32Array.from(greennessAt(scene.month));
  const out = new Uint16Array(size * size);
  // Air is never the same: a veil that is stronger in the blue, and a calibration that is never quite right.
  const haze = sky ? (chance(1, 1, scene.seed) * 90 * CLOUD[band]! * (band < 3 ? 3 - band : 0)) / 22000 : 0;
  const gain = sky ? 0.985 + 0.03 * chance(2, 2, scene.seed) : 1;
  const shade = 1 - BANDS[band]!.shade;
  let state = (scene.seed * 2654435761 + band * 97 + 1) >>> 0 || 1;
  for (let i = 0; i < out.length; i++) {
    const m = material[i]!;
    const g = Math.min(1, greenness[m]! * vigour[i]!);
    let value = (bare[m]! + (green[m]! - bare[m]!) * g) * brightness[i]!;
    if (sky) {
      value = (value * gain + haze) * (1 - shade * sky.shadow[i]!) + 620 * sky.cirrus[i]!;
      const cloud = sky.cloud[i]!;
      if (cloud > 0) value += cloud * (CLOUD[band]! * (0.3 + 0.8 * sky.thickness[i]!) - value);
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      // Two uniform numbers: a triangle of standard deviation 0.41.
      value += (((state & 0xffff) + (state >>> 16)) / 65536 - 1) * (50 + 0.07 * value);
    }
    out[i] = Math.min(20000, Math.max(1, Math.round(value)));
  }
  return out;
}

/** Sen2Cor's classes: fringes of clouds escape it, and a bright roof is now and then taken for a cloud. */
function classify(land: Land, scene: ScenePlan, sky: Sky): { scl: Uint8Array; clear: Uint8Array } {
  const { size } = land;
  const material = scene.after ? land.materialAfter : land.material;
  const greenness = greennessAt(scene.month);
  const scl = new Uint8Array(size * size);
  const clear = new Uint8Array(size * size);
  for (let i = 0; i < scl.length; i++) {
    if (!inSwath(scene.swath, i % size, Math.floor(i / size), size)) continue;
    const [cloud, shadow, cirrus] = [sky.cloud[i]!, sky.shadow[i]!, sky.cirrus[i]!];
    const { scl: ground, name } = MATERIALS[material[i]!]!;
    const whim = chance(i, 3, scene.seed);
    clear[i] = cloud < 0.01 && shadow < 0.02 && cirrus < 0.01 ? 1 : 0;
    if (cloud > 0.3) scl[i] = sky.thickness[i]! > 0.5 ? 9 : 8;
    else if (shadow > 0.3) scl[i] = 3;
    else if (cirrus > 0.12) scl[i] = 10;
    else if (name === 'roofs' && whim < 0.04) scl[i] = 8;
    else if (whim > 0.995) scl[i] = 7;
    else if (ground === 'season') scl[i] = greenness[material[i]!]! * land.vigour[i]! > 0.33 ? 4 : 5;
    else scl[i] = ground;
  }
  return { scl, clear };
}

/** The pixels of one scene. */
export function renderScene({ land, bands, size }: Simulation, scene: ScenePlan): SceneImage {
  const coarse = makeSky({ ...scene, size: size / 2 });
  const fine = doubledSky(coarse);
  const { scl, clear } = classify(land.coarse, scene, coarse);
  const images: Record<string, Uint16Array> = {};
  for (const { name, gsd, index } of bands) {
    const data = gsd === 10 ? renderBand(land.fine, scene, index, fine) : renderBand(land.coarse, scene, index, coarse);
    const width = gsd === 10 ? size : size / 2;
    // What lies outside the swath is decided at 20 m for all bands together.
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const at = gsd === 10 ? (y >> 1) * (size / 2) + (x >> 1) : i;
      if (scl[at] === 0) data[i] = 0;
    }
    images[name] = data;
  }
  const valid = scl.reduce((n, value) => n + (value > 0 ? 1 : 0), 0);
  const cloudy = scl.reduce((n, value) => n + (value >= 8 && value <= 10 ? 1 : 0), 0);
  return { bands: images, scl, clear, cloudCoverPercent: Math.round((1e4 * cloudy) / Math.max(1, valid)) / 100 };
}

/** What a perfect sensor would see at that moment without any sky, by band. */
export function renderTruth({ land, bands }: Simulation, scene: ScenePlan): Record<string, Uint16Array> {
  return Object.fromEntries(
    bands.map(({ name, gsd, index }) => [name, renderBand(gsd === 10 ? land.fine : land.coarse, scene, index, null)]),
  );
}
