// What change detection reads of a scene: which of its bands are PyCCD's, in which units, and how its QA is read.
import { InputError } from '../errors.js';
import type { Scene, SceneBand } from '../io/scene.js';
import { PYCCD_BANDS } from './change-bands.js';
import type { QaScheme } from './change-qa.js';
import { isStack, type StackOptions, stackOf, type ThermalUnit } from './change-stack.js';
import { fromCollection2 } from './landsat-collection2.js';
import { detectSensor, findBand } from './sensors.js';

/** Kinds of scenes: what their numbers mean. */
export type ChangeKind = 'landsat-c2' | 'landsat-c1' | 'landsat-espa' | 'sentinel-2' | `stack-${QaScheme}`;

interface KindFacts {
  title: string;
  qaScheme: QaScheme;
  /** QA of pixels that no scene covers. */
  qaFill: number;
  /** Sample type of the bands, and the number that means missing. */
  dtype: 'i16' | 'u16';
  nodata: number;
  /** Whether a missing temperature must not wrap at 16 bits. */
  wideInt: boolean;
}

/** Stacks of 16-bit integers in PyCCD's units. */
const STACK = { dtype: 'i16', nodata: -9999 } as const;

export const CHANGE_KINDS: Readonly<Record<ChangeKind, KindFacts>> = {
  'landsat-c2': {
    title: 'Landsat Collection 2 Level 2',
    qaScheme: 'landsat-c2',
    qaFill: 1,
    dtype: 'u16',
    nodata: 0,
    wideInt: true,
  },
  'landsat-c1': {
    title: 'Landsat Collection 1 (pixel_qa)',
    qaScheme: 'pyccd',
    qaFill: 1,
    dtype: 'i16',
    nodata: -9999,
    wideInt: false,
  },
  'landsat-espa': {
    title: 'Landsat with Fmask classes',
    qaScheme: 'fmask',
    qaFill: 255,
    dtype: 'i16',
    nodata: -9999,
    wideInt: false,
  },
  'sentinel-2': {
    title: 'Sentinel-2 L2A',
    qaScheme: 'fmask',
    qaFill: 255,
    dtype: 'u16',
    nodata: 0,
    wideInt: true,
  },
  'stack-pyccd': { title: 'a stack with pixel_qa', qaScheme: 'pyccd', qaFill: 1, ...STACK, wideInt: false },
  'stack-fmask': { title: 'a stack with Fmask classes', qaScheme: 'fmask', qaFill: 255, ...STACK, wideInt: false },
  'stack-landsat-c2': { title: 'a stack with QA_PIXEL', qaScheme: 'landsat-c2', qaFill: 1, ...STACK, wideInt: true },
};

/** Whether a kind's QA holds Fmask's own classes. */
export const hasFmask = (kind: ChangeKind) => kind === 'landsat-espa' || kind === 'stack-fmask';

const KIND_OF_SENSOR: Readonly<Record<string, ChangeKind>> = {
  'landsat-c2-l2': 'landsat-c2',
  'landsat-c2-l2-tm': 'landsat-c2',
  'landsat-espa': 'landsat-espa',
  'sentinel-2-l2a': 'sentinel-2',
};

/** What PyCCD's bands are called, the most usual first. */
const NAMES: Readonly<Record<(typeof PYCCD_BANDS)[number], readonly string[]>> = {
  blue: ['blue'],
  green: ['green'],
  red: ['red'],
  nir: ['nir', 'nir08'],
  swir1: ['swir1', 'swir16', 'swir_1'],
  swir2: ['swir2', 'swir22', 'swir_2'],
  thermal: ['thermal', 'lwir11', 'lwir', 'BT_B10', 'BT_B6'],
};

