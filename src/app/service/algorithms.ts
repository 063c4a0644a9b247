// The algorithms that results come from: one, by PyCCD's own name.
import { ALGORITHM } from '../../stats/change.js';
import type { App } from './app.js';
import { Refusal, shown } from './refusal.js';
import { ALGORITHM_NAME, errors, exactly, object, TEXT } from './schemas.js';

/** @throws Refusal with status 404 for any other. */
export function checkAlgorithmName(name: string): void {
  if (name === ALGORITHM) return;
  const facts = { field: 'algorithm', wanted: ALGORITHM, got: shown(name) };
  throw new Refusal(404, `there is no algorithm ${facts.got}`, facts);
}

const DESCRIPTION = { algorithm: ALGORITHM, enabled: true };
const SCHEMA = object({ algorithm: TEXT, enabled: { type: 'boolean' } });

export function algorithmRoutes(app: App): void {
  const list = { summary: 'All algorithms', response: { 200: { type: 'array', items: SCHEMA } } };
  app.get('/algorithms', { schema: list }, async () => [DESCRIPTION]);
  const one = {
    summary: 'An algorithm by its name',
    params: exactly({ algorithm: ALGORITHM_NAME }),
    querystring: exactly({}),
    response: { 200: SCHEMA, ...errors(400, 404) },
  };
  app.get<{ Params: { algorithm: string } }>('/algorithms/:algorithm', { schema: one }, async ({ params }) => {
    checkAlgorithmName(params.algorithm);
    return DESCRIPTION;
  });
}
