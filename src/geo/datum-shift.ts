import { InputError } from '../errors.js';
import { type Crs, datumOf } from './crs.js';
import { ellipsoidOfGeographic, WGS84 } from './projection.js';
import { angleOf, sineCosine } from './trigonometry.js';

/** An operation between two datums: seven parameters between geocentric coordinates. Plain data. */
export interface DatumShift {
  /** `EPSG:9688` */
  code: string;
  /** EPSG codes of the geographic CRSs that it goes between. */
  from: number;
  to: number;
  /** X, Y, Z, m. */
  translationM: readonly [number, number, number];
  /** Around X, Y, Z, rad, of the position vector: positive turns a point anticlockwise as seen from the axis' end. */
  rotationRad: readonly [number, number, number];
  /** What is added to a factor of 1. */
  scale: number;
}

type Three = readonly [number, number, number];

/** An operation as EPSG has it. `unit`: of m, arc-seconds and parts per million. */
interface Published {
  from: number;
  to: number;
  translation?: Three;
  rotation?: Three;
  /** Whether the point is turned or the axes are: the same angles with the other sign. */
  turns?: 'point' | 'axes';
  scale?: number;
  unit?: number;
}

const MILLI = 0.001;

/** Of GDA94 to GDA2020 (ICSM), which EPSG also takes for WGS 84 where that is one of the two. */
const AUSTRALIA = {
  translation: [61.55, -10.87, -40.19],
  rotation: [-39.4924, -32.7221, -32.8979],
  turns: 'axes',
  scale: -9.994,
  unit: MILLI,
} as const;

/** EPSG's operations by code; those between modern datums, and for older ones the usual one of large areas. */
const OPERATIONS: ReadonlyMap<number, Published> = new Map<number, Published>([
  [9688, { from: 4283, to: 4326, ...AUSTRALIA }],
  [8048, { from: 4283, to: 7844, ...AUSTRALIA }],
  [9690, { from: 4326, to: 7844, ...AUSTRALIA }],
  [1150, { from: 4283, to: 4326 }],
  [8450, { from: 7844, to: 4326 }],
  [1149, { from: 4258, to: 4326 }],
  [1188, { from: 4269, to: 4326 }],
  [1251, { from: 4269, to: 4326, translation: [-2, 0, 4] }],
  [1252, { from: 4269, to: 4326, translation: [1, 1, -1] }],
  [1565, { from: 4167, to: 4326 }],
  [15894, { from: 4674, to: 4326 }],
  [1238, { from: 4322, to: 4326, translation: [0, 0, 4.5], rotation: [0, 0, 0.554], turns: 'point', scale: 0.219 }],
  [1173, { from: 4267, to: 4326, translation: [-8, 160, 176] }],
  [1133, { from: 4230, to: 4326, translation: [-87, -98, -121] }],
  [
    1314,
    {
      from: 4277,
      to: 4326,
      translation: [446.448, -125.157, 542.06],
      rotation: [0.15, 0.247, 0.842],
      turns: 'point',
      scale: -20.489,
    },
  ],
  [
    1777,
    {
      from: 4314,
      to: 4326,
      translation: [598.1, 73.7, 418.2],
      rotation: [0.202, 0.045, -2.455],
      turns: 'point',
      scale: 6.7,
    },
  ],
]);

const ARC_SECOND = Math.PI / 648_000;

/**
 * The operation of a code like `EPSG:9688`.
 * @throws InputError that names the codes known here
 */
export function parseDatumShift(text: string): DatumShift {
  const code = Number(/^(?:epsg:{1,2})?(\d{4,6})$/i.exec(text.trim())?.[1]);
  const found = OPERATIONS.get(code);
  if (!found)
    throw new InputError(
      `there is no datum operation ${JSON.stringify(text.slice(0, 40))} here: known are EPSG:${[...OPERATIONS.keys()].join(', ')}`,
      { option: 'transform-code' },
    );
  const { from, to, translation = [0, 0, 0], rotation = [0, 0, 0], turns = 'point', scale = 0, unit = 1 } = found;
  const angle = (turns === 'point' ? 1 : -1) * unit * ARC_SECOND;
  const times = ([x, y, z]: Three, factor: number) => [x * factor, y * factor, z * factor] as const;
  return {
    code: `EPSG:${code}`,
    from,
    to,
    translationM: times(translation, unit),
    rotationRad: times(rotation, angle),
    scale: scale * unit * 1e-6,
  };
}

