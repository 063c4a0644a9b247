import { FormatError, InputError, StoreError } from '../errors.js';
import type { Interval } from '../geo/time.js';
import type { Found } from './archive.js';
import { type JsonOptions, type JsonRequest, requestJson, withoutQuery } from './json-request.js';
import { portableItem } from './portable-item.js';
import { isObject, type Json } from './stac-item.js';

/** What is asked of a STAC API; what is not given does not restrict. */
export interface StacQuery {
  collections?: readonly string[];
  ids?: readonly string[];
  /** West, south, east, north in degrees. */
  bbox?: readonly number[];
  /** GeoJSON geometry; instead of `bbox`. */
  intersects?: Json;
  interval?: Interval;
  /** Of the query extension: `{ "eo:cloud_cover": { "lt": 20 } }`. */
  query?: Json;
  /** CQL2 as JSON, passed on as it is. */
  filter?: Json;
  /** Items in all; default: all. */
  limit?: number;
}

export interface StacSearchOptions {
  /** Items a page; default 100: large pages are refused by some servers. */
  pageItems?: number;
  /** Which of the addresses that an asset has: `s3`, `https` or another name of its alternates. */
  alternate?: string | undefined;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  fetch?: typeof fetch;
  retry?: JsonOptions['retry'];
}

/** Characters of a query in messages: areas are long. */
const MAX_SHOWN = 300;
/** Limits against hostile or mistaken servers. */
const MAX_ITEMS = 200_000;
const MAX_PAGES = 10_000;
const MAX_PAGE_BYTES = 64 * 2 ** 20;
/** Of items that are held together. */
const MAX_BYTES = 1024 * 2 ** 20;

/** RFC 3339, both ends included; `..` is open. */
function datetimeOf({ startMs, endMs }: Interval): string {
  return [startMs, endMs].map((ms) => (ms === null ? '..' : new Date(ms).toISOString())).join('/');
}

function bodyOf(query: StacQuery, pageItems: number): Json {
  const { collections, ids, bbox, intersects, interval, filter } = query;
  return {
    ...(collections && { collections }),
    ...(ids && { ids }),
    ...(bbox && { bbox }),
    ...(intersects && { intersects }),
    ...(interval && { datetime: datetimeOf(interval) }),
    ...(query.query && { query: query.query }),
    ...(filter && { filter, 'filter-lang': 'cql2-json' }),
    limit: Math.min(pageItems, query.limit ?? pageItems),
  };
}

/** The same as parameters of an address: lists as commas, objects as JSON. */
function addressOf(url: string, body: Json): string {
  const address = new URL(url);
  for (const [name, value] of Object.entries(body)) {
    const text = Array.isArray(value)
      ? value.join(',')
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
    address.searchParams.set(name, text);
  }
  return address.href;
}

/** Where searches go: the address itself where it ends in /search, else that of the API with it. */
function searchUrl(url: string): string {
  let address: URL;
  try {
    address = new URL(url);
  } catch {
    throw new InputError(`"${url.slice(0, 100)}" is no address of a STAC API like https://host/v1`, { option: 'stac' });
  }
  if (address.protocol !== 'https:' && address.protocol !== 'http:')
    throw new InputError(`${url}: a STAC API is asked by https`, { option: 'stac' });
  address.pathname = `${address.pathname.replace(/\/(search\/?)?$/, '')}/search`;
  return address.href;
}

function parsedUrl(href: string, base: string): URL {
  try {
    return new URL(href, base);
  } catch {
    const url = withoutQuery(base);
    throw new FormatError(`${url} names a next page that is no address: ${href.slice(0, 100)}`, { url });
  }
}

/** The request that a page names as the next one; null on the last page. It must stay with the server that was asked. */
function nextRequest(page: Json, last: JsonRequest): JsonRequest | null {
  const links = Array.isArray(page.links) ? page.links.filter(isObject) : [];
  const link = links.find(({ rel }) => rel === 'next');
  if (!link || typeof link.href !== 'string') return null;
  const url = parsedUrl(link.href, last.url);
  if (url.host !== new URL(last.url).host || !/^https?:$/.test(url.protocol))
    throw new FormatError(`${withoutQuery(last.url)} leads to another server: ${withoutQuery(url.href)}`, {
      url: withoutQuery(last.url),
    });
  if (new URL(last.url).protocol === 'https:') url.protocol = 'https:';
  const method = String(link.method ?? 'GET').toUpperCase();
  if (method !== 'POST') return { url: url.href, method: 'GET' };
  const own = isObject(link.body) ? link.body : {};
  const merged = link.merge === true && isObject(last.body) ? { ...last.body, ...own } : own;
  return { url: url.href, method: 'POST', body: link.body === undefined ? last.body : merged };
}

