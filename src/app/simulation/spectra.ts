import { smoothstep } from './noise.js';

/** Sentinel-2's land bands with their common names, resolution (m) and how much of the light a shadow leaves. */
export const BANDS = [
  { name: 'B02', commonName: 'blue', gsd: 10, shade: 0.55 },
  { name: 'B03', commonName: 'green', gsd: 10, shade: 0.48 },
  { name: 'B04', commonName: 'red', gsd: 10, shade: 0.42 },
  { name: 'B08', commonName: 'nir', gsd: 10, shade: 0.34 },
  { name: 'B11', commonName: 'swir16', gsd: 20, shade: 0.28 },
  { name: 'B12', commonName: 'swir22', gsd: 20, shade: 0.26 },
  { name: 'B05', commonName: 'rededge071', gsd: 20, shade: 0.4 },
  { name: 'B06', commonName: 'rededge075', gsd: 20, shade: 0.36 },
  { name: 'B07', commonName: 'rededge078', gsd: 20, shade: 0.35 },
  { name: 'B8A', commonName: 'nir08', gsd: 20, shade: 0.33 },
] as const;

/** Reflectance × 10000 in the order of BANDS. */
type Spectrum = readonly number[];

const SOIL: Spectrum = [880, 1170, 1520, 2280, 3050, 2680, 1760, 1960, 2100, 2400];
const STUBBLE: Spectrum = [980, 1340, 1780, 2700, 3300, 2500, 2050, 2300, 2480, 2820];
const CROP: Spectrum = [270, 640, 330, 4100, 1900, 840, 960, 2950, 3750, 4300];
const GRASS: Spectrum = [350, 760, 470, 3500, 2150, 1060, 1120, 2620, 3150, 3650];
const DRY_GRASS: Spectrum = [640, 900, 1020, 2400, 2600, 1700, 1300, 1950, 2200, 2550];
const BLOOM: Spectrum = [420, 1480, 1180, 3900, 2000, 980, 1700, 2950, 3600, 4050];
const LEAVES: Spectrum = [210, 440, 230, 3250, 1480, 620, 700, 2380, 2980, 3400];
const BRANCHES: Spectrum = [330, 440, 480, 1650, 1750, 980, 720, 1220, 1450, 1800];
const NEEDLES: Spectrum = [175, 295, 190, 2050, 860, 370, 440, 1560, 1900, 2150];
const WATER: Spectrum = [360, 420, 270, 130, 65, 45, 230, 160, 150, 115];
const ASPHALT: Spectrum = [1020, 1120, 1210, 1480, 1750, 1620, 1290, 1370, 1430, 1530];
const ROOFS: Spectrum = [980, 1090, 1290, 1850, 2150, 1950, 1420, 1600, 1730, 1930];
export const CLOUD: Spectrum = [7300, 7150, 7200, 7400, 4300, 3300, 7250, 7300, 7350, 7400];

export interface Material {
  name: string;
  /** Scene class of clear ground: 4 vegetation and 5 bare alternate by the season where it is 'season'. */
  scl: 'season' | 6 | 5;
  bare: Spectrum;
  green: Spectrum;
  /** Part of the ground that is green in the middle of each month, 0–1. */
  greenness: readonly number[];
  /** Months (0–11, fractions) around which the green is in bloom. */
  bloomMonth?: number;
}

const ALWAYS = new Array<number>(12).fill(1);
const NEVER = new Array<number>(12).fill(0);

/** What the ground is made of; the land refers to them by index. */
export const MATERIALS: readonly Material[] = [
  { name: 'water', scl: 6, bare: WATER, green: WATER, greenness: NEVER },
  { name: 'road', scl: 5, bare: ASPHALT, green: GRASS, greenness: new Array<number>(12).fill(0.12) },
  {
    name: 'roofs',
    scl: 5,
    bare: ROOFS,
    green: GRASS,
    greenness: [0.1, 0.1, 0.15, 0.25, 0.3, 0.3, 0.3, 0.25, 0.25, 0.2, 0.15, 0.1],
  },
  { name: 'conifers', scl: 'season', bare: NEEDLES, green: NEEDLES, greenness: ALWAYS },
  {
    name: 'broadleaves',
    scl: 'season',
    bare: BRANCHES,
    green: LEAVES,
    greenness: [0.1, 0.1, 0.15, 0.45, 0.95, 1, 1, 0.95, 0.85, 0.5, 0.15, 0.1],
  },
  {
    name: 'wheat',
    scl: 'season',
    bare: STUBBLE,
    green: CROP,
    greenness: [0.3, 0.35, 0.5, 0.8, 1, 0.8, 0.15, 0.02, 0.05, 0.1, 0.2, 0.25],
  },
  {
    name: 'maize',
    scl: 'season',
    bare: SOIL,
    green: CROP,
    greenness: [0.08, 0.08, 0.1, 0.05, 0.08, 0.4, 0.85, 1, 0.7, 0.1, 0.05, 0.08],
  },
  {
    name: 'meadow',
    scl: 'season',
    bare: DRY_GRASS,
    green: GRASS,
    greenness: [0.6, 0.6, 0.7, 0.9, 1, 0.85, 0.6, 0.55, 0.7, 0.8, 0.7, 0.6],
  },
  {
    name: 'rapeseed',
    scl: 'season',
    bare: STUBBLE,
    green: CROP,
    greenness: [0.5, 0.5, 0.65, 0.95, 1, 0.7, 0.15, 0.1, 0.35, 0.5, 0.55, 0.5],
    bloomMonth: 3.9,
  },
  {
    name: 'beets',
    scl: 'season',
    bare: SOIL,
    green: GRASS,
    greenness: [0.05, 0.05, 0.02, 0.05, 0.3, 0.8, 1, 1, 0.95, 0.6, 0.1, 0.05],
  },
  { name: 'clearing', scl: 'season', bare: SOIL, green: DRY_GRASS, greenness: new Array<number>(12).fill(0.2) },
];

export const WATER_INDEX = 0;
export const ROAD_INDEX = 1;
export const ROOFS_INDEX = 2;
export const FOREST_INDICES = [3, 4] as const;
export const FIELD_INDICES = [5, 5, 6, 6, 7, 7, 7, 8, 9] as const;
export const CLEARING_INDEX = 10;

/** How green each material is, 0–1, at a moment of the year in months [0, 12). */
export function greennessAt(month: number): number[] {
  const position = (month + 11.5) % 12;
  const before = Math.floor(position);
  const weight = smoothstep(0, 1, position - before);
  return MATERIALS.map(({ greenness }) => greenness[before]! * (1 - weight) + greenness[(before + 1) % 12]! * weight);
}

/** Reflectances × 10000 of each material's bare and green ground in one band: f32[materials] each. */
export function endmembers(band: number, month: number): { bare: Float32Array; green: Float32Array } {
  return {
    bare: Float32Array.from(MATERIALS, ({ bare }) => bare[band]!),
    green: Float32Array.from(MATERIALS, ({ green, bloomMonth }) => {
      if (bloomMonth === undefined) return green[band]!;
      const bloom = 1 - smoothstep(0.25, 0.9, Math.abs(month - bloomMonth));
      return green[band]! * (1 - bloom) + BLOOM[band]! * bloom;
    }),
  };
}
