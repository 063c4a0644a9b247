// The documents of a product beside its tiles.
import { parsePeriod } from '../../geo/period.js';
import { isObject } from '../../io/stac-item.js';
import { storeFor } from '../../io/stores.js';
import { outputFolder } from '../output-folder.js';
import type { TaskSetHead } from '../task/task-set.js';
import type { TaskRow } from '../task/task-table.js';
import { productDocuments } from './product-documents.js';
import type { RunSettings } from './run-settings.js';
import type { TileResult } from './tile-result.js';

/** Whether the location has them, whoever wrote them. */
export async function hasProductDocuments({ location }: RunSettings): Promise<boolean> {
  const place = outputFolder(location);
  return place.has(place.pathOf('collection.json'));
}

/** The id of the location's collection where that is another product's; else null. */
export async function otherCollection({ location, product }: RunSettings): Promise<string | null> {
  const url = outputFolder(location).pathOf('collection.json');
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(await storeFor(url).read(url)));
    const id = isObject(document) ? document.id : undefined;
    return typeof id === 'string' && id !== product.name ? id : null;
  } catch {
    // None yet, or one that is none: it is written anew.
    return null;
  }
}

/** Writes `collection.json` and the product's definition, from a set of tasks and any finished tile of it: all workers write the same. */
export async function writeProductDocuments(
  { product, grid, task, files }: TileResult,
  { head, rows }: { head: TaskSetHead; rows: readonly TaskRow[] },
  { location }: RunSettings,
): Promise<void> {
  const place = outputFolder(location);
  const thumbnail = files.find(({ kind }) => kind === 'thumbnail')?.mediaType ?? null;
  const documents = await productDocuments({
    product,
    gridSpec: task.gridSpec,
    grid,
    tiles: [...new Map(rows.map(({ x, y }) => [`${x}/${y}`, { x, y }])).values()],
    periods: head.periods.map(({ key }) => parsePeriod(key)),
    bands: files.flatMap(({ kind, key, raster }) =>
      kind === 'band' && raster ? [{ name: key, dtype: raster.dtype, nodata: raster.nodata }] : [],
    ),
    rgba: files.some(({ kind }) => kind === 'rgba'),
    thumbnail: thumbnail as 'image/jpeg' | 'image/png' | null,
    location,
  });
  await place.make();
  for (const { name, bytes } of documents.files) await place.write(place.pathOf(name), bytes);
}
