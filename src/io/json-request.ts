import { FormatError, StoreError } from '../errors.js';
import { chunksOf, readBody } from './body.js';
import { statusError } from './http.js';
import { type RetryOptions, retrying } from './retry.js';

/** One request of a web service that answers in JSON. */
export interface JsonRequest {
  url: string;
  method: 'GET' | 'POST';
  /** Of a POST. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

export interface JsonOptions {
  /** No answer is longer. */
  mostBytes: number;
  signal?: AbortSignal | undefined;
  fetch?: typeof fetch | undefined;
  retry?: RetryOptions | undefined;
}

/** An address for messages: what stands in the query may be a key. */
export const withoutQuery = (url: string) => url.replace(/[?#].*$/, '');

async function once(
  request: JsonRequest,
  { mostBytes, fetch: send }: JsonOptions,
  own: { signal: AbortSignal; onBytes: (n: number) => void },
) {
  const { url, method, body, headers } = request;
  const shown = withoutQuery(url);
  let response: Response;
  try {
    response = await (send ?? fetch)(url, {
      method,
      headers: {
        Accept: 'application/geo+json, application/json',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: own.signal,
    });
  } catch (cause) {
    if (own.signal.aborted) throw own.signal.reason;
    const inner = (cause as Error).cause as { code?: string } | undefined;
    throw new StoreError(`cannot ask ${shown}: ${inner?.code ?? 'the request failed'}`, {
      url: shown,
      retryable: true,
    });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw statusError(shown, 'ask', response);
  }
  return readBody({ url: shown, chunks: chunksOf(response.body), declared: null, most: mostBytes, ...own });
}

/**
 * The answer of a web service, and how many bytes it has. What fails for a passing reason is asked again.
 * @throws StoreError with the status; FormatError where the answer is no JSON
 */
export async function requestJson(
  request: JsonRequest,
  options: JsonOptions,
): Promise<{ value: unknown; bytes: number }> {
  const url = withoutQuery(request.url);
  const work = {
    url,
    attempt: (own: { signal: AbortSignal; onBytes: (n: number) => void }) => once(request, options, own),
  };
  const { signal, retry } = options;
  const bytes = await retrying({ ...work, ...(signal && { options: { signal } }) }, retry);
  try {
    return { value: JSON.parse(new TextDecoder().decode(bytes)), bytes: bytes.length };
  } catch {
    throw new FormatError(`${url} answers with what is no JSON`, { url });
  }
}