/** Answers of a server that knows searches by GET only. */
const isNoPost = (error: unknown) =>
  error instanceof StoreError && [404, 405, 415, 501].includes(Number(error.facts.status));

interface Progress {
  requests: number;
  bytes: number;
}

/** The first page: by POST, or where the server does not take that, by GET. */
async function firstPage(
  { url, body, headers }: Pick<JsonRequest, 'url' | 'headers'> & { body: Json },
  options: JsonOptions,
  progress: Progress,
) {
  const post: JsonRequest = { url, method: 'POST', body, ...(headers && { headers }) };
  progress.requests++;
  try {
    return { request: post, answer: await requestJson(post, options) };
  } catch (error) {
    if (!isNoPost(error)) throw error;
    const get: JsonRequest = { url: addressOf(url, body), method: 'GET', ...(headers && { headers }) };
    progress.requests++;
    try {
      return { request: get, answer: await requestJson(get, options) };
    } catch (second) {
      // Where GET is not known either, the first answer is the better one.
      throw isNoPost(second) ? error : second;
    }
  }
}

function itemsOfPage(value: unknown, url: string): { page: Json; features: Json[] } {
  if (!isObject(value) || !Array.isArray(value.features))
    throw new FormatError(`${withoutQuery(url)} answers with no item collection: is it a STAC API?`, {
      url: withoutQuery(url),
    });
  const features = value.features.filter(isObject);
  return { page: value, features };
}

/** A page of items that were not on those before. */
export interface StacPage {
  items: Json[];
  /** Sent so far. */
  requests: number;
  /** Received so far. */
  bytes: number;
}

/** What is asked of an API, in words for messages. */
export function describeSearch(api: string, query: StacQuery, { pageItems = 100 }: StacSearchOptions = {}): string {
  return `${withoutQuery(searchUrl(api))} for ${JSON.stringify(bodyOf(query, pageItems)).slice(0, MAX_SHOWN)}`;
}

/**
 * Items of a STAC API, page by page as they arrive; each once, in the order of the server. Pages that lead in a circle, to another
 * server, or never end are refused.
 */
export async function* stacPages(
  api: string,
  query: StacQuery,
  { pageItems = 100, alternate, headers, signal, fetch, retry }: StacSearchOptions = {},
): AsyncGenerator<StacPage> {
  const url = searchUrl(api);
  const limit = query.limit ?? MAX_ITEMS;
  const json: JsonOptions = { mostBytes: MAX_PAGE_BYTES, signal, fetch, retry };
  const progress: Progress = { requests: 0, bytes: 0 };
  const known = new Set<string>();
  const seen = new Set<string>();
  const body = bodyOf(query, pageItems);
  let { request, answer } = await firstPage({ url, body, ...(headers && { headers }) }, json, progress);
  for (;;) {
    progress.bytes += answer.bytes;
    const { page, features } = itemsOfPage(answer.value, request.url);
    seen.add(JSON.stringify([request.method, request.url, request.body]));
    const items: Json[] = [];
    for (const item of features) {
      const key = `${item.collection}\n${item.id}`;
      if (known.has(key) || known.size >= limit) continue;
      known.add(key);
      items.push(portableItem(item, request.url, alternate));
    }
    yield { items, ...progress };
    const next = known.size < limit ? nextRequest(page, request) : null;
    if (!next) return;
    if (seen.has(JSON.stringify([next.method, next.url, next.body])) || seen.size >= MAX_PAGES)
      throw new FormatError(`${withoutQuery(url)} leads in a circle: its pages never end`, { url: withoutQuery(url) });
    if (known.size >= MAX_ITEMS)
      throw new FormatError(`${withoutQuery(url)} has more than ${MAX_ITEMS} items: ask for less`, {
        url: withoutQuery(url),
      });
    request = { ...next, ...(headers && { headers }) };
    progress.requests++;
    answer = await requestJson(request, json);
  }
}

/** All items of {@link stacPages}. */
export async function searchStac(api: string, query: StacQuery, options: StacSearchOptions = {}): Promise<Found> {
  const items: Json[] = [];
  let requests = 0;
  for await (const page of stacPages(api, query, options)) {
    if (page.bytes > MAX_BYTES)
      throw new FormatError(`${withoutQuery(api)} sent more than ${MAX_BYTES} bytes of items: ask for less`, {
        url: withoutQuery(api),
      });
    items.push(...page.items);
    requests = page.requests;
  }
  return { items, requests, searched: describeSearch(api, query, options), notes: [] };
}
