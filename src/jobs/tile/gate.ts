/** Lets so many in at a time; the others wait in order. */
export interface Gate {
  /** Resolves when there is room, with what makes room again; calling that twice does nothing more. */
  enter(signal?: AbortSignal): Promise<() => void>;
}

export function gateOf(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (free > 0) free--;
      else
        await new Promise<void>((resolve, reject) => {
          const go = () => {
            signal?.removeEventListener('abort', stop);
            resolve();
          };
          const stop = () => {
            waiting.splice(waiting.indexOf(go), 1);
            reject(signal?.reason);
          };
          waiting.push(go);
          signal?.addEventListener('abort', stop, { once: true });
        });
      let isIn = true;
      return () => {
        if (isIn) leave();
        isIn = false;
      };
    },
  };
}
