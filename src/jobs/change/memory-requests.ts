// Requests in memory, beside results in memory.
import { type ChangeRequest, type ChangeRequests, type RequestOptions, reasonOf } from './change-requests.js';
import { type ChipRange, checkKey, checkRange } from './result-store.js';

export class MemoryRequests implements ChangeRequests {
  /** In the order of arrival. */
  private readonly all = new Map<string, ChangeRequest>();

  async add(algorithm: string, chips: readonly { h: number; v: number }[], options: RequestOptions) {
    const { atMs, refresh = false, mostPending = Number.POSITIVE_INFINITY } = options;
    const own = new Map(chips.map(({ h, v }) => [this.key(algorithm, { h, v }), { h, v }]));
    const fresh = [...own].filter(([key]) => !this.waits(key));
    const outcome = { requested: fresh.length, alreadyPending: own.size - fresh.length };
    if (fresh.length > 0 && this.waiting().length + fresh.length > mostPending) {
      return { accepted: false, requested: 0, alreadyPending: outcome.alreadyPending };
    }
    for (const [key, { h, v }] of own) {
      const known = this.all.get(key);
      if (known && this.waits(key)) known.refresh ||= refresh;
      else {
        this.all.delete(key);
        this.all.set(key, { algorithm, h, v, requestedMs: atMs, refresh, failure: null });
      }
    }
    return { accepted: true, ...outcome };
  }

  async get(algorithm: string, at: { h: number; v: number }) {
    const found = this.all.get(this.key(algorithm, at));
    return found ? { ...found } : null;
  }

  async next(most: number) {
    return this.waiting()
      .slice(0, most)
      .map((request) => ({ ...request }));
  }

  async within(algorithm: string, { hMin, vMin, hMax, vMax }: ChipRange) {
    checkRange(algorithm, { hMin, vMin, hMax, vMax });
    return [...this.all.values()]
      .filter((one) => one.algorithm === algorithm)
      .filter(({ h, v }) => h >= hMin && h <= hMax && v >= vMin && v <= vMax)
      .sort((a, b) => a.v - b.v || a.h - b.h)
      .map((request) => ({ ...request }));
  }

  async pending() {
    return this.waiting().length;
  }

  async fail(algorithm: string, at: { h: number; v: number }, reason: string) {
    const key = this.key(algorithm, at);
    if (this.waits(key)) this.all.get(key)!.failure = reasonOf(reason);
  }

  async remove(algorithm: string, at: { h: number; v: number }) {
    return this.all.delete(this.key(algorithm, at));
  }

  /** The chip is written. */
  answer(algorithm: string, at: { h: number; v: number }): void {
    this.all.delete(this.key(algorithm, at));
  }

  private waiting(): ChangeRequest[] {
    return [...this.all.values()].filter(({ failure }) => failure === null);
  }

  private waits(key: string): boolean {
    return this.all.get(key)?.failure === null;
  }

  private key(algorithm: string, { h, v }: { h: number; v: number }): string {
    checkKey(algorithm, { h, v });
    return `${h} ${v} ${algorithm}`;
  }
}