/** Whether an operation, or its inverse, leads from the datum of one CRS to that of the other. */
export function shiftApplies({ from, to }: DatumShift, source: Crs, target: Crs): boolean {
  const [p, q] = [datumOf(source), datumOf(target)];
  return (p === from && q === to) || (p === to && q === from);
}

interface Point {
  x: number;
  y: number;
}

/**
 * Moves longitude and latitude (radians, in place) from the datum of one CRS to that of another, on the ellipsoid as PROJ does; null where
 * the operation is not between the two, or moves nothing.
 */
export function datumTurn(shift: DatumShift, source: Crs, target: Crs): ((point: Point) => void) | null {
  if (!shiftApplies(shift, source, target)) return null;
  const moves = [...shift.translationM, ...shift.rotationRad, shift.scale].some((value) => value !== 0);
  if (!moves) return null;
  const ellipsoid = (epsg: number) => axesOf(ellipsoidOfGeographic(epsg) ?? WGS84);
  const forward = datumOf(source) === shift.from;
  const [own, other] = forward ? [shift.from, shift.to] : [shift.to, shift.from];
  const [before, after] = [ellipsoid(own), ellipsoid(other)];
  const move = forward ? moved : movedBack;
  return (p) => {
    const longitude = p.x;
    toGeodetic(p, after, move(shift, toGeocentric(p, before)));
    // The same circle as before: a longitude beyond 180° stays beyond it.
    p.x += 2 * Math.PI * Math.round((longitude - p.x) / (2 * Math.PI));
  };
}

/** Half axes, m, and the squares of the first and second eccentricity. */
interface Axes {
  a: number;
  b: number;
  e2: number;
  ep2: number;
}

function axesOf({ a, rf }: { a: number; rf: number }): Axes {
  const b = rf === 0 ? a : a * (1 - 1 / rf);
  return { a, b, e2: (a * a - b * b) / (a * a), ep2: (a * a - b * b) / (b * b) };
}

function toGeocentric({ x: lon, y: lat }: Point, { a, e2 }: Axes): Three {
  const [sine, cosine] = sineCosine(lat);
  const [sineLon, cosineLon] = sineCosine(lon);
  const normal = a / Math.sqrt(1 - e2 * sine * sine);
  return [normal * cosine * cosineLon, normal * cosine * sineLon, normal * (1 - e2) * sine];
}

/** Bowring's formula: exact on the ellipsoid, and to a micrometre within kilometres of it. */
function toGeodetic(p: Point, { a, b, e2, ep2 }: Axes, [x, y, z]: Three): void {
  const fromAxis = Math.sqrt(x * x + y * y);
  const [up, out] = [z * a, fromAxis * b];
  const length = Math.sqrt(up * up + out * out);
  const [sine, cosine] = [up / length, out / length];
  p.x = angleOf(x, y);
  p.y = angleOf(fromAxis - e2 * a * cosine * cosine * cosine, z + ep2 * b * sine * sine * sine);
}

/** Small angles, as EPSG defines the operation. */
function moved({ translationM: [tx, ty, tz], rotationRad: [rx, ry, rz], scale }: DatumShift, [x, y, z]: Three): Three {
  const factor = 1 + scale;
  return [
    tx + factor * (x - rz * y + ry * z),
    ty + factor * (rz * x + y - rx * z),
    tz + factor * (-ry * x + rx * y + z),
  ];
}

/** Back, with the angles turned round as PROJ does: within 1e-10 of what {@link moved} came from. */
function movedBack(
  { translationM: [tx, ty, tz], rotationRad: [rx, ry, rz], scale }: DatumShift,
  [x, y, z]: Three,
): Three {
  const factor = 1 + scale;
  const [u, v, w] = [(x - tx) / factor, (y - ty) / factor, (z - tz) / factor];
  return [u + rz * v - ry * w, -rz * u + v + rx * w, ry * u - rx * v + w];
}

/** What people call the datum of a geographic CRS. */
const NAMES: Readonly<Record<number, string>> = {
  4326: 'WGS 84',
  4283: 'GDA94',
  7844: 'GDA2020',
  4258: 'ETRS89',
  4269: 'NAD83',
  4167: 'NZGD2000',
  4674: 'SIRGAS 2000',
  4322: 'WGS 72',
  4267: 'NAD27',
  4230: 'ED50',
  4277: 'OSGB36',
  4314: 'DHDN',
};

/** The datum of a geographic CRS's code, for messages; null: unknown. */
export function datumName(epsg: number | null): string {
  return epsg === null ? 'an unknown datum' : (NAMES[epsg] ?? `that of EPSG:${epsg}`);
}
