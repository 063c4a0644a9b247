import { chance, fractalNoise, hash, smoothstep } from './noise.js';
import { CLEARING_INDEX, FIELD_INDICES, FOREST_INDICES, ROAD_INDEX, ROOFS_INDEX, WATER_INDEX } from './spectra.js';

/** A piece of ground: [size][size] each. */
export interface Land {
  /** px */
  size: number;
  /** Index into MATERIALS. */
  material: Uint8Array;
  /** The same after the change. */
  materialAfter: Uint8Array;
  /** How well things grow here: factor of the greenness. */
  vigour: Float32Array;
  /** How bright the ground is: factor of the reflectance. */
  brightness: Float32Array;
}

/** The farmland is made of quarters of this size (px), each with its own direction of ploughing. */
const QUARTER_PX = 118;

interface Quarter {
  key: number;
  /** px to the border with the next quarter. */
  borderPx: number;
}

/** Which quarter a point lies in: the nearest of one point in each cell of a lattice. */
function quarterAt(x: number, y: number, seed: number): Quarter {
  const [cx, cy] = [Math.floor(x / QUARTER_PX), Math.floor(y / QUARTER_PX)];
  let [nearest, second, key] = [Infinity, Infinity, 0];
  for (let j = cy - 1; j <= cy + 1; j++) {
    for (let i = cx - 1; i <= cx + 1; i++) {
      const dx = (i + 0.15 + 0.7 * chance(i, j, seed)) * QUARTER_PX - x;
      const dy = (j + 0.15 + 0.7 * chance(i, j, seed + 1)) * QUARTER_PX - y;
      const distance = Math.sqrt(dx * dx + dy * dy);
      if (distance < nearest) {
        second = nearest;
        nearest = distance;
        key = hash(i, j, seed + 2);
      } else if (distance < second) second = distance;
    }
  }
  return { key, borderPx: (second - nearest) / 2 };
}

/** Which field of a quarter a point lies in, and how far it is from its edge (px). */
function fieldAt(x: number, y: number, quarter: number): { key: number; edgePx: number } {
  // A direction from a table of Pythagorean triples: a rotation without sines.
  const triples = [
    [1, 0],
    [0.8, 0.6],
    [0.6, 0.8],
    [0.96, 0.28],
    [0.28, 0.96],
    [12 / 13, -5 / 13],
    [5 / 13, -12 / 13],
    [0.8, -0.6],
  ] as const;
  const [c, s] = triples[quarter % triples.length]!;
  const [u, v] = [c * x + s * y, c * y - s * x];
  const across = 11 + 16 * chance(quarter, 1, 7);
  const along = 30 + 50 * chance(quarter, 2, 7);
  const column = Math.floor(u / across);
  const offset = along * chance(column, quarter, 11);
  const row = Math.floor((v + offset) / along);
  const [fu, fv] = [u - column * across, v + offset - row * along];
  return { key: hash(column, row, quarter), edgePx: Math.min(fu, across - fu, fv, along - fv) };
}

interface Relief {
  wet: Float32Array;
  wood: Float32Array;
  town: Float32Array;
  bend: Float32Array;
}

/** Material, vigour and brightness of one pixel. */
function groundAt(x: number, y: number, i: number, relief: Relief, seed: number): [number, number, number] {
  const grain = chance(x, y, seed + 40) - 0.5;
  // A river runs where low ground is level, and widens into lakes where it is lowest.
  const wet = relief.wet[i]!;
  const river = Math.abs(wet - 0.46);
  if (river < 0.0035 + 0.012 * smoothstep(0.52, 0.6, relief.bend[i]!) || wet < 0.235) {
    return [WATER_INDEX, 1, 1 + 0.02 * grain];
  }
  const wood = relief.wood[i]! + (river < 0.02 ? 0.05 : 0);
  const warp = 34 * (relief.bend[i]! - 0.5);
  const { key, borderPx } = quarterAt(x + warp, y - warp, seed + 50);
  if (borderPx < 0.75) return [ROAD_INDEX, 1, 1 + 0.15 * grain];
  if (wood > 0.57) {
    const conifers = relief.bend[i]! + 0.12 * chance(key, 3, seed) > 0.55;
    return [
      FOREST_INDICES[conifers ? 0 : 1],
      0.96 + 0.08 * grain,
      0.82 + 0.3 * chance(x, y, seed + 41) + (wood > 0.6 ? 0 : 0.08),
    ];
  }
  const { key: field, edgePx } = fieldAt(x + 0.4 * warp, y, key);
  if (relief.town[i]! > 0.645) {
    const street = edgePx % 6 < 1.1;
    return [
      street ? ROAD_INDEX : ROOFS_INDEX,
      0.4 + 1.4 * chance(x, y, seed + 42),
      0.75 + 0.75 * chance(x >> 1, y >> 1, seed + 43),
    ];
  }
  const tone = chance(field, 1, seed);
  if (edgePx < 0.6 && tone > 0.55) return [FOREST_INDICES[1], 0.9, 0.9 + 0.2 * grain];
  const crop = FIELD_INDICES[field % FIELD_INDICES.length]!;
  const soil = 0.88 + 0.24 * tone + 0.25 * (wet - 0.5);
  return [crop, 0.78 + 0.3 * chance(field, 2, seed) + 0.06 * grain, soil * (1 + 0.13 * grain)];
}

