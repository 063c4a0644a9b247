import { withoutSecrets } from '../../errors.js';
import { isObject, type Json } from '../../io/stac-item.js';

const SECRET = /secret|token|passw|credential|signature|(?:api|access|private)[_-]?key/i;
/** Hostile documents nest deeper than they can be written. */
const MAX_DEPTH = 32;

function shown(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return '…';
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map((one) => shown(one, depth + 1));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !SECRET.test(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, shown(one, depth + 1)]));
}

/** An address as documents may show it: without what signs it, and without names and passwords. */
export function publicHref(href: string): string {
  if (withoutSecrets(href) === href) return href;
  return href.replace(/[?#].*$/, '').replace(/(\/\/)[^/@\s]+@/, '$1');
}

/** A configuration as documents may show it: without keys that name secrets, and without what signs addresses. */
export function publicConfig(config: Json): Json {
  return shown(config, 0) as Json;
}
