// The pixels of one result against those of another.
import { StackwiseError } from '../../errors.js';
import { openRaster } from '../../io/open-raster.js';
import { DTYPE_NAMES, type Raster } from '../../io/raster.js';
import { isObject, type Json } from '../../io/stac-item.js';
import type { Store } from '../../io/store.js';
import { type BandDifference, bandDifferences } from './raster-difference.js';
import type { ResultItem } from './result-items.js';
import { assetsOf, assetUrl, isRaster, type Problem } from './verify-item.js';

/** What counts as equal. */
export interface Tolerances {
  /** By band or asset; `*` is all others. */
  tolerance: Readonly<Record<string, number>>;
  unequalPercent: number;
}

/** A band of a result beside the same of the other. */
export interface ComparedBand extends BandDifference {
  asset: string;
  band: string;
  tolerance: number;
  /** Pixels that differ, in value or in being valid, are no more than may. */
  isEqual: boolean;
}

type Comparing = { store: Store; signal: AbortSignal | undefined; problems: Problem[] };

const rastersOf = (found: ResultItem) => new Map(assetsOf(found).filter(([, asset]) => isRaster(asset)));

/** Names of an asset's bands: by the item, the file, or their numbers. */
function bandNames(key: string, asset: Json, { header }: Raster): string[] {
  const said: unknown[] = Array.isArray(asset.bands) ? asset.bands : [];
  return header.bands.map(({ name }, i) => {
    const one = said[i];
    if (isObject(one) && typeof one.name === 'string') return one.name;
    return name ?? (header.bands.length === 1 ? key : `b${i + 1}`);
  });
}

/** Rasters of both results by their keys; what one lacks, and what cannot be compared, becomes a problem. */
export async function compareItems(
  [ours, theirs]: readonly [ResultItem, ResultItem],
  rules: Tolerances,
  work: Comparing,
): Promise<ComparedBand[]> {
  const { problems, signal } = work;
  const [own, other] = [rastersOf(ours), rastersOf(theirs)];
  const compared: ComparedBand[] = [];
  for (const [key, asset] of own) {
    const partner = other.get(key);
    if (!partner) {
      problems.push({ where: ours.url, what: `assets.${key}`, wanted: `one in ${theirs.url} too`, got: 'none' });
      continue;
    }
    // Of our own files it has been said already.
    const url = assetUrl(ours, key, asset, []);
    const against = assetUrl(theirs, key, partner, problems);
    if (url === null || against === null) continue;
    try {
      compared.push(...(await compareFiles({ key, asset, url, against }, rules, work)));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof StackwiseError)) throw error;
      problems.push({ where: error.facts.url ?? url, what: 'pixels', wanted: 'to be readable', got: error.message });
    }
  }
  for (const key of other.keys())
    if (!own.has(key))
      problems.push({ where: theirs.url, what: `assets.${key}`, wanted: `one in ${ours.url} too`, got: 'none' });
  return compared;
}

/** Size, place and types; without the same size there are no pixels to compare. */
function frameProblems(url: string, ours: Raster, theirs: Raster): Problem[] {
  const [own, other] = [ours.header, theirs.header];
  const frame = ({ grid, width, height }: Raster['header']) =>
    grid ? `${width} × ${height} px at ${grid.affine.join(' ')}` : `${width} × ${height} px`;
  const problems: Problem[] = [];
  if (frame(own) !== frame(other)) problems.push({ where: url, what: 'grid', wanted: frame(other), got: frame(own) });
  if (own.bands.length !== other.bands.length)
    problems.push({ where: url, what: 'bands', wanted: String(other.bands.length), got: String(own.bands.length) });
  for (const [i, band] of own.bands.entries()) {
    const wanted = other.bands[i];
    if (!wanted) continue;
    if (band.dtype !== wanted.dtype)
      problems.push({ where: url, what: 'type', wanted: DTYPE_NAMES[wanted.dtype], got: DTYPE_NAMES[band.dtype] });
    if (!Object.is(band.nodata, wanted.nodata))
      problems.push({ where: url, what: 'nodata', wanted: String(wanted.nodata), got: String(band.nodata) });
  }
  return problems;
}

async function compareFiles(
  { key, asset, url, against }: { key: string; asset: Json; url: string; against: string },
  { tolerance, unequalPercent }: Tolerances,
  { store, signal, problems }: Comparing,
): Promise<ComparedBand[]> {
  const options = { store, ...(signal && { signal }) };
  const opened: Raster[] = [];
  try {
    for (const one of [url, against]) opened.push(await openRaster(one, options));
    const [ours, theirs] = opened as [Raster, Raster];
    problems.push(...frameProblems(url, ours, theirs));
    const { width, height, bands } = theirs.header;
    if (width !== ours.header.width || height !== ours.header.height) return [];
    const names = bandNames(key, asset, ours).slice(0, bands.length);
    const allowed = names.map((name) => tolerance[name] ?? tolerance[key] ?? tolerance['*'] ?? 0);
    const pairs = names.map((_, i) => ({ ours: i, theirs: i, tolerance: allowed[i]! }));
    const differences = await bandDifferences([ours, theirs], pairs, { signal });
    return differences.map((difference, i) => {
      const { px, unequalPx, maskPx } = difference;
      const isEqual = unequalPx + maskPx <= (px * unequalPercent) / 100;
      return { asset: key, band: names[i]!, tolerance: allowed[i]!, isEqual, ...difference };
    });
  } finally {
    await Promise.allSettled(opened.map((raster) => raster.close()));
  }
}