/** Where most of the forest is: centre of the square of a 8 × 8 lattice. */
function forestCentre(material: Uint8Array, size: number): [number, number] {
  const sums = new Array<number>(64).fill(0);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const isForest = FOREST_INDICES.includes(material[y * size + x] as 3 | 4);
      if (isForest) sums[Math.floor((8 * y) / size) * 8 + Math.floor((8 * x) / size)]!++;
    }
  }
  const best = sums.indexOf(Math.max(...sums));
  return [(((best % 8) + 0.5) * size) / 8, ((Math.floor(best / 8) + 0.5) * size) / 8];
}

/** Farmland with woods, a river, lakes, roads and a town; later a part of the wood is cleared. */
export function makeLand(size: number, seed: number): Land {
  const noise = (scale: number, octaves: number, salt: number) =>
    fractalNoise({ width: size, height: size, scale, octaves, seed: seed + salt });
  const relief = {
    wet: noise(260, 5, 1000),
    wood: noise(150, 5, 2000),
    town: noise(190, 4, 3000),
    bend: noise(90, 3, 4000),
  };
  const fine = noise(14, 3, 5000);
  const nPx = size * size;
  const land: Land = {
    size,
    material: new Uint8Array(nPx),
    materialAfter: new Uint8Array(nPx),
    vigour: new Float32Array(nPx),
    brightness: new Float32Array(nPx),
  };
  for (let i = 0; i < nPx; i++) {
    const [material, vigour, brightness] = groundAt(i % size, Math.floor(i / size), i, relief, seed);
    const patchy = fine[i]! - 0.5;
    land.material[i] = material;
    land.vigour[i] = vigour * (1 + 0.25 * patchy);
    land.brightness[i] = brightness * (1 + (material === WATER_INDEX ? 0.05 : 0.18) * patchy);
  }
  const [cx, cy] = forestCentre(land.material, size);
  const radius = size / 11;
  for (let i = 0; i < nPx; i++) {
    const [dx, dy] = [(i % size) - cx, Math.floor(i / size) - cy];
    const wood = FOREST_INDICES.includes(land.material[i] as 3 | 4);
    const cleared = wood && Math.abs(dx) + 0.35 * Math.abs(dy) < radius && Math.abs(dy) - 0.2 * dx < radius;
    land.materialAfter[i] = cleared ? CLEARING_INDEX : land.material[i]!;
  }
  return land;
}

/** The same ground in pixels of twice the size. */
export function halved(land: Land): Land {
  const size = land.size / 2;
  const corner = (i: number) => 2 * Math.floor(i / size) * land.size + 2 * (i % size);
  const mean = (field: Float32Array) =>
    new Float32Array(size * size).map((_, i) => {
      const at = corner(i);
      return (field[at]! + field[at + 1]! + field[at + land.size]! + field[at + land.size + 1]!) / 4;
    });
  return {
    size,
    material: new Uint8Array(size * size).map((_, i) => land.material[corner(i)]!),
    materialAfter: new Uint8Array(size * size).map((_, i) => land.materialAfter[corner(i)]!),
    vigour: mean(land.vigour),
    brightness: mean(land.brightness),
  };
}
