/** One read that several callers wait for. */
export interface SharedRead<T> {
  /** Waits with the others. A caller that gives up leaves alone; the read is given up when the last has left. */
  join(signal?: AbortSignal): Promise<T>;
  /** Whether all have left: then nobody can join any more. */
  readonly abandoned: boolean;
}

export function sharedRead<T>(start: (signal: AbortSignal) => Promise<T>): SharedRead<T> {
  const stop = new AbortController();
  const result = Promise.resolve().then(() => start(stop.signal));
  result.catch(() => {}); // Each caller hears of it by its own promise.
  let waiting = 0;
  return {
    get abandoned() {
      return stop.signal.aborted;
    },
    join(signal) {
      waiting++;
      return new Promise<T>((resolve, reject) => {
        const leave = () => {
          reject(signal!.reason);
          if (--waiting === 0) stop.abort(signal!.reason);
        };
        if (signal?.aborted) return leave();
        signal?.addEventListener('abort', leave, { once: true });
        const settled = () => signal?.removeEventListener('abort', leave);
        result.finally(settled).then(resolve, reject);
      });
    },
  };
}
