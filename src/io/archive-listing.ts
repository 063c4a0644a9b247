import { InputError, StoreError } from '../errors.js';
import { isObject, type Json } from './stac-item.js';
import type { Store } from './store.js';

/** What a layout's finder is given. */
export interface Finding {
  bucket: string;
  store: Store;
  startMs: number;
  endMs: number;
  signal?: AbortSignal;
}

/** Against intervals that mean centuries of requests. */
const MAX_MONTHS = 1200;
const MAX_DOCUMENT_BYTES = 4 * 2 ** 20;
/** Requests that are under way together. */
export const AT_ONCE = 8;

/** Months that a span of time touches, as [year, month]. */
export function monthsOf({ startMs, endMs }: { startMs: number; endMs: number }): [number, number][] {
  const months: [number, number][] = [];
  const [first, last] = [startMs, endMs]
    .map((ms) => new Date(ms))
    .map((d) => d.getUTCFullYear() * 12 + d.getUTCMonth());
  for (let month = first!; month <= last!; month++) months.push([Math.floor(month / 12), (month % 12) + 1]);
  if (months.length > MAX_MONTHS)
    throw new InputError(`the time asked for spans ${months.length} months: the limit is ${MAX_MONTHS}`, {
      option: 'datetime',
    });
  return months;
}

const isMissing = (error: unknown) => error instanceof StoreError && [404, 'ENOENT'].includes(error.facts.status ?? 0);

/** The names in a folder; none where there is no such folder. */
export async function listIfThere({ store, signal }: Finding, url: string): Promise<string[]> {
  try {
    return await store.list(url, { ...(signal && { signal }) });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A small JSON document, or null where there is none. */
export async function readDocument({ store, signal }: Finding, url: string): Promise<Json | null> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(url, { offset: 0, length: MAX_DOCUMENT_BYTES }, { ...(signal && { signal }) });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  if (bytes.length >= MAX_DOCUMENT_BYTES)
    throw new InputError(`${url} has more than ${MAX_DOCUMENT_BYTES} bytes`, { url });
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isObject(document)) return document;
  } catch {
    // Said below.
  }
  throw new InputError(`${url} is no JSON object`, { url });
}
