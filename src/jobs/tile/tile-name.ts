// What the outputs of a task are called, and the UUID they are known by.
import { InputError } from '../../errors.js';
import { padded, type TileIndex } from '../../geo/gridspec.js';
import { odcUuid } from '../task/odc-uuid.js';
import { type Task, type TaskScene, taskLocation } from '../task/task.js';
import type { Product } from './product.js';

/** Names of a tile's files, without a folder. */
export interface TileFileNames {
  /** @throws InputError for a band whose name is no word */
  band(name: string): string;
  rgba: string;
  thumbnail(extension: 'jpg' | 'png'): string;
  item: string;
  sha1: string;
  /** Of Open Data Cube. */
  dataset: string;
  /** How it was made. */
  record: string;
}

/** What the outputs of a task are called. */
export interface TileNames extends TileFileNames {
  regionCode: string;
  /** Below the location of the product: `x05/y06/2019--P1Y`. */
  folder: string;
  /** `{short_name}_{region code}_{period}[_{maturity}]`, which begins the names of all files. */
  title: string;
}

/** A field of Python's formats: `{x}`, `{x:02d}`, `{y:+04d}`. */
const FIELD = /\{([xy])(?::(\+?)(0\d{1,2})?d?)?\}/g;
const LITERAL = /^[A-Za-z0-9_+-]*$/;

function formatted(value: number, sign: string, width: string | undefined): string {
  const digits = width === undefined ? 0 : Number(width);
  return sign === '+' && value >= 0 ? `+${padded(value, digits - 1)}` : padded(value, digits);
}

/**
 * A tile's region code by Python's format of x and y, as `region_code_format` has it: `x{x:02d}y{y:02d}`.
 * @throws InputError for a format that is none, that leaves out x or y, or that would give two tiles one code
 */
export function formatRegion(format: string, { x, y }: TileIndex): string {
  const fields = [...format.matchAll(FIELD)];
  const named = fields.map(([, name]) => name);
  const runsTogether = /\{[xy](:\+?d?)?\}\{/.test(format);
  const good = LITERAL.test(format.replace(FIELD, '')) && named.includes('x') && named.includes('y') && !runsTogether;
  if (!good)
    throw new InputError(
      `a region code is a format of x and y in letters, digits, _ and -, like x{x:02d}y{y:02d}, not ${JSON.stringify(format.slice(0, 60))}`,
      { option: 'product' },
    );
  return format.replace(FIELD, (_, name: 'x' | 'y', sign: string | undefined, width: string | undefined) =>
    formatted(name === 'x' ? x : y, sign ?? '', width),
  );
}

/** Names of the files of a tile by its title. */
export function tileFileNames(title: string): TileFileNames {
  return {
    band(name) {
      if (/^\w+$/.test(name)) return `${title}_${name}.tif`;
      throw new InputError(`a band of outputs is a word, not ${JSON.stringify(name.slice(0, 60))}`, { band: name });
    },
    rgba: `${title}_rgba.tif`,
    thumbnail: (extension) => `${title}_thumbnail.${extension}`,
    item: `${title}.stac-item.json`,
    sha1: `${title}.sha1`,
    dataset: `${title}.odc-metadata.yaml`,
    record: `${title}.proc-info.yaml`,
  };
}

/** @throws InputError for a format of region codes that is none */
export function tileNames(
  { tile, period }: Pick<Task, 'tile' | 'period'>,
  { shortName, regionCodeFormat, maturity }: Pick<Product, 'shortName' | 'regionCodeFormat' | 'maturity'>,
): TileNames {
  const code = formatRegion(regionCodeFormat, tile);
  const title = [shortName, code, period.label, ...(maturity === null ? [] : [maturity])].join('_');
  return {
    regionCode: code,
    folder: taskLocation(code, period.label),
    title,
    ...tileFileNames(title),
  };
}

/**
 * Where the tiles of a product go, from a template like `s3://bucket/{product}/{version}`; without a slash at its end.
 * @throws InputError for an unknown placeholder (it names those that there are)
 */
export function outputLocation(template: string, { name, shortName, version }: Product): string {
  if (template.trim() === '')
    throw new InputError('a folder or s3://bucket/prefix is wanted, and got an empty text', { option: 'location' });
  const dashed = version.replaceAll('.', '-');
  const known: Readonly<Record<string, string>> = {
    product: name,
    name,
    short_name: shortName,
    version: dashed,
    version_dashed: dashed,
    version_raw: version,
  };
  const filled = template.replace(/\{([^{}]*)\}/g, (_, key: string) => {
    if (Object.hasOwn(known, key)) return known[key]!;
    throw new InputError(
      `the location ${template.slice(0, 100)} has {${key.slice(0, 40)}}, and there are ${Object.keys(known)
        .map((one) => `{${one}}`)
        .join(', ')}`,
      { option: 'location' },
    );
  });
  if (/[{}]/.test(filled))
    throw new InputError(`the location ${template.slice(0, 100)} has a brace without its other`, {
      option: 'location',
    });
  return filled.length > 1 ? filled.replace(/\/+$/, '') : filled;
}

/** UUIDs of what a tile is made of, each once: of fused scenes those of their parts. */
export function sourceUuids(scenes: readonly TaskScene[]): string[] {
  return [...new Set(scenes.flatMap(({ uuid, parts }) => parts ?? [uuid]))];
}

/** The UUID of a tile, as odc-stats makes it: equal inputs of an equal product have an equal one. */
export function tileUuid(product: Pick<Product, 'name' | 'version'>, task: Task): string {
  const { tile, period, scenes } = task;
  return odcUuid({
    name: product.name,
    version: product.version,
    tags: { tile: `(${tile.x}, ${tile.y})`, time: period.label },
    sources: sourceUuids(scenes),
  });
}
