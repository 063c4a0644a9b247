import { openResults } from '../jobs/change/result-folder.js';
import type { ResultStore } from '../jobs/change/result-store.js';
import type { Flags } from './amount-option.js';
import { type ProgressReporter, progressReporter } from './progress.js';
import { stopSignals } from './stop.js';

/** What work on a result store is given. */
interface Reading {
  store: ResultStore;
  signal: AbortSignal;
  progress: ProgressReporter;
  onProgress: (done: number, total: number) => void;
}

/** Opens the result store of `--store` for reading, and ends progress, signals and the store when the work has ended. */
export async function readResults(
  flags: Flags,
  { label, unit, left }: { label: string; unit: string; left?: string },
  work: (reading: Reading) => Promise<void>,
): Promise<void> {
  const stop = stopSignals(left);
  const progress = progressReporter({ stream: process.stderr, json: flags.json === true, label, unit });
  try {
    const store = await openResults(String(flags.store), { readOnly: true });
    try {
      const onProgress = (done: number, total: number) => progress.update(done, total);
      await work({ store, signal: stop.signal, progress, onProgress });
    } finally {
      await store.close();
    }
  } finally {
    progress.close();
    stop.dispose();
  }
}
