import { InputError } from '../errors.js';
import type { Scene, SceneBand } from '../io/scene.js';
import { type MaskRecipe, parseMasks } from './mask-recipe.js';
import { suggestion } from './suggest.js';

interface Named {
  name: string;
  /** What else it is called: asset keys of other archives, common names. */
  aliases: readonly string[];
}

/** A family of scenes with the same bands and mask band: a row of docs/masks.md. */
export interface Sensor {
  id: string;
  title: string;
  /** Collections, where band names alone do not tell it. */
  collections: RegExp | null;
  /** Bands that are composited by default, in order. */
  valueBands: readonly Named[];
  /** Other bands: thermal, cirrus, aerosol, quality. */
  otherBands: readonly Named[];
  /** The band that the default masks look at; a scene that has it may be of this sensor. */
  maskBand: Named;
  /** Default recipes (text for parseMask), OR-ed. */
  masks: readonly string[];
}

/** "B02=blue" → { name: 'B02', aliases: ['blue'] }. */
function named(text: string): Named {
  const [name, ...aliases] = text.split('=');
  return { name: name!, aliases };
}

const bands = (text: string) => text.split(' ').map(named);

const LANDSAT_ESPA_BANDS =
  'blue=sr_band1 green=sr_band2 red=sr_band3 nir=sr_band4=nir08 swir1=sr_band5=swir16 swir2=sr_band7=swir22';

/** Most specific first. Sources of the classes and bits are named in docs/masks.md. */
export const SENSORS: readonly Sensor[] = [
  {
    id: 'sentinel-2-l2a',
    title: 'Sentinel-2 L2A',
    collections: null,
    valueBands: bands(
      'B01=coastal B02=blue B03=green B04=red B05=rededge1 B06=rededge2 B07=rededge3 B08=nir B8A=nir08 B09=nir09 B11=swir16 B12=swir22',
    ),
    otherBands: bands('B10=cirrus AOT=aot WVP=wvp CLD=cloud SNW=snow'),
    maskBand: named('SCL=scl'),
    masks: ['SCL drop 0,1', 'SCL drop 3,8,9,10 | opening 2 | dilation 5'],
  },
  {
    id: 'dea',
    title: 'DEA surface reflectance (Landsat and Sentinel-2 ARD)',
    collections: null,
    valueBands: bands(
      'nbart_coastal_aerosol nbart_blue=blue nbart_green=green nbart_red=red nbart_red_edge_1=rededge1 nbart_red_edge_2=rededge2 nbart_red_edge_3=rededge3 nbart_nir_1=nir nbart_nir=nir08 nbart_nir_2=nir08 nbart_swir_1=swir16 nbart_swir_2=swir22 nbart_swir_3=swir22',
    ),
    otherBands: bands('nbart_panchromatic=pan oa_nbart_contiguity=nbart_contiguity'),
    maskBand: named('oa_fmask=fmask'),
    masks: ['oa_fmask drop 0', 'oa_fmask drop 2 | opening 3 | dilation 6', 'oa_fmask drop 3 | dilation 6'],
  },
  {
    id: 'landsat-c2-l2',
    title: 'Landsat Collection 2 Level 2, OLI (Landsat 8 and 9)',
    collections: null,
    valueBands: bands(
      'SR_B1=coastal SR_B2=blue SR_B3=green SR_B4=red SR_B5=nir08=nir SR_B6=swir16=swir_1 SR_B7=swir22=swir_2',
    ),
    otherBands: bands('ST_B10=lwir11 QA_RADSAT=qa_radsat SR_QA_AEROSOL=qa_aerosol ST_QA=qa'),
    maskBand: named('QA_PIXEL=qa_pixel=pixel_qa=pq'),
    masks: ['QA_PIXEL anybit 0', 'QA_PIXEL anybit 1,2,3,4'],
  },
  {
    id: 'landsat-c2-l2-tm',
    title: 'Landsat Collection 2 Level 2, TM and ETM+ (Landsat 4, 5 and 7)',
    collections: null,
    valueBands: bands('SR_B1=blue SR_B2=green SR_B3=red SR_B4=nir08=nir SR_B5=swir16=swir_1 SR_B7=swir22=swir_2'),
    otherBands: bands('ST_B6=lwir QA_RADSAT=qa_radsat SR_ATMOS_OPACITY=atmos_opacity SR_CLOUD_QA=cloud_qa ST_QA=qa'),
    maskBand: named('QA_PIXEL=qa_pixel=pq'),
    masks: ['QA_PIXEL anybit 0', 'QA_PIXEL anybit 1,3,4'],
  },
  {
    id: 'landsat-c1-l2',
    title: 'Landsat Collection 1 surface reflectance (pixel_qa)',
    collections: null,
    valueBands: bands(
      'B01=coastal=B1=sr_band1 B02=blue=B2=sr_band2 B03=green=B3=sr_band3 B04=red=B4=sr_band4 B05=nir08=nir=B5=sr_band5 B06=swir16=B6=sr_band6 B07=swir22=B7=sr_band7',
    ),
    otherBands: bands('B10=lwir11 B11=lwir12 radsat_qa sr_aerosol'),
    maskBand: named('pixel_qa'),
    masks: ['pixel_qa anybit 0', 'pixel_qa anybit 3,5'],
  },
  {
    id: 'landsat-espa',
    title: 'Landsat ESPA surface reflectance (cfmask)',
    collections: null,
    valueBands: bands(LANDSAT_ESPA_BANDS),
    otherBands: bands('thermal=toa_band6=lwir cfmask_conf'),
    maskBand: named('cfmask=sr_cfmask'),
    masks: ['cfmask drop 255', 'cfmask drop 2,4'],
  },
  {
    id: 'hls-s30',
    title: 'HLS S30 (Sentinel-2)',
    collections: /HLS(2[-_.]?)?S30|hls2-s30/i,
    valueBands: bands(
      'B01=coastal B02=blue B03=green B04=red B05=rededge1 B06=rededge2 B07=rededge3 B08=nir B8A=nir08 B11=swir16 B12=swir22',
    ),
    otherBands: bands('B09=nir09 B10=cirrus SAA SZA VAA VZA'),
    maskBand: named('Fmask=fmask'),
    masks: ['Fmask drop 255', 'Fmask anybit 1,2,3'],
  },
  {
    id: 'hls-l30',
    title: 'HLS L30 (Landsat 8 and 9)',
    collections: null,
    valueBands: bands('B01=coastal B02=blue B03=green B04=red B05=nir08=nir B06=swir16 B07=swir22'),
    otherBands: bands('B09=cirrus B10=lwir11 B11=lwir12 SAA SZA VAA VZA'),
    maskBand: named('Fmask=fmask'),
    masks: ['Fmask drop 255', 'Fmask anybit 1,2,3'],
  },
];

