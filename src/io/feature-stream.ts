import { InputError } from '../errors.js';
import type { Store } from './store.js';

/** Read at once. */
const CHUNK_BYTES = 4 * 2 ** 20;
/** One item; hostile files have none that ends. */
const MAX_FEATURE_BYTES = 16 * 2 ** 20;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Whether a quote at `at` is escaped: an odd number of backslashes stands before it. */
function isEscaped(bytes: Uint8Array, at: number, from: number): boolean {
  let n = 0;
  while (at - 1 - n >= from && bytes[at - 1 - n] === BACKSLASH) n++;
  return n % 2 === 1;
}

/** The place of a string's closing quote; −1 where the bytes end before. `from`: behind the opening quote. */
function closingQuote(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at >= 0; at = bytes.indexOf(QUOTE, at + 1))
    if (!isEscaped(bytes, at, from)) return at;
  return -1;
}

/**
 * Finds the objects of a list in JSON text that arrives in pieces: those of the member "features" of the whole, of a list that is the
 * whole, or (`lines`) the objects that stand one after the other.
 */
function featureScanner(lines: boolean) {
  let bytes: Uint8Array = new Uint8Array(0);
  let depth = 0;
  /** Depth within the list; −1 before it is found. */
  let listDepth = lines ? 0 : -1;
  let start = -1;
  let key = '';
  const text = new TextDecoder();

  /** A string at `at`: where it ends, or −1. */
  const string = (at: number): number => {
    const end = closingQuote(bytes, at + 1);
    if (end >= 0 && depth === 1 && listDepth < 0 && end - at < 40) key = text.decode(bytes.subarray(at + 1, end));
    return end;
  };

  return {
    /** Whether the text has such a list. */
    found: () => listDepth >= 0 || (lines && depth === 0),
    whole: () => depth === 0 && start < 0,
    waiting: () => bytes.length,
    *push(chunk: Uint8Array): Generator<Uint8Array> {
      const joined = new Uint8Array(bytes.length + chunk.length);
      joined.set(bytes);
      joined.set(chunk, bytes.length);
      // What waits from the last piece was left at the beginning of a string, or inside of an object whose scan starts again.
      bytes = joined;
      let at = 0;
      if (start >= 0) {
        depth = listDepth;
        start = -1;
      }
      for (; at < bytes.length; at++) {
        const byte = bytes[at]!;
        if (byte === QUOTE) {
          const end = string(at);
          if (end < 0) break;
          at = end;
        } else if (byte === OPEN || byte === OPEN_LIST) {
          if (byte === OPEN && depth === listDepth) start = at;
          depth++;
          if (byte === OPEN_LIST && listDepth < 0 && (depth === 1 || (depth === 2 && key === 'features')))
            listDepth = depth;
        } else if (byte === CLOSE || byte === CLOSE_LIST) {
          depth--;
          if (start >= 0 && depth === listDepth) {
            yield bytes.subarray(start, at + 1);
            start = -1;
          } else if (depth < listDepth && !lines) listDepth = Infinity;
        } else if (byte === COMMA && depth === 1) key = '';
      }
      bytes = bytes.slice(start >= 0 ? start : at);
    },
  };
}

export interface FeatureStreamOptions {
  store: Store;
  signal?: AbortSignal | undefined;
  /** One object a line, as in .ndjson. Default false. */
  lines?: boolean;
}

/**
 * The features of a GeoJSON file, one after the other, in memory that does not grow with the file. Ends at once with `false` as its
 * return value where the file has no list of them (one item, a catalogue).
 * @throws InputError for text that is not JSON
 */
export async function* streamFeatures(
  url: string,
  { store, signal, lines = false }: FeatureStreamOptions,
): AsyncGenerator<unknown, boolean> {
  const scanner = featureScanner(lines);
  const text = new TextDecoder();
  let index = 0;
  for (let offset = 0; ; ) {
    const range = { offset, length: CHUNK_BYTES };
    const chunk = await store.read(url, range, { ...(signal && { signal }) });
    if (chunk.length === 0) break;
    offset += chunk.length;
    for (const bytes of scanner.push(chunk)) {
      index++;
      try {
        yield JSON.parse(text.decode(bytes));
      } catch (cause) {
        throw new InputError(`${url}: item ${index} is not JSON: ${(cause as Error).message}`, { url }, { cause });
      }
    }
    if (scanner.waiting() > MAX_FEATURE_BYTES)
      throw new InputError(`${url}: item ${index + 1} has more than ${MAX_FEATURE_BYTES} bytes`, { url });
  }
  if (scanner.found() && !scanner.whole())
    throw new InputError(`${url} ends in the middle of item ${index + 1}: is it whole?`, { url });
  return scanner.found();
}
