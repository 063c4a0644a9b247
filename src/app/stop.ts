import { StackwiseError } from '../errors.js';

/** The run was stopped from outside: Ctrl-C or SIGTERM. */
export class StoppedError extends StackwiseError {
  override name = 'StoppedError';
}

/** A signal that Ctrl-C and SIGTERM abort; a second one ends the process at once. */
export function stopSignals(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new StoppedError(`stopped by ${name}: no result was written`));
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