const spelled = ({ name, aliases }: Named) => [name, ...aliases];
const allOf = (sensor: Sensor) => [...sensor.valueBands, ...sensor.otherBands, sensor.maskBand];

/** The key of a band in a scene under any of some names: exact keys first, then the names and common names of its item. */
function keyOf(scene: Scene, names: readonly string[]): string | null {
  for (const name of names) if (Object.hasOwn(scene.bands, name)) return name;
  const found = Object.entries(scene.bands).find(([, band]) => band.name !== null && names.includes(band.name));
  return found?.[0] ?? null;
}

function isTm(scene: Scene): boolean {
  if (scene.platform) return /(landsat|lt|le)[-_ ]?0?[457]$/i.test(scene.platform);
  return /^L[TEM]0?[457]/.test(scene.id);
}

function fits(sensor: Sensor, scene: Scene): boolean {
  if (keyOf(scene, spelled(sensor.maskBand)) === null) return false;
  if (sensor.collections && !sensor.collections.test(`${scene.collection ?? ''} ${scene.id}`)) return false;
  if (sensor.id === 'landsat-c2-l2-tm') return isTm(scene);
  // `fmask` alone is also the name of HLS's band; DEA's value bands tell them apart.
  const byName = sensor.id === 'dea' || sensor.id.startsWith('hls');
  if (byName)
    return (
      sensor.valueBands.some(({ name }) => keyOf(scene, [name]) !== null) ||
      Object.hasOwn(scene.bands, sensor.maskBand.name)
    );
  return sensor.id !== 'landsat-c2-l2' || (!isTm(scene) && !('pixel_qa' in scene.bands));
}

/**
 * The sensor of the first scene by its bands, collection and platform, if all scenes have its mask band; null when none of the table
 * fits. Kin sensors may stand beside it: see `findBand`.
 */
export function detectSensor(scenes: readonly Scene[]): Sensor | null {
  const [first] = scenes;
  if (!first) return null;
  const sensor = sensorOf(first);
  const mask = sensor && spelled(sensor.maskBand);
  return mask && scenes.every((scene) => keyOf(scene, mask) !== null) ? sensor : null;
}

/** Detected once a scene: lookups are many. */
const sensors = new WeakMap<Scene, Sensor | null>();

