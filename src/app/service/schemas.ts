// Schemas that routes share; the OpenAPI document is made of them.
import { ALGORITHM } from '../../stats/change.js';
import type { Schema } from './validation.js';

const text: Schema = { type: 'string' };
const textOrNull: Schema = { type: ['string', 'null'] };
const count: Schema = { type: 'integer', minimum: 0 };
const time: Schema = { type: 'string', format: 'date-time' };
const number: Schema = { type: 'number' };

/** An object all of whose fields are there. */
export function object(properties: Record<string, Schema>, description?: string): Schema {
  return { type: 'object', required: Object.keys(properties), properties, ...(description && { description }) };
}

/** Parameters, of which none is passed over. */
export function exactly(properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Coordinates and cells that no grid has are not even computed. */
const FARTHEST_M = 1e8;
const FARTHEST_TILE = 1e6;

export const COORDINATE: Schema = {
  type: 'number',
  minimum: -FARTHEST_M,
  maximum: FARTHEST_M,
  description: "in the grid's CRS",
};
export const CELL: Schema = { type: 'integer', minimum: -FARTHEST_TILE, maximum: FARTHEST_TILE };
export const POINT = { x: COORDINATE, y: COORDINATE };
export const TILE = { h: CELL, v: CELL };
export const ALGORITHM_NAME: Schema = { type: 'string', maxLength: 255, description: `like ${ALGORITHM}` };
export const COUNT = count;
export const TEXT = text;
export const NUMBER = number;

export const ERROR = object(
  { error: text, field: textOrNull, wanted: textOrNull, got: textOrNull },
  'What is wrong, and with which field',
);

/** The answers that a route refuses with, by status. */
export function errors(...statuses: readonly number[]): Record<number, Schema> {
  return Object.fromEntries(statuses.map((status) => [status, ERROR]));
}

export const ROW = object(
  {
    chip_x: number,
    chip_y: number,
    x: number,
    y: number,
    algorithm: text,
    result: { type: 'string', description: "PyCCD's result as JSON text, or why the pixel failed" },
    result_md5: text,
    result_ok: { type: 'boolean' },
    result_produced: time,
    inputs_md5: text,
  },
  'The result of a pixel; x and y are its upper-left corner',
);

export const TICKET = object(
  {
    chip_x: number,
    chip_y: number,
    x: number,
    y: number,
    algorithm: text,
    chip_update_requested: { ...time, description: 'when the chip was asked for first' },
    inputs_url: { type: 'string', description: 'where the result will be' },
  },
  'The chip is to be run',
);

export const IMPOSSIBLE: Schema = {
  type: 'object',
  required: ['error', 'field', 'wanted', 'got', 'algorithm-available', 'source-data-available'],
  properties: {
    ...(ERROR.properties as object),
    'algorithm-available': { type: 'boolean' },
    'source-data-available': { type: 'boolean' },
  },
  description:
    'The chip cannot be run: no scene meets it, or it failed as a whole; refresh=true tries the latter again',
};

export const PROGRESS = object(
  {
    h: { type: 'integer' },
    v: { type: 'integer' },
    chips: { ...count, description: 'of the tile: complete, incomplete, missing, failed and outside in all' },
    complete: { ...count, description: 'all pixels have run' },
    incomplete: { ...count, description: 'some pixels failed' },
    missing: { ...count, description: 'not run' },
    failed: { ...count, description: 'could not be run, a scene that cannot be read, say' },
    outside: { ...count, description: 'no scene meets them' },
    pending: { ...count, description: 'asked for, whatever there is of them; those that run included' },
    running: count,
  },
  'How far a tile is',
);