/** Numbers of PyCCD's bands in the names of Landsat's, by instrument. */
export const BAND_NUMBERS = { tm: [1, 2, 3, 4, 5, 7, 6], oli: [2, 3, 4, 5, 6, 7, 10] };
/** How they stand in names: SRB2 and BTB10 of ARD, sr_band2 and bt_band10 of ESPA, B2 and B02; SR_B2 and ST_B10 of Collection 2. */
const NUMBERED: ((n: number) => string)[] = [
  (n) => `SRB${n}`,
  (n) => `BTB${n}`,
  (n) => `SR_BAND${n}`,
  (n) => `BT_BAND${n}`,
  (n) => `SR_B${n}`,
  (n) => `ST_B${n}`,
  (n) => `B${n}`,
  (n) => `B0${n}`,
];

/** A scene's bands under PyCCD's names; thermal is null where it has none. */
export interface ChangeScene {
  kind: ChangeKind;
  bands: Record<string, SceneBand | null>;
  qa: SceneBand;
}

/** TM and ETM+ number their bands otherwise than OLI: told by platform or id, else by bands that only OLI has. */
function isTm({ platform, id }: Scene, names: ReadonlyMap<string, unknown>): boolean {
  const number = /(?:landsat|^l[tecmo])[-_ ]?0?([4-9])/i.exec(platform ?? id)?.[1];
  if (number) return Number(number) <= 7;
  return !['SRB6', 'SR_BAND6', 'SR_B6', 'BTB10', 'BT_BAND10', 'ST_B10', 'B10'].some((name) => names.has(name));
}

/** A scene with pixel_qa: its bands by what they are called, else by their numbers. Null for others. */
function pixelQaScene(scene: Scene): ChangeScene | null {
  const byName = new Map(Object.entries(scene.bands).map(([key, band]) => [key.toUpperCase(), band]));
  const qa = byName.get('PIXELQA') ?? byName.get('PIXEL_QA');
  if (!qa) return null;
  const numbers = BAND_NUMBERS[isTm(scene, byName) ? 'tm' : 'oli'];
  const bands = PYCCD_BANDS.map((name, i) => {
    const called = NAMES[name].map((alias) => findBand(scene, alias, null)).find((band) => band !== null);
    const numbered = NUMBERED.map((spell) => byName.get(spell(numbers[i]!))).find((band) => band !== undefined);
    return [name, called ?? numbered ?? null] as const;
  });
  // Some archives call the QA of Collection 2 so.
  const isC2 = [...byName.keys()].some((key) => /^SR_B\d/.test(key));
  return { kind: isC2 ? 'landsat-c2' : 'landsat-c1', bands: Object.fromEntries(bands), qa };
}

/** A stack by its sample type: 16-bit integers are in PyCCD's units, unsigned ones with QA_PIXEL are Collection 2 as it is stored. */
function stackScene(scene: Scene, options: StackOptions): ChangeScene {
  const { bands, qa, qaScheme } = stackOf(scene, options);
  const { dtype } = bands.red!;
  if (dtype === 'i16') return { kind: `stack-${qaScheme}`, bands, qa };
  if (dtype === 'u16' && qaScheme === 'landsat-c2') return { kind: 'landsat-c2', bands, qa };
  const wanted = 'i16 is wanted (reflectance × 10000), or u16 as Collection 2 with QA_PIXEL';
  throw new InputError(`scene ${scene.id} is a stack of ${dtype}: ${wanted}`, { items: [scene.id] });
}

/**
 * Tells a scene's kind and bands from its item, or of a bare file of many bands from their names and `options`.
 * @throws InputError when it is of no known kind, or lacks a band of reflectance.
 */
export function changeScene(scene: Scene, options: StackOptions = {}): ChangeScene {
  if (isStack(scene)) return stackScene(scene, options);
  const found = pixelQaScene(scene) ?? sensorScene(scene);
  const missing = PYCCD_BANDS.slice(0, 6).find((name) => !found.bands[name]);
  if (!missing) return found;
  const known = Object.keys(scene.bands).slice(0, 40).join(', ');
  throw new InputError(`scene ${scene.id} has no band ${missing}; it has ${known}`, {
    band: missing,
    items: [scene.id],
  });
}