function sensorOf(scene: Scene): Sensor | null {
  let sensor = sensors.get(scene);
  if (sensor === undefined) {
    sensor = SENSORS.find((candidate) => fits(candidate, scene)) ?? null;
    sensors.set(scene, sensor);
  }
  return sensor;
}

/**
 * The key of a band in one scene. Names are those of the shared sensor; where a scene is of a kin sensor (TM beside OLI, HLS L30 beside
 * S30) the same number may be other light, so bands are matched by what they see: their common names.
 */
export function bandKey(scene: Scene, name: string, shared: Sensor | null): string | null {
  const own = sensorOf(scene);
  const entry = shared && allOf(shared).find((band) => spelled(band).includes(name));
  if (shared && own && own !== shared && entry) {
    const kin = entry.aliases.map((alias) => allOf(own).find((band) => band.aliases.includes(alias))).find(Boolean);
    const same = kin ?? allOf(own).find((band) => band.name === entry.name && entry.aliases.length === 0);
    return same ? keyOf(scene, spelled(same)) : null;
  }
  if (Object.hasOwn(scene.bands, name)) return name;
  const key = keyOf(scene, entry ? spelled(entry) : [name]);
  if (key !== null) return key;
  return Object.entries(scene.bands).find(([, band]) => band.commonName === name)?.[0] ?? null;
}

/** The band of a scene by its name there, the sensor's name or alias, or its common name; null when it has none. */
export function findBand(scene: Scene, name: string, sensor: Sensor | null): SceneBand | null {
  const key = bandKey(scene, name, sensor);
  return key === null ? null : scene.bands[key]!;
}

/** Band names that mean quality, not light, in scenes of no known sensor. */
const QUALITY =
  /^(scl|.*mask.*|.*(^|_)qa(_|$).*|.*contiguity.*|aot|wvp|cld|snw|.*-jp2|.*(azimuth|zenith|exiting|incident).*)$/i;

function defaultBands(scenes: readonly Scene[], sensor: Sensor | null): string[] {
  const [first] = scenes;
  const keys = sensor
    ? sensor.valueBands.map((band) => keyOf(first!, spelled(band)))
    : Object.keys(first!.bands).filter((name) => !QUALITY.test(name));
  const shared = [...new Set(keys)].filter(
    (key): key is string => key !== null && scenes.every((scene) => bandKey(scene, key, sensor) !== null),
  );
  if (shared.length === 0)
    throw new InputError(
      `the scenes share no value bands: name them with --bands; ${first!.id} has ${Object.keys(first!.bands).join(', ')}`,
      {
        option: 'bands',
      },
    );
  return shared;
}

/**
 * The names of the bands asked for as the first scene spells them, in request order; null asks for all value bands that every
 * scene has. An unknown name, or a scene without the band, is an `InputError`. Look them up per scene with `findBand`.
 */
export function resolveBands(scenes: readonly Scene[], names: readonly string[] | null): string[] {
  const [first] = scenes;
  if (!first) return [];
  const sensor = detectSensor(scenes);
  if (!names) return defaultBands(scenes, sensor);
  const resolved: string[] = [];
  for (const name of names) {
    const key = bandKey(first, name, sensor);
    const lacking = key === null ? [first] : scenes.filter((scene) => bandKey(scene, name, sensor) === null);
    if (key === null || lacking.length > 0) {
      const known = Object.keys(lacking[0]!.bands);
      const others = lacking.length > 1 ? ` and ${lacking.length - 1} more scenes` : '';
      throw new InputError(
        `no band ${JSON.stringify(name)} in ${lacking[0]!.id}${others}${suggestion(name, known)}; it has ${known.slice(0, 40).join(', ')}`,
        { band: name, option: 'bands', items: lacking.slice(0, 5).map((scene) => scene.id) },
      );
    }
    if (resolved.includes(key))
      throw new InputError(`band ${name} is asked for twice`, { band: name, option: 'bands' });
    resolved.push(key);
  }
  return resolved;
}

/** The sensor's default recipes with the mask band spelled as in the scenes; an `InputError` asks for --mask where there is none. */
export function defaultMasks(scenes: readonly Scene[]): MaskRecipe[] {
  const sensor = detectSensor(scenes);
  const [first] = scenes;
  if (!first) return [];
  if (!sensor)
    throw new InputError(
      `no default mask for these scenes (${first.id} has ${Object.keys(first.bands).slice(0, 40).join(', ')}): give --mask, or --mask none`,
      { option: 'mask' },
    );
  const band = keyOf(first, spelled(sensor.maskBand)) ?? sensor.maskBand.name;
  return parseMasks(sensor.masks).map((recipe) => ({ ...recipe, band }));
}
