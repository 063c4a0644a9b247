import { environment } from '#platform';
import { StackwiseError } from '../errors.js';
import { type JsonOptions, requestJson } from './json-request.js';
import { isObject } from './stac-item.js';

/** Where the Planetary Computer gives out read tokens for its containers; `PC_SDK_SAS_URL` names another place, or "" none. */
const TOKENS = 'https://planetarycomputer.microsoft.com/api/sas/v1/token';
/** A token is renewed this long before it ends, ms: an answer may take a while. */
const MARGIN_MS = 5 * 60_000;
/** A container that gives no token is asked about again after this long, ms. */
const REFUSED_MS = 10 * 60_000;
const BLOB = /^https:\/\/([a-z0-9]{3,24})\.blob\.core\.windows\.net\/([^/?#]+)\/[^?#]+$/i;
/** What Azure answers where a token is wanted. */
const DENIED = new Set([401, 403, 404, 409]);

/** The address to send a request to, or null: as it is. Addresses in messages and caches stay unsigned. */
export interface Signer {
  /** With the token that is known, if any. */
  known(url: string): string | null;
  /** After an answer: with a new token where one is wanted and to be had. */
  afterAnswer(url: string, status: number, signal: AbortSignal | undefined): Promise<string | null>;
}

export interface SasOptions {
  /** Of the service that gives out tokens; "" for none. */
  tokens?: string;
  fetch?: typeof fetch;
  retry?: JsonOptions['retry'];
  now?: () => number;
}

interface Token {
  /** The query that grants access; null: there is none. */
  query: string | null;
  endsMs: number;
}

/** A token's expiry is data of a server: never longer than a day. */
function tokenOf(value: unknown, nowMs: number): Token {
  const found = isObject(value) ? value : {};
  const endsMs = Date.parse(String(found['msft:expiry']));
  const query = typeof found.token === 'string' && /^[\w%&=.:+/-]+$/.test(found.token) ? found.token : null;
  if (query === null || !Number.isFinite(endsMs)) return { query: null, endsMs: nowMs + REFUSED_MS };
  return { query, endsMs: Math.min(endsMs - MARGIN_MS, nowMs + 86_400_000) };
}

/**
 * Signs addresses of Azure's blob storage that are refused without a token, with tokens of the Planetary Computer: one a container, kept
 * until shortly before it ends. Only the names of account and container are told to the service. Tokens are never part of a message.
 */
export function sasSigner(options: SasOptions = {}): Signer {
  const { now = Date.now, fetch, retry } = options;
  const tokens = new Map<string, Promise<Token>>();
  const ready = new Map<string, Token>();
  const containerOf = (url: string) => {
    const found = BLOB.exec(url);
    return found && `${found[1]!.toLowerCase()}/${found[2]}`;
  };
  // Not bound to a caller's signal: others wait for the same token.
  const ask = async (container: string, service: string): Promise<Token> => {
    try {
      const url = `${service.replace(/\/$/, '')}/${container}`;
      const { value } = await requestJson({ url, method: 'GET' }, { mostBytes: 65_536, fetch, retry });
      return tokenOf(value, now());
    } catch (error) {
      if (!(error instanceof StackwiseError)) throw error;
      return { query: null, endsMs: now() + REFUSED_MS };
    }
  };
  return {
    known(url) {
      const container = containerOf(url);
      const token = container ? ready.get(container) : undefined;
      return token?.query && token.endsMs > now() ? `${url}?${token.query}` : null;
    },
    async afterAnswer(url, status, signal) {
      const container = containerOf(url);
      const service = options.tokens ?? environment().PC_SDK_SAS_URL ?? TOKENS;
      if (!container || service === '' || !DENIED.has(status)) return null;
      const last = ready.get(container);
      if (last && last.endsMs > now()) return null;
      let token = tokens.get(container);
      if (!token) {
        token = ask(container, service).finally(() => tokens.delete(container));
        tokens.set(container, token);
      }
      const found = await token;
      signal?.throwIfAborted();
      ready.set(container, found);
      return found.query === null ? null : `${url}?${found.query}`;
    },
  };
}
