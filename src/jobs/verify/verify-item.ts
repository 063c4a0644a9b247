// One result against its documents: sums, sizes, rasters.
import { StackwiseError } from '../../errors.js';
import { mapFew } from '../../io/map-few.js';
import { openRaster } from '../../io/open-raster.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Store } from '../../io/store.js';
import { parseYaml } from '../yaml.js';
import { fileSums, parseMultihash, parseSumLines, type SumKind } from './file-sums.js';
import { decodeAll, type Fault, rasterFaults, shown } from './raster-check.js';
import { fileBeside, isMissing, type ResultItem, readIfThere, siblingOf } from './result-items.js';

/** A fault and the file it is in. */
export interface Problem extends Fault {
  /** A path or address. */
  where: string;
}

/** What was looked at, and what is wrong with it. */
export interface ItemCheck {
  files: number;
  bytes: number;
  /** Files that a sum vouches for. */
  summed: number;
  problems: Problem[];
}

interface Reading {
  store: Store;
  signal?: AbortSignal | undefined;
}

/** Of one item. */
const FILES_AT_ONCE = 4;
const MAX_SUMS_BYTES = 16 * 2 ** 20;
const MAX_YAML_BYTES = 2 ** 20;
const RASTER_TYPE = /tiff|jp2|jpeg ?2000/i;
const RASTER_NAME = /\.(tiff?|jp2|j2k)$/i;

/** A file that documents of a result name, and what they say of it. */
interface NamedFile {
  url: string;
  asset: Json | null;
  sums: { kind: SumKind; digest: string; from: string }[];
}

/** An asset's address; null, and a problem, where it leads outside. */
export function assetUrl({ url }: ResultItem, key: string, asset: Json, problems: Problem[]): string | null {
  const beside = fileBeside(url, asset.href);
  if (beside !== null) return beside;
  const wanted = "a path in the item's folder";
  problems.push({ where: url, what: `assets.${key}.href`, wanted, got: shown(asset.href) });
  return null;
}

/** Assets that are objects, by key. */
export function assetsOf({ item }: ResultItem): [string, Json][] {
  return Object.entries(item.assets as Json).filter((entry): entry is [string, Json] => isObject(entry[1]));
}

export function isRaster(asset: Json): boolean {
  return typeof asset.type === 'string' && asset.type !== ''
    ? RASTER_TYPE.test(asset.type)
    : typeof asset.href === 'string' && RASTER_NAME.test(asset.href);
}

const holdsData = (asset: Json) => isRaster(asset) && Array.isArray(asset.roles) && asset.roles.includes('data');

/** The files that an item's assets name. */
function filesOfAssets(found: ResultItem, problems: Problem[]): Map<string, NamedFile> {
  const files = new Map<string, NamedFile>();
  for (const [key, asset] of assetsOf(found)) {
    const url = assetUrl(found, key, asset, problems);
    if (url === null) continue;
    const file: NamedFile = { url, asset, sums: [] };
    files.set(url, file);
    const sum = asset['file:checksum'];
    if (sum === undefined) continue;
    const parsed = typeof sum === 'string' ? parseMultihash(sum) : null;
    if (parsed) file.sums.push({ ...parsed, from: 'file:checksum' });
    else {
      const wanted = 'a multihash of SHA-2, SHA-1 or MD5';
      problems.push({ where: url, what: 'file:checksum', wanted, got: shown(sum) });
    }
  }
  return files;
}

/** Adds what the file of sums beside the item says; data that it leaves out is a problem. */
async function addSumFile(
  found: ResultItem,
  files: Map<string, NamedFile>,
  { problems, ...reading }: Reading & { problems: Problem[] },
): Promise<void> {
  const named = [...files.keys()].find((url) => /\.sha1$/i.test(url));
  const url = named ?? siblingOf(found, '.sha1');
  const bytes = await readIfThere(url, MAX_SUMS_BYTES, reading);
  if (bytes === null) return;
  if (!named) files.set(url, { url, asset: null, sums: [] });
  const listed = new Set<string>();
  for (const [i, line] of parseSumLines(new TextDecoder().decode(bytes)).entries()) {
    const file = line && fileBeside(url, line.name);
    if (!line || !file) {
      const got = line ? shown(line.name) : `another text in line ${i + 1}`;
      problems.push({ where: url, what: 'sha1', wanted: 'lines of a hash and a file of the folder', got });
      continue;
    }
    listed.add(file);
    const known = files.get(file) ?? { url: file, asset: null, sums: [] };
    known.sums.push({ kind: 'sha1', digest: line.digest, from: 'sha1' });
    files.set(file, known);
  }
  for (const { url: file, asset } of files.values())
    if (asset && holdsData(asset) && !listed.has(file))
      problems.push({ where: url, what: 'sha1', wanted: `a line for ${file}`, got: 'none' });
}

