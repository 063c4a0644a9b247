// The HTTP server: limits, errors, methods, the OpenAPI document. The only file that knows the server library.

import type { FastifyInstance } from 'fastify';
import { messageOf } from '../../errors.js';
import { version } from '../../version.js';
import { Refusal, refusalFor } from './refusal.js';
import { schemaChecks } from './validation.js';

export type { FastifyInstance as App } from 'fastify';

/** Bytes of a body and an address. */
const LONGEST_BODY = 4096;
const LONGEST_URL = 2048;
const MOST_CONNECTIONS = 1024;
/** A request must be there within this time, and a connection on which nothing moves is ended. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
const STILL_MS = 60_000;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

export interface AppOptions {
  /** An error that is no fault of the request. */
  onError: (text: string) => void;
}

/** A request that is no HTTP, or not there in time. */
function badConnection(error: NodeJS.ErrnoException, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request did not come in time']
        : ['400 Bad Request', 'this is no HTTP'];
  const body = JSON.stringify(new Refusal(400, reason).body);
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

/** A server without routes. */
export async function createApp({ onError }: AppOptions): Promise<FastifyInstance> {
  const { fastify } = await import('fastify');
  const app: FastifyInstance = fastify({
    logger: false,
    bodyLimit: LONGEST_BODY,
    connectionTimeout: STILL_MS,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 5000 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: LONGEST_URL },
    clientErrorHandler: badConnection,
    frameworkErrors: (error, _, reply) => refuse(reply as never, refusalFor(error)!),
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(await schemaChecks());
  app.addHook('onRequest', async ({ raw }) => {
    const length = raw.url?.length ?? 0;
    if (length > LONGEST_URL) {
      const [wanted, got] = [`at most ${LONGEST_URL} characters`, String(length)];
      throw new Refusal(414, 'the address is too long', { field: 'url', wanted, got });
    }
  });
  app.setErrorHandler((error, _, reply) => {
    const refusal = refusalFor(error);
    if (!refusal) onError(messageOf(error));
    return refuse(reply, refusal ?? new Refusal(500, 'the service failed; its log says why'));
  });
  app.setNotFoundHandler((request) => {
    throw new Refusal(404, 'there is no such address', { field: 'url', got: request.url.slice(0, 200) });
  });
  await addDocument(app);
  return app;
}

function refuse(
  reply: import('fastify').FastifyReply,
  { status, facts, body }: Refusal,
): import('fastify').FastifyReply {
  return reply
    .code(status)
    .headers(facts.headers ?? {})
    .type('application/json; charset=utf-8')
    .serializer((value) => JSON.stringify(value))
    .send(body);
}

async function addDocument(app: FastifyInstance): Promise<void> {
  const { fastifySwagger } = await import('@fastify/swagger');
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'stackwise serve',
        description: 'Change detection on request: results of pixels and chips, and how far tiles are.',
        version,
      },
    },
    transformObject: (document) => ('openapiObject' in document ? document.openapiObject : document.swaggerObject),
  });
}

/** Where the OpenAPI document is. */
export function serveDocument(app: FastifyInstance): void {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

/** The methods that a route does not have are refused by name. To be called before the routes are declared; gives what ends it. */
export function refuseMethods(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const own = known.get(url) ?? new Set();
    for (const one of [method].flat()) own.add(one);
    known.set(url, own);
  });
  return () => {
    for (const [url, own] of [...known]) {
      const others = METHODS.filter((method) => !own.has(method));
      const allow = [...own].join(', ');
      app.route({
        method: [...others],
        url,
        schema: { hide: true },
        // Before the body is read.
        onRequest: async ({ method }) => {
          const facts = { field: 'method', wanted: allow, got: method, headers: { allow } };
          throw new Refusal(405, `${method} is not allowed here`, facts);
        },
        handler: async () => {},
      });
    }
  };
}
