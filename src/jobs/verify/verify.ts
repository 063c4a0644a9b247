import { InputError } from '../../errors.js';
import type { Store } from '../../io/store.js';
import { anyStore } from '../../io/stores.js';
import { suggestion } from '../../stats/suggest.js';
import { type BrokenItem, type ResultItemFile, readItem, resultItems } from './result-items.js';
import { type ComparedBand, compareItems, type Tolerances } from './verify-against.js';
import { checkItem, type Problem } from './verify-item.js';

export interface VerifyOptions {
  /** Results to compare pixels with: a folder, bucket or item. */
  against?: string | undefined;
  /** By band (or asset), the largest |difference| that counts as equal; `*` is all others. Default 0. */
  tolerance?: Readonly<Record<string, number>> | undefined;
  /** The share of a band's pixels that may differ; default 0. */
  unequalPercent?: number | undefined;
  store?: Store | undefined;
  signal?: AbortSignal | undefined;
  /** Told of each result as it is done. */
  onReport?: ((report: VerifyReport) => void) | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What became of one result. */
export interface VerifyReport {
  /** Of the item. */
  url: string;
  /** Null where it could not be read. */
  id: string | null;
  title: string | null;
  files: number;
  bytes: number;
  /** Files that a sum vouches for; rasters without one were decoded whole. */
  summed: number;
  problems: Problem[];
  /** What it was compared with; null without `against`, or without a partner. */
  against: { url: string; id: string; sameId: boolean; bands: ComparedBand[] } | null;
}

export interface VerifySummary {
  items: number;
  files: number;
  bytes: number;
  problems: number;
  /** Results that are damaged, or differ. */
  wrong: number;
  reports: VerifyReport[];
}

const isWhole = <Found extends ResultItemFile>(found: Found | BrokenItem): found is Found => !('reason' in found);

/** Partners of results: by path, by title, and of one with one the other. */
function partners(
  ours: readonly ResultItemFile[],
  theirs: readonly ResultItemFile[],
): Map<ResultItemFile, ResultItemFile> {
  const pairs = new Map<ResultItemFile, ResultItemFile>();
  const left = new Set(theirs);
  const byKey = (key: (found: ResultItemFile) => string) => {
    const known = new Map<string, ResultItemFile[]>();
    for (const one of left) {
      const alike = known.get(key(one)) ?? [];
      alike.push(one);
      known.set(key(one), alike);
    }
    for (const own of ours) {
      const [other, ...more] = known.get(key(own)) ?? [];
      if (pairs.has(own) || !other || more.length > 0 || !left.delete(other)) continue;
      pairs.set(own, other);
    }
  };
  byKey(({ path }) => path);
  byKey(({ title }) => title);
  if (ours.length === 1 && theirs.length === 1) pairs.set(ours[0]!, theirs[0]!);
  return pairs;
}

function brokenReport({ url, reason }: BrokenItem): VerifyReport {
  const problems = [{ where: url, what: 'item', wanted: 'a STAC item', got: reason }];
  return { url, id: null, title: null, files: 0, bytes: 0, summed: 0, problems, against: null };
}

/** Names that tolerances can be given for. */
function checkTolerances(tolerance: Readonly<Record<string, number>>, items: readonly ResultItemFile[]): void {
  const known = new Set<string>();
  for (const { names } of items) for (const name of names) known.add(name);
  for (const [name, value] of Object.entries(tolerance)) {
    if (!(value >= 0))
      throw new InputError(`a tolerance is a number of 0 or more, not ${value}`, { option: 'tolerance' });
    if (name !== '*' && !known.has(name))
      throw new InputError(`no result has a band "${name}"${suggestion(name, [...known])}`, { option: 'tolerance' });
  }
}

/**
 * Looks whether results are whole: all files of each item are there, with the sizes and sums that its documents state, and rasters are
 * what it says. With `against` also whether pixels are those of other results. What is wrong is in the reports, not thrown.
 * @throws InputError where there are no results, or an option is impossible; StoreError where a folder cannot be listed
 */
export async function verify(sources: string | readonly string[], options: VerifyOptions = {}): Promise<VerifySummary> {
  const { against, tolerance = {}, unequalPercent = 0, store = anyStore(), signal, onReport, onProgress } = options;
  if (!(unequalPercent >= 0 && unequalPercent <= 100))
    throw new InputError(`a share is a number from 0 to 100, not ${unequalPercent}`, { option: 'unequal' });
  const reading = { store, signal };
  const found = (await Promise.all([sources].flat().map((source) => resultItems(source, reading)))).flat();
  const ours = found.filter(isWhole);
  const others = against === undefined ? [] : await resultItems(against, reading);
  const theirs = others.filter(isWhole);
  checkTolerances(tolerance, [...ours, ...theirs]);
  const pairs = partners(ours, theirs);
  const summary: VerifySummary = { items: 0, files: 0, bytes: 0, problems: 0, wrong: 0, reports: [] };
  const add = (report: VerifyReport) => {
    const isWrong = report.problems.length > 0 || report.against?.bands.some(({ isEqual }) => !isEqual) === true;
    summary.items++;
    summary.files += report.files;
    summary.bytes += report.bytes;
    summary.problems += report.problems.length;
    if (isWrong) summary.wrong++;
    summary.reports.push(report);
    onReport?.(report);
    onProgress?.(summary.items, found.length);
  };
  // Names of bands are data: none is found that was not given.
  const rules: Tolerances = { tolerance: Object.assign(Object.create(null), tolerance), unequalPercent };
  for (const one of found) {
    signal?.throwIfAborted();
    if (isWhole(one)) add(await reportOf(one, { partner: pairs.get(one) ?? null, against, rules, reading }));
    else add(brokenReport(one));
  }
  const met = new Set(pairs.values());
  for (const one of others) {
    if (!isWhole(one)) add(brokenReport(one));
    else if (!met.has(one)) add(lackingReport(one));
  }
  return summary;
}

async function reportOf(
  found: ResultItemFile,
  work: {
    partner: ResultItemFile | null;
    against: string | undefined;
    rules: Tolerances;
    reading: { store: Store; signal: AbortSignal | undefined };
  },
): Promise<VerifyReport> {
  const { partner, against, rules, reading } = work;
  const own = await readItem(found, reading);
  if (!isWhole(own)) return brokenReport(own);
  const { problems, ...counts } = await checkItem(own, reading);
  const { url, id, title } = own;
  if (against !== undefined && !partner)
    problems.push({ where: url, what: 'partner', wanted: `${title} in ${against}`, got: 'none' });
  const other = partner && (await readItem(partner, reading));
  if (other === null) return { url, id, title, ...counts, problems, against: null };
  if (!isWhole(other)) {
    const { problems: theirs } = brokenReport(other);
    return { url, id, title, ...counts, problems: [...problems, ...theirs], against: null };
  }
  const bands = await compareItems([own, other], rules, { ...reading, problems });
  const compared = { url: other.url, id: other.id, sameId: other.id === id, bands };
  return { url, id, title, ...counts, problems, against: compared };
}

/** Of a result that is there to compare with, and not among those that were given. */
function lackingReport({ url, id, title }: ResultItemFile): VerifyReport {
  const problems = [{ where: url, what: 'partner', wanted: `${title} among the results`, got: 'none' }];
  return { url, id, title, files: 0, bytes: 0, summed: 0, problems, against: null };
}
