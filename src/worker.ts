import { listenAsWorker } from '#platform';
import { changeRunner } from './jobs/change/change-runner.js';
import { chipRunner } from './jobs/chip/chip-runner.js';
import { compositeRunner } from './jobs/composite-runner.js';
import { type BlockRunner, serveBlocks, type ToWorker } from './jobs/pool.js';

/** Everything a thread can run, by name. */
const RUNNERS = new Map([
  [compositeRunner.name, compositeRunner as BlockRunner<unknown, unknown, unknown>],
  [changeRunner.name, changeRunner as BlockRunner<unknown, unknown, unknown>],
  [chipRunner.name, chipRunner as BlockRunner<unknown, unknown, unknown>],
]);

const handle = serveBlocks(
  (name) => RUNNERS.get(name)!,
  (message, transfer) => port.post(message, transfer),
);
const port = listenAsWorker((data) => void handle(data as ToWorker));
