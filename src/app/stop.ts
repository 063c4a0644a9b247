import { StackwiseError } from '../errors.js';

/** The run was stopped from outside: Ctrl-C or SIGTERM. */
export class StoppedError extends StackwiseError {
  override name = 'StoppedError';
}

/** A second Ctrl-C within this time is taken for an echo of the first: shells and `timeout` signal the whole group. */
const ECHO_MS = 1000;

/** A signal that Ctrl-C and SIGTERM abort, telling what is `left`; a later one ends the process at once. */
export function stopSignals(left = 'no result was written'): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  let stoppedAt = 0;
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      if (performance.now() - stoppedAt > ECHO_MS) process.exit(1);
      return;
    }
    stoppedAt = performance.now();
    controller.abort(new StoppedError(`stopped by ${name}: ${left}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
