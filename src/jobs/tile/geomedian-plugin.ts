// The geomedian products of odc-stats: gm-generic, gm-s2, gm-ls.
import { InputError } from '../../errors.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { MorphologyStep } from '../../kernels/mask.js';
import { classValues } from '../../stats/class-names.js';
import { formatMask, type MaskRecipe, parseMask } from '../../stats/mask-recipe.js';
import { type PluginConfig, pluginConfig } from './plugin-config.js';
import type { ProductDefaults } from './product.js';
import type { Plugin, Recipe } from './recipe.js';

/** What a geomedian product is where its configuration does not say otherwise. */
interface Defaults {
  product: ProductDefaults;
  bands: readonly string[] | null;
  maskBand: string | null;
  contiguity: string | null;
  nodataClasses: readonly string[] | null;
  cloudFilters: CloudFilters;
  /** Of smad, emad, bcmad and count. */
  auxNames: Readonly<Record<Aux, string>>;
  rgb: readonly [string, string, string] | null;
}

type Aux = 'smad' | 'emad' | 'bcmad' | 'count';
const AUX: readonly Aux[] = ['smad', 'emad', 'bcmad', 'count'];
/** What pictures of a tile are called among its files. */
const PICTURES: readonly string[] = ['rgba', 'thumbnail'];

/** Classes (joined by `|` where they are cleaned as one), and what is done to their mask. */
type CloudFilters = readonly (readonly [classes: string, steps: readonly MorphologyStep[]])[];

const step = (op: MorphologyStep['op'], radiusPx: number): MorphologyStep => ({ op, radiusPx });
const family = 'geomedian';
const RAW_CLOUD: CloudFilters = [['cloud|shadow', []]];

const PRODUCTS: Readonly<Record<'gm-generic' | 'gm-s2' | 'gm-ls', Defaults>> = {
  'gm-generic': {
    product: { name: 'gm', shortName: 'gm', version: '0.0.0', family },
    bands: null,
    maskBand: null,
    contiguity: null,
    nodataClasses: null,
    cloudFilters: RAW_CLOUD,
    auxNames: { smad: 'smad', emad: 'emad', bcmad: 'bcmad', count: 'count' },
    rgb: null,
  },
  'gm-s2': {
    product: { name: 'gm_s2_annual', shortName: 'gm_s2_annual', version: '0.0.0', family },
    bands: ['B02', 'B03', 'B04', 'B05', 'B06', 'B07', 'B08', 'B8A', 'B11', 'B12'],
    maskBand: 'SCL',
    contiguity: null,
    nodataClasses: ['no data'],
    cloudFilters: [
      [
        'cloud shadows|cloud medium probability|cloud high probability|thin cirrus',
        [step('opening', 2), step('dilation', 5)],
      ],
    ],
    auxNames: { smad: 'SMAD', emad: 'EMAD', bcmad: 'BCMAD', count: 'COUNT' },
    rgb: ['B04', 'B03', 'B02'],
  },
  'gm-ls': {
    product: { name: 'gm_ls_annual', shortName: 'gm_ls_annual', version: '3.0.1', family },
    bands: ['nbart_red', 'nbart_green', 'nbart_blue', 'nbart_nir', 'nbart_swir_1', 'nbart_swir_2'],
    maskBand: 'oa_fmask',
    contiguity: 'nbart_contiguity',
    nodataClasses: ['nodata'],
    cloudFilters: RAW_CLOUD,
    auxNames: { smad: 'sdev', emad: 'edev', bcmad: 'bcdev', count: 'count' },
    rgb: ['nbart_red', 'nbart_green', 'nbart_blue'],
  },
};

/** Keys that only these plugins have. */
const KEYS = ['bands', 'mask_band', 'contiguity_band', 'nodata_classes', 'cloud_filters', 'aux_names', 'mask'] as const;
/** How theirs cuts its work: ours needs no word about it. */
const IGNORED = ['work_chunks', 'reshape_strategy', 'basis_band', 'nodata_defs'] as const;

export function geomedianPlugin(name: keyof typeof PRODUCTS): Plugin {
  const defaults = PRODUCTS[name];
  return {
    name,
    product: defaults.product,
    recipe: (config) => recipeOf(name, defaults, pluginConfig(name, config, { own: KEYS, ignored: IGNORED })),
  };
}

