/** More than a timer takes (24 days): as good as any time. */
const MOST_MS = 2 ** 31;

/** How long a piece of work may take; time in which it waits for others does not count. */
export interface Deadline {
  /** Aborts when the time is over. */
  signal: AbortSignal;
  pause(): void;
  resume(): void;
  /** The work has ended. */
  stop(): void;
}

/**
 * @param seconds 0: any
 * @param reason why `signal` aborts
 */
export function deadlineOf(seconds: number, reason: () => Error): Deadline {
  const timer = new AbortController();
  let leftMs = seconds * 1000;
  let runsFrom = 0;
  let timeout: ReturnType<typeof setTimeout> | null = null;
  const pause = () => {
    if (timeout === null) return;
    clearTimeout(timeout);
    timeout = null;
    leftMs -= performance.now() - runsFrom;
  };
  const resume = () => {
    if (seconds <= 0 || leftMs >= MOST_MS || timeout !== null) return;
    runsFrom = performance.now();
    timeout = setTimeout(() => timer.abort(reason()), Math.max(0, leftMs));
  };
  resume();
  return { signal: timer.signal, pause, resume, stop: pause };
}