function sensorScene(scene: Scene): ChangeScene {
  const sensor = detectSensor([scene]);
  const kind = sensor && KIND_OF_SENSOR[sensor.id];
  const qa = sensor && findBand(scene, sensor.maskBand.name, sensor);
  if (!kind || !qa) {
    const what = sensor ? `of ${sensor.title}` : `with ${Object.keys(scene.bands).slice(0, 40).join(', ')}`;
    const wanted = Object.values(CHANGE_KINDS).map(({ title }) => title);
    throw new InputError(`scene ${scene.id}, ${what}, is none that changes are looked for in: ${wanted.join('; ')}`, {
      items: [scene.id],
    });
  }
  const bands = PYCCD_BANDS.map((name) => {
    const own = NAMES[name].map((alias) => findBand(scene, alias, sensor)).find((band) => band !== null);
    return [name, own ?? null] as const;
  });
  return { kind, bands: Object.fromEntries(bands), qa };
}

/** Degrees Celsius × 100 as kelvin × 10, halves to even; −9999 stays. */
export function kelvinOfCelsius(value: number): number {
  if (value === -9999) return value;
  const tens = Math.floor((value + 27_315) / 10);
  const rest = value + 27_315 - 10 * tens;
  return rest > 5 || (rest === 5 && tens % 2 !== 0) ? tens + 1 : tens;
}

/** Every stored number (by its 16 bits) in the units of PyCCD. */
function numberTable(kind: ChangeKind, band: string, thermalUnit: ThermalUnit): Int16Array | null {
  if (band === 'thermal' && thermalUnit === 'celsius-100') {
    return Int16Array.from({ length: 65536 }, (_, bits) => kelvinOfCelsius((bits << 16) >> 16));
  }
  if (kind === 'landsat-c2') {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    return fromCollection2(all, band === 'thermal' ? 'temperature' : 'reflectance');
  }
  if (kind === 'sentinel-2')
    return Int16Array.from({ length: 65536 }, (_, i) => (i === 0 ? -9999 : Math.min(i, 32767)));
  return null;
}

/** Classes of SCL as Fmask's; dark areas, unclassified and bare or vegetated ground are clear; 255 for missing and saturated pixels. */
const SCL_CLASSES = [255, 255, 0, 2, 0, 0, 1, 0, 4, 4, 4, 3];

/** The 16 bits of −9999. */
const SIGNED_FILL = 0xd8f1;

/** Takes stored numbers of a kind of scenes to what detectChip wants. */
export class ChangeUnits {
  private readonly tables: readonly (Int16Array | null)[];
  private readonly kind: ChangeKind;

  constructor(kind: ChangeKind, bands: readonly string[], thermalUnit: ThermalUnit = 'kelvin-10') {
    this.kind = kind;
    this.tables = bands.map((band) => numberTable(kind, band, thermalUnit));
  }

  /** A band's stored numbers, as u16 whatever their sign, into `target`. */
  numbers(target: Int16Array, stored: Uint16Array, band: number): void {
    const table = this.tables[band];
    if (!table) target.set(new Int16Array(stored.buffer, stored.byteOffset, stored.length));
    else for (let i = 0; i < stored.length; i++) target[i] = table[stored[i]!]!;
  }

  /** QA's stored values into `target`. */
  qa(target: Uint16Array, stored: Uint16Array): void {
    const { kind } = this;
    if (kind.startsWith('stack-')) {
      // Of QA in a file of signed numbers −9999 is no value that it has.
      const { qaFill } = CHANGE_KINDS[kind];
      for (let i = 0; i < stored.length; i++) target[i] = stored[i] === SIGNED_FILL ? qaFill : stored[i]!;
    } else if (kind !== 'sentinel-2') target.set(stored);
    // A value that is no class of SCL is none of Fmask's either.
    else for (let i = 0; i < stored.length; i++) target[i] = SCL_CLASSES[stored[i]!] ?? 255;
  }
}
