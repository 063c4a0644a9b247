// The thread that finds scenes, runs chips and is alone in writing the store, so that the server only ever reads.
import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../errors.js';
import { chipOf } from '../../jobs/change/change-prepare.js';
import { RequestRunner } from '../../jobs/change/request-runner.js';
import { openResults } from '../../jobs/change/result-folder.js';
import type { ResultStore } from '../../jobs/change/result-store.js';
import { chooseChips, countProgress, tileProgress } from '../../jobs/change/tile-progress.js';
import { ALGORITHM } from '../../stats/change.js';
import { findScenes } from './scene-sources.js';
import type { FromWork, TileOutcome, TileRequest, ToWork, WorkOrder } from './work-order.js';

const say = (message: FromWork) => parentPort!.postMessage(message);

async function requestTile(
  { store, runner, queueLimit }: { store: ResultStore; runner: RequestRunner; queueLimit: number },
  { tile, only, refresh, atMs }: TileRequest,
): Promise<TileOutcome> {
  const area = runner.area();
  const { covers } = runner;
  const progress = await tileProgress({ store, covers }, tile);
  const md5 = ({ h, v }: { h: number; v: number }) => chipOf(area, h, v)?.inputsMd5 ?? null;
  const chosen = chooseChips(progress, { only, refresh }, md5);
  const { outside } = countProgress(progress);
  const options = { atMs, refresh, mostPending: queueLimit };
  const outcome = await store.requests.add(ALGORITHM, chosen, options);
  return { ...outcome, there: progress.length - outside - chosen.length, outside };
}

async function serve({ scenes, store: folder, options, queueLimit, rescanMs }: WorkOrder): Promise<void> {
  const stopper = new AbortController();
  let stop = async () => stopper.abort(new Error('stopped'));
  const early: ToWork[] = [];
  let take = (message: ToWork): void => void early.push(message);
  parentPort!.on('message', (message: ToWork) => {
    if (message.type !== 'stop') return take(message);
    void stop();
  });
  const find = (signal: AbortSignal) => findScenes(scenes, signal);
  const onWarning = (text: string) => say({ type: 'note', text });
  const runner = await RequestRunner.open(
    { find, options: { ...options, onWarning }, rescanMs, onEvent: say },
    stopper,
  );
  const store = await openResults(folder, { grid: runner.area().grid });
  stop = () => runner.stop();
  const answer = async (message: Exclude<ToWork, { type: 'stop' }>) => {
    const { id } = message;
    try {
      if (message.type === 'tile') {
        say({ type: 'answer', id, answer: await requestTile({ store, runner, queueLimit }, message.request) });
      } else {
        const { chips, refresh, atMs } = message;
        const outcome = await store.requests.add(ALGORITHM, chips, { atMs, refresh, mostPending: queueLimit });
        say({ type: 'answer', id, answer: outcome });
      }
      runner.wake();
    } catch (error) {
      say({ type: 'refused', id, error: packError(error) });
    }
  };
  take = (message) => message.type !== 'stop' && void answer(message);
  for (const message of early) take(message);
  try {
    say({ type: 'ready', grid: store.grid, coverage: runner.coverage });
    await runner.run(store);
  } finally {
    await runner.stop();
    await store.close();
  }
}

try {
  await serve(workerData as WorkOrder);
} catch (error) {
  say({ type: 'fatal', error: packError(error) });
}
parentPort!.close();
