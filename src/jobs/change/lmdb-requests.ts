// Requests in the file of the results, so that a chip's write and the end of its request are one transaction.
import { cellName } from '../../geo/chip-grid.js';
import { type ChangeRequest, type ChangeRequests, type RequestOptions, reasonOf } from './change-requests.js';
import type { Key, LmdbFile } from './lmdb-file.js';
import { cellOf, prefixKey, QUEUE, queueKey, queueOrder } from './result-keys.js';
import { type ChipRange, checkKey, checkRange } from './result-store.js';

/** A request as it is kept; `order` is its place in the queue, null when it failed. */
interface Kept {
  requestedMs: number;
  refresh: boolean;
  failure: string | null;
  order: number | null;
}

/** What the queue keeps at a place. */
type Place = Pick<ChangeRequest, 'algorithm' | 'h' | 'v'>;

const textOf = (value: Kept | Place) => new TextEncoder().encode(JSON.stringify(value));
const parse = <T>(bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as T;

export class LmdbRequests implements ChangeRequests {
  private readonly file: LmdbFile;

  constructor(file: LmdbFile) {
    this.file = file;
  }

  async add(algorithm: string, chips: readonly { h: number; v: number }[], options: RequestOptions) {
    const { atMs, refresh = false, mostPending = Number.POSITIVE_INFINITY } = options;
    for (const at of chips) checkKey(algorithm, at);
    return this.file.write((put) => {
      const own = new Map(
        chips.map(({ h, v }) => [cellName({ h, v }), { h, v, kept: this.kept(algorithm, { h, v }) }]),
      );
      const waiting = [...own.values()].filter(({ kept }) => kept && kept.order !== null);
      const fresh = [...own.values()].filter(({ kept }) => !kept || kept.order === null);
      const alreadyPending = waiting.length;
      if (fresh.length > 0 && this.file.count(...QUEUE) + fresh.length > mostPending) {
        return { accepted: false, requested: 0, alreadyPending };
      }
      for (const { h, v, kept } of waiting) {
        if (!refresh || kept!.refresh) continue;
        put(prefixKey('request', algorithm, { h, v }), textOf({ ...kept!, refresh }));
      }
      const last = this.file.last(...QUEUE);
      let order = last ? queueOrder(last) : 0;
      for (const { h, v } of fresh) {
        order++;
        put(prefixKey('request', algorithm, { h, v }), textOf({ requestedMs: atMs, refresh, failure: null, order }));
        put(queueKey(order), textOf({ algorithm, h, v }));
      }
      return { accepted: true, requested: fresh.length, alreadyPending };
    });
  }

  async get(algorithm: string, at: { h: number; v: number }) {
    checkKey(algorithm, at);
    this.file.refresh();
    return this.request({ algorithm, h: at.h, v: at.v });
  }

  async next(most: number) {
    this.file.refresh();
    const found: ChangeRequest[] = [];
    if (most <= 0) return found;
    for (const { value } of this.file.range(...QUEUE)) {
      const request = this.request(parse<Place>(value));
      if (request) found.push(request);
      if (found.length >= most) break;
    }
    return found;
  }

  async within(algorithm: string, range: ChipRange) {
    const { hMin, vMin, hMax, vMax } = range;
    checkRange(algorithm, range);
    this.file.refresh();
    const found: ChangeRequest[] = [];
    // Right behind the last key: the same with a byte more.
    const end = prefixKey('request', algorithm, { h: hMax, v: vMax }, 1);
    // Keys lie row by row: what is left and right of the range is jumped over.
    for (let v = vMin; v <= vMax; ) {
      let next = vMax + 1;
      for (const { key, value } of this.file.range(prefixKey('request', algorithm, { h: hMin, v }), end)) {
        const at = cellOf(key);
        if (at.v === v && at.h <= hMax) {
          found.push(requestOf({ algorithm, ...at }, parse<Kept>(value)));
          continue;
        }
        next = at.v === v ? v + 1 : at.v;
        break;
      }
      v = next;
    }
    return found;
  }

  async pending() {
    this.file.refresh();
    return this.file.count(...QUEUE);
  }

  async fail(algorithm: string, at: { h: number; v: number }, reason: string) {
    checkKey(algorithm, at);
    this.file.write((put, remove) => {
      const kept = this.kept(algorithm, at);
      if (!kept || kept.order === null) return;
      remove(queueKey(kept.order));
      put(prefixKey('request', algorithm, at), textOf({ ...kept, failure: reasonOf(reason), order: null }));
    });
  }

  async remove(algorithm: string, at: { h: number; v: number }) {
    checkKey(algorithm, at);
    return this.file.write((_, remove) => this.answer(remove, algorithm, at));
  }

  /** Ends a request in the transaction that writes its chip. */
  answer(remove: (key: Key) => boolean, algorithm: string, at: { h: number; v: number }): boolean {
    const kept = this.kept(algorithm, at);
    if (!kept) return false;
    if (kept.order !== null) remove(queueKey(kept.order));
    return remove(prefixKey('request', algorithm, at));
  }

  private kept(algorithm: string, at: { h: number; v: number }): Kept | null {
    const bytes = this.file.get(prefixKey('request', algorithm, at));
    return bytes ? parse<Kept>(bytes) : null;
  }

  private request(place: Place): ChangeRequest | null {
    const kept = this.kept(place.algorithm, place);
    return kept && requestOf(place, kept);
  }
}

function requestOf({ algorithm, h, v }: Place, { requestedMs, refresh, failure }: Kept): ChangeRequest {
  return { algorithm, h, v, requestedMs, refresh, failure };
}
