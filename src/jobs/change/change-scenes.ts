import type { Scene } from '../../io/scene.js';
import { readScenes } from '../../io/stac.js';
import { type SceneReport, withoutUnreadable } from '../run.js';
import type { ChangeRunOptions } from './change-options.js';

/**
 * Reads scenes, and does `work` with all of them. With `onError: 'skip'`, scenes that cannot be read are dropped, those too that only turn
 * out to be so on the way: then the work begins again without them.
 */
export async function withReadable<Result>(
  sources: string | readonly string[],
  options: ChangeRunOptions,
  work: (readable: readonly Scene[]) => Promise<Result>,
): Promise<{ result: Result; dropped: SceneReport['dropped'] }> {
  const { signal, onError, onWarning } = options;
  const dropped: SceneReport['dropped'] = [];
  const onUnreadable = ({ id }: { id: string }, error: unknown) => {
    signal?.throwIfAborted();
    const reason = (error as Error).message;
    dropped.push({ id, reason });
    onWarning?.(`dropped ${id}: ${reason}`);
  };
  const scenes = await readScenes(sources, {
    ...(signal && { signal }),
    ...(onError === 'skip' && { onUnreadable }),
  });
  const run = await withoutUnreadable(scenes, options, work);
  return { result: run.result, dropped: [...dropped, ...run.dropped] };
}
