// What the routes have to work with.
import type { ResultStore } from '../../jobs/change/result-store.js';
import type { Desk } from './desk.js';
import type { TileEvents } from './events.js';
import type { Metrics } from './metrics.js';

export interface Service {
  /** For reading only: the work thread writes. */
  store: ResultStore;
  desk: Desk;
  metrics: Metrics;
  events: TileEvents;
  /** What links begin with: nothing, or the address that clients know. */
  baseUrl: string;
}