function recipeOf(plugin: string, defaults: Defaults, config: PluginConfig): Recipe {
  const wrong = (what: string) => new InputError(`${plugin}: ${what}`, { option: 'plugin-config' });
  const given = config.text('contiguity_band');
  const contiguity = given === 'none' ? null : (given ?? defaults.contiguity);
  // Theirs lists the contiguity band among the others.
  const bands = (config.names('bands') ?? defaults.bands)?.filter((band) => band !== contiguity);
  if (!bands || bands.length === 0) throw wrong('"bands" is wanted: the names of the bands');
  const aux = auxNames(config, defaults, wrong);
  const rgbBands = config.names('rgb_bands') ?? defaults.rgb?.filter((band) => bands.includes(band)) ?? [];
  if (rgbBands.some((band) => !bands.includes(band)))
    throw wrong(`rgb_bands are bands of the product, not ${rgbBands.join(', ')}`);
  if (config.has('rgb_bands') && rgbBands.length !== 3)
    throw wrong(`rgb_bands are three, red, green and blue, and got ${rgbBands.length}`);
  const names = [...bands, ...AUX.map((key) => aux[key])];
  const twice = names.find((name, i) => names.indexOf(name) < i || PICTURES.includes(name));
  if (twice !== undefined) throw wrong(`two outputs would be called ${twice}: see bands and aux_names`);
  return {
    bands,
    masks: masksOf(plugin, defaults, config),
    contiguity,
    // As theirs: masked pixels are no data before anything is blended.
    maskWhen: config.resampling === 'nearest' || config.resampling === 'mode' ? 'before-fuse' : 'before-warp',
    statistics: 'geomedian,mads,count',
    outputs: [
      ...bands.map((band, i) => ({ name: band, statistic: 'geomedian', band: i })),
      ...AUX.map((key) =>
        key === 'count'
          ? { name: aux.count, statistic: 'count', band: 'count' }
          : { name: aux[key], statistic: 'mads', band: key },
      ),
    ],
    resampling: config.resampling,
    group: config.group,
    rgb: rgbBands.length === 3 ? { bands: rgbBands as [string, string, string], clamp: config.rgbClamp } : null,
    transformCode: config.transformCode,
  };
}

function auxNames(config: PluginConfig, defaults: Defaults, wrong: (what: string) => InputError): Record<Aux, string> {
  const given = config.object('aux_names');
  if (!given) return { ...defaults.auxNames };
  for (const [key, name] of Object.entries(given))
    if (!AUX.includes(key as Aux) || typeof name !== 'string' || !/^\w{1,64}$/.test(name))
      throw wrong(`aux_names gives names to ${AUX.join(', ')}, and has ${JSON.stringify({ [key]: name })}`);
  // Theirs takes those that are given in place of all of its own.
  return Object.fromEntries(AUX.map((key) => [key, (given[key] as string | undefined) ?? key])) as Record<Aux, string>;
}

/** `mask: none`, recipes like those of `composite`, or nodata classes and filters of cloud classes as odc-stats has them. */
function masksOf(plugin: string, defaults: Defaults, config: PluginConfig): MaskRecipe[] {
  const own = config.names('mask');
  if (own) return own.map(parseMask).filter((mask) => mask !== null);
  const band = config.text('mask_band') ?? defaults.maskBand;
  if (!band)
    throw new InputError(`${plugin}: "mask_band" is wanted, or mask: none`, {
      option: 'plugin-config',
    });
  const nodata = config.list('nodata_classes') ?? defaults.nodataClasses;
  if (!nodata)
    throw new InputError(
      `${plugin}: without nodata_classes the mask band would not be looked at: name them (the classes of ${band} that mean no data), or say mask: none`,
      { option: 'plugin-config' },
    );
  const filters = config.has('cloud_filters') ? cloudFilters(plugin, config.object('cloud_filters')) : null;
  const drop = (classes: readonly (string | number)[], steps: readonly MorphologyStep[]): MaskRecipe => ({
    band,
    mode: 'drop',
    values: classValues(band, classes),
    steps: [...steps],
  });
  const masks = [
    ...(nodata.length > 0 ? [drop(nodata, [])] : []),
    ...(filters ?? defaults.cloudFilters).map(([classes, steps]) => drop([classes], steps)),
  ];
  // Radii and the like are checked where recipes are read.
  for (const mask of masks) parseMask(formatMask(mask));
  return masks;
}

const isStep = (one: unknown): one is [string, number] =>
  Array.isArray(one) && one.length === 2 && typeof one[0] === 'string' && Number.isInteger(one[1]);

function cloudFilters(plugin: string, given: Json | null): CloudFilters {
  const wrong = (what: string) =>
    new InputError(`${plugin}: cloud_filters ${what}; wanted {"cloud": [["opening", 2], ["dilation", 5]]}`, {
      option: 'plugin-config',
    });
  if (!isObject(given)) return [];
  return Object.entries(given).map(([classes, steps]) => {
    if (!Array.isArray(steps) || !steps.every(isStep)) throw wrong(`of ${classes} is no list of [operation, radius]`);
    return [
      classes,
      steps.map(([op, radiusPx]) => {
        if (['opening', 'closing', 'dilation', 'erosion'].includes(op))
          return step(op as MorphologyStep['op'], radiusPx);
        throw wrong(`of ${classes} has "${op}", which is none of opening, closing, dilation, erosion`);
      }),
    ] as const;
  });
}
