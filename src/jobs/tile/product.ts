// What a run makes of its tasks, as the `product` of a configuration describes it.
import { InputError } from '../../errors.js';
import { isObject, type Json } from '../../io/stac-item.js';
import { suggestion } from '../../stats/suggest.js';

/** A product: its names, and what its documents say. Plain data. */
export interface Product {
  /** Of the collection: `ga_ls8cls9c_gm_cyear_3`. */
  name: string;
  /** Begins file names. */
  shortName: string;
  version: string;
  family: string;
  /** Of the address that names the product in Open Data Cube, without a scheme. */
  collectionsSite: string;
  producer: string;
  /** Added to the properties of each dataset. */
  properties: Json;
  /** Python's format of a tile's x and y: `x{x:02d}y{y:02d}`. */
  regionCodeFormat: string;
  namingConventions: string;
  /** With a slash at its end, or null. */
  explorerPath: string | null;
  /** Properties of inputs that outputs do not inherit. */
  inheritSkip: readonly string[];
  /** How the thumbnail is drawn, see `ows-style`; null: none is. */
  preview: Json | null;
  /** Under what outputs name their inputs. */
  classifier: string;
  /** `final`, `interim`, or null. */
  maturity: string | null;
  collectionNumber: number | null;
  /** Missing values that documents and files state of bands that have none of their own; by band, or one of all. */
  nodata: number | Readonly<Record<string, number>> | null;
}

/** What a plugin calls its product where the configuration does not. */
export interface ProductDefaults {
  name: string;
  shortName: string;
  version: string;
  family: string;
}

const KEYS = [
  'name',
  'short_name',
  'version',
  'product_family',
  'collections_site',
  'producer',
  'properties',
  'region_code_format',
  'naming_conventions_values',
  'explorer_path',
  'inherit_skip_properties',
  'preview_image_ows_style',
  'classifier',
  'maturity',
  'collection_number',
  'nodata',
];

/** Names become parts of paths: nothing in them leads out of the place of the results. */
const NAME = /^[A-Za-z0-9][\w.+-]{0,127}$/;

/**
 * Reads the `product` of a configuration over a plugin's defaults.
 * @throws InputError for an unknown key (it names the nearest) or a value of a wrong kind
 */
export function productOf(given: Json | undefined, defaults: ProductDefaults): Product {
  const wrong = (what: string) => new InputError(`product: ${what}`, { option: 'product' });
  const values = given ?? {};
  for (const key of Object.keys(values))
    if (!KEYS.includes(key)) throw wrong(`unknown key "${key}"${suggestion(key, KEYS)}`);
  const text = <T extends string | null>(key: string, otherwise: T): string | T => {
    const value = values[key] ?? otherwise;
    if (typeof value === 'string' || value === null) return value as string | T;
    if (typeof value === 'number') return String(value);
    throw wrong(`"${key}" takes text, and got ${JSON.stringify(value).slice(0, 60)}`);
  };
  const name = (key: string, otherwise: string) => {
    const value = text(key, otherwise);
    if (NAME.test(value)) return value;
    throw wrong(`"${key}" is a plain name, and got ${JSON.stringify(value.slice(0, 60))}`);
  };
  const number = (key: string, value: unknown = values[key] ?? null): number | null => {
    if (value === null || typeof value === 'number') return value;
    if (/^\.?nan$/i.test(String(value))) return Number.NaN;
    throw wrong(`"${key}" takes a number, and got ${JSON.stringify(value).slice(0, 60)}`);
  };
  const missing = (): Product['nodata'] => {
    const { nodata } = values;
    if (!isObject(nodata)) return number('nodata');
    return Object.fromEntries(Object.entries(nodata).map(([band, value]) => [band, number(`nodata.${band}`, value)!]));
  };
  const object = (key: string): Json | null => {
    const value = values[key] ?? null;
    if (value === null || isObject(value)) return value;
    throw wrong(`"${key}" takes an object, and got ${JSON.stringify(value).slice(0, 60)}`);
  };
  const list = (key: string): string[] => {
    const value = values[key] ?? [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    throw wrong(`"${key}" takes a list of names, and got ${JSON.stringify(value).slice(0, 60)}`);
  };
  const maturity = text('maturity', null);
  if (maturity !== null && !NAME.test(maturity)) throw wrong(`"maturity" is a plain name, and got ${maturity}`);
  const explorer = text('explorer_path', null);
  const own = name('name', defaults.name);
  return {
    name: own,
    shortName: name('short_name', values.name === undefined ? defaults.shortName : own),
    version: name('version', defaults.version),
    family: text('product_family', defaults.family),
    collectionsSite: text('collections_site', 'collections.dea.ga.gov.au'),
    producer: text('producer', 'ga.gov.au'),
    properties: object('properties') ?? {},
    regionCodeFormat: text('region_code_format', 'x{x:02d}y{y:02d}'),
    namingConventions: text('naming_conventions_values', 'dea_c3'),
    explorerPath: explorer === null || explorer.endsWith('/') ? explorer : `${explorer}/`,
    inheritSkip: list('inherit_skip_properties'),
    preview: object('preview_image_ows_style'),
    classifier: text('classifier', 'level3'),
    maturity,
    collectionNumber: number('collection_number'),
    nodata: missing(),
  };
}
