// Tiles: how far they are, and the request of their chips.
import { type Cell, cellName, tileOfChip } from '../../geo/chip-grid.js';
import { CHOICES, type Choice, countProgress, type TileCount, tileProgress } from '../../jobs/change/tile-progress.js';
import type { App } from './app.js';
import { queueFull } from './results.js';
import { COUNT, errors, exactly, object, PROGRESS, TILE } from './schemas.js';
import type { Service } from './service.js';

export interface TileReport extends Cell, TileCount {
  running: number;
}

/** How far a tile is. */
export async function reportTile({ store, desk }: Pick<Service, 'store' | 'desk'>, tile: Cell): Promise<TileReport> {
  const progress = await tileProgress({ store, covers: (chip) => desk.covers(chip) }, tile);
  const isOf = (chip: Cell) => cellName(tileOfChip(store.grid, chip)) === cellName(tile);
  return { h: tile.h, v: tile.v, ...countProgress(progress), running: desk.running.filter(isOf).length };
}

interface RequestBody {
  only?: Choice;
  refresh?: boolean;
}

export function tileRoutes(app: App, service: Service): void {
  const report = {
    summary: 'How far a tile is',
    params: exactly(TILE),
    querystring: exactly({}),
    response: { 200: PROGRESS, ...errors(400) },
  };
  app.get<{ Params: Cell }>('/tiles/:h/:v', { schema: report }, async ({ params }) => reportTile(service, params));
  const request = {
    summary: 'Asks for chips of a tile, for all of them or for none',
    params: exactly(TILE),
    querystring: exactly({}),
    body: {
      ...exactly({ only: { type: 'string', enum: CHOICES }, refresh: { type: 'boolean' } }),
      type: ['object', 'null'],
      description:
        'only: which chips. missing (default), incomplete, failed, changed (made from other inputs), all (that a scene meets). ' +
        'refresh: looks for scenes anew; all includes complete chips, and is the default',
    },
    response: {
      202: object(
        {
          h: { type: 'integer' },
          v: { type: 'integer' },
          requested: { ...COUNT, description: 'new ones' },
          alreadyPending: COUNT,
          there: { ...COUNT, description: 'left as they are' },
          outside: { ...COUNT, description: 'no scene meets them' },
        },
        'In all the chips of the tile',
      ),
      ...errors(400, 413, 415, 503),
    },
  };
  app.post<{ Params: Cell; Body: RequestBody | null }>(
    '/tiles/:h/:v/requests',
    { schema: request },
    async ({ params: tile, body }, reply) => {
      const refresh = body?.refresh ?? false;
      const only = body?.only ?? (refresh ? 'all' : 'missing');
      const { accepted, ...counts } = await service.desk.requestTile({ tile, only, refresh, atMs: Date.now() });
      if (!accepted) throw queueFull();
      const { grid } = service.store;
      service.events.touch({ h: tile.h * grid.tileChips, v: tile.v * grid.tileChips });
      reply.code(202);
      return { ...tile, ...counts };
    },
  );
}