/** A document of Open Data Cube beside the item is of the same dataset, and of the same files. */
async function checkDataset(
  found: ResultItem,
  { problems, ...reading }: Reading & { problems: Problem[] },
): Promise<void> {
  const url = siblingOf(found, '.odc-metadata.yaml');
  const bytes = await readIfThere(url, MAX_YAML_BYTES, reading);
  if (bytes === null) return;
  const wrong = (what: string, wanted: string, got: string) => problems.push({ where: url, what, wanted, got });
  let document: unknown;
  try {
    document = await parseYaml(new TextDecoder().decode(bytes), url);
  } catch (error) {
    return void wrong('document', 'YAML', (error as Error).message);
  }
  if (!isObject(document)) return void wrong('document', 'an object', shown(document));
  if (document.id !== found.id) wrong('id', found.id, shown(document.id));
  const paths = (field: string): Map<string, string> => {
    const list = isObject(document[field]) ? Object.entries(document[field]) : [];
    const beside = list.map(([key, one]) => {
      const path = isObject(one) ? one.path : undefined;
      const file = fileBeside(url, path);
      if (file === null) wrong(`${field}.${key}.path`, 'a path in the folder', shown(path));
      return [key, file] as const;
    });
    return new Map(beside.flatMap(([key, file]) => (file === null ? [] : [[file, key] as const])));
  };
  const measured = paths('measurements');
  const data = new Set(
    assetsOf(found).flatMap(([, asset]) => (holdsData(asset) ? [fileBeside(found.url, asset.href)] : [])),
  );
  for (const [file, key] of measured) if (!data.has(file)) wrong(`measurements.${key}`, 'a file of the item', file);
  for (const file of data) if (file !== null && !measured.has(file)) wrong('measurements', file, 'none');
  const others = paths('accessories');
  for (const [file, key] of others)
    if ((await statOrNull(file, reading)) === null) wrong(`accessories.${key}`, 'a file', `none at ${file}`);
}

async function statOrNull(url: string, { store, signal }: Reading): Promise<number | null> {
  try {
    return (await store.stat(url, signal ? { signal } : {})).bytes;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Size and sums of one file, and of a raster what it holds. */
async function checkFile(
  { url, asset, sums }: NamedFile,
  properties: Json,
  { store, signal, check }: Reading & { check: ItemCheck },
): Promise<void> {
  const { problems } = check;
  const { bytes, sums: made } = await fileSums(
    url,
    sums.map(({ kind }) => kind),
    { store, signal },
  );
  check.files++;
  check.bytes += bytes;
  if (sums.length > 0) check.summed++;
  const size = asset?.['file:size'];
  if (size !== undefined && size !== bytes)
    problems.push({ where: url, what: 'file:size', wanted: shown(size), got: String(bytes) });
  for (const { kind, digest, from } of sums) {
    const got = made.get(kind)!;
    if (got !== digest)
      problems.push({ where: url, what: from === 'sha1' ? 'sha1' : `${from} (${kind})`, wanted: digest, got });
  }
  if (!asset || !isRaster(asset)) return;
  const raster = await openRaster(url, { store, ...(signal && { signal }) });
  try {
    for (const fault of rasterFaults(raster.header, asset, properties)) problems.push({ where: url, ...fault });
    if (sums.length === 0) await decodeAll(raster, signal);
  } finally {
    await raster.close();
  }
}

/** Does a part of the work; what fails of it is told, not thrown. */
async function told(
  where: string,
  { problems, signal }: { problems: Problem[]; signal?: AbortSignal | undefined },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof StackwiseError)) throw error;
    if (isMissing(error)) problems.push({ where, what: 'file', wanted: 'to be there', got: 'none' });
    else problems.push({ where, what: 'file', wanted: 'to be readable', got: error.message });
  }
}

/** Everything of one item; what is wrong is told, not thrown. */
export async function checkItem(found: ResultItem, reading: Reading): Promise<ItemCheck> {
  const problems: Problem[] = [];
  const telling = { ...reading, problems };
  const named = filesOfAssets(found, problems);
  await told(siblingOf(found, '.sha1'), telling, () => addSumFile(found, named, telling));
  await told(siblingOf(found, '.odc-metadata.yaml'), telling, () => checkDataset(found, telling));
  const properties = isObject(found.item.properties) ? found.item.properties : {};
  // Each tells of its own, so that the order of what is told is that of the files.
  const checks = await mapFew([...named.values()], FILES_AT_ONCE, async (file) => {
    const check: ItemCheck = { files: 0, bytes: 0, summed: 0, problems: [] };
    const own = { ...reading, problems: check.problems };
    await told(file.url, own, () => checkFile(file, properties, { ...reading, check }));
    return check;
  });
  const sum = (count: (check: ItemCheck) => number) => checks.reduce((total, check) => total + count(check), 0);
  return {
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    summed: sum(({ summed }) => summed),
    problems: [...problems, ...checks.flatMap((check) => check.problems)],
  };
}
