// Whether the service is well, for whoever starts it again if it is not.
import { ALGORITHM } from '../../stats/change.js';
import { version } from '../../version.js';
import type { App } from './app.js';
import { COUNT, object, TEXT } from './schemas.js';
import type { Service } from './service.js';

export function healthRoutes(app: App, { store, desk }: Service): void {
  const fields = {
    status: TEXT,
    version: TEXT,
    algorithm: TEXT,
    grid: TEXT,
    scenes: COUNT,
    pending: COUNT,
    running: COUNT,
  };
  const schema = { summary: 'Whether the service is well; wants no token', response: { 200: object(fields) } };
  app.get('/health', { schema, exposeHeadRoute: true }, async () => ({
    status: 'ok',
    version,
    algorithm: ALGORITHM,
    grid: store.grid.name,
    scenes: desk.coverage.scenes,
    pending: await store.requests.pending(),
    running: desk.running.length,
  }));
}
