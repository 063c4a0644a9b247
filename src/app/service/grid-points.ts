// Tiles and chips of points, as chipmunk's services say them.
import { type ChipCell, near, snap } from '../../geo/chip-grid.js';
import type { App } from './app.js';
import { errors, exactly, NUMBER, object, POINT } from './schemas.js';
import type { Service } from './service.js';

const PAIR = { type: 'array', items: NUMBER, minItems: 2, maxItems: 2 };
const CELL = object({ 'proj-pt': PAIR, 'grid-pt': PAIR }, 'Upper-left corner, and column and row');
const CELLS = { type: 'array', items: CELL };

const shapeOf = ({ x, y, h, v }: ChipCell) => ({ 'proj-pt': [x, y], 'grid-pt': [h, v] });

export function gridRoutes(app: App, { store: { grid } }: Service): void {
  const querystring = exactly(POINT, ['x', 'y']);
  const one = {
    summary: 'The tile and the chip that a point lies in',
    querystring,
    response: { 200: object({ tile: CELL, chip: CELL }), ...errors(400) },
  };
  app.get<{ Querystring: { x: number; y: number } }>('/grid/snap', { schema: one }, async ({ query }) => {
    const { tile, chip } = snap(grid, query);
    return { tile: shapeOf(tile), chip: shapeOf(chip) };
  });
  const nine = {
    summary: 'The 3 × 3 tiles and chips around a point',
    querystring,
    response: { 200: object({ tile: CELLS, chip: CELLS }), ...errors(400) },
  };
  app.get<{ Querystring: { x: number; y: number } }>('/grid/near', { schema: nine }, async ({ query }) => {
    const { tile, chip } = near(grid, query);
    return { tile: tile.map(shapeOf), chip: chip.map(shapeOf) };
  });
}
