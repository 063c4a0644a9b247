// Finished blocks of a tile, from one run of it to the next.
import { shelfKeys } from '../block-shelf.js';
import { forgetBlocks, type KeptBlocks, keptBlocks } from '../kept-blocks.js';
import { outputFolder } from '../output-folder.js';
import type { Prepared } from '../prepare.js';
import type { RunSettings } from './run-settings.js';

/** Where finished blocks wait; null: nowhere. */
function workPlace({ options, location }: RunSettings): string | null {
  const { workDir = outputFolder(location).workDir } = options;
  return workDir || null;
}

/**
 * Opens what earlier runs kept of a tile; null where nothing is kept.
 * @param itemUrl by which the tile is known
 * @throws InputError when a living process is at it; StoreError where the place cannot be made
 */
export async function tileBlocks(
  { spec }: Prepared,
  itemUrl: string,
  settings: RunSettings,
  { onNote, signal }: { onNote: (text: string) => void; signal?: AbortSignal | undefined },
): Promise<KeptBlocks | null> {
  const place = workPlace(settings);
  if (place === null) return null;
  return keptBlocks(place, spec, { isOwn: false, result: itemUrl, onWarning: onNote, signal });
}

/**
 * Takes away the blocks of a tile that is whole: its own, and what runs before left that were killed or had other inputs. What cannot be
 * taken away is told, and is no failure of the tile.
 */
export async function doneWithBlocks(
  kept: KeptBlocks | null,
  itemUrl: string,
  settings: RunSettings,
  onNote: (text: string) => void,
): Promise<void> {
  try {
    await kept?.done();
    const place = workPlace(settings);
    if (place === null) return;
    // What was there before this run is all that can be left: it takes away its own.
    settings.shelves ??= shelfKeys(place);
    await forgetBlocks(place, await settings.shelves, itemUrl);
  } catch (error) {
    onNote(`finished blocks that are not wanted any more stay: ${(error as Error).message}`);
  }
}
