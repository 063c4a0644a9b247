import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { filePath } from '../io/file.js';
import { fileName } from '../io/href.js';
import { dateInName } from '../io/raster-scenes.js';
import type { Scene, SceneBand } from '../io/scene.js';
import { itemOfScene } from '../io/scene-item.js';
import { isObject, type Json } from '../io/stac-item.js';
import { storeFor } from '../io/stores.js';
import { bandKey, detectSensor } from '../stats/sensors.js';
import { type Download, type DownloadOptions, type DownloadReport, downloadFiles } from './download.js';
import { outputFolder } from './output-folder.js';

/** The items of what was fetched into a folder. */
const ITEMS = 'items.json';

/** A file name of what an item calls a scene or band: nothing in it leads elsewhere. */
const safeName = (text: string) => text.replaceAll(/[^\w.-]/g, '_').replace(/^\.+/, '_');

/** The SHA-256 that an asset states (a multihash: 0x12, 0x20, 32 bytes), or null. */
function statedDigest(asset: Json | undefined): string | null {
  const stated = asset?.['file:checksum'];
  const found = typeof stated === 'string' ? /^1220([0-9a-f]{64})$/i.exec(stated) : null;
  return found ? found[1]!.toLowerCase() : null;
}

/** `red`, `green`, `blue`, else the band's own name. */
function folderOfBand(key: string, { commonName }: SceneBand, asked: string): string {
  return safeName((commonName ?? (/^[a-z]+\d*$/.test(asked) ? asked : key)).toLowerCase());
}

async function writeItems(path: string, features: readonly Json[]): Promise<void> {
  await storeFor(path).write(
    path,
    new TextEncoder().encode(`${JSON.stringify({ type: 'FeatureCollection', features })}\n`),
  );
}

interface Pull {
  items: readonly Json[];
  scenes: readonly Scene[];
  bands: readonly string[];
}

/** What is fetched of each scene: its item with the addresses of local files, and the files. */
function plannedPull({ items, scenes, bands }: Pull): { items: Json[]; files: Download[] } {
  const sensor = detectSensor(scenes);
  const names = new Set<string>();
  const files: Download[] = [];
  const local = scenes.map((scene, i) => {
    const own = isObject(items[i]!.assets) ? items[i]!.assets : {};
    const assets: Record<string, Json> = {};
    for (const asked of bands) {
      const key = bandKey(scene, asked, sensor);
      if (key === null) throw new InputError(`${scene.id} has no band ${asked}`, { band: asked, items: [scene.id] });
      const band = scene.bands[key]!;
      const [assetKey, asset] = Object.entries(own).find(([, a]) => isObject(a) && a.href === band.href) ?? [key, {}];
      const extension = /\.[A-Za-z0-9]{2,4}$/.exec(fileName(band.href))?.[0] ?? '';
      const name = `${folderOfBand(key, band, asked)}/${safeName(`${scene.id}_${key}`)}${extension}`;
      if (names.has(name)) throw new InputError(`two scenes are called ${scene.id}`, { items: [scene.id] });
      names.add(name);
      files.push({ url: band.href, name, sha256: statedDigest(asset as Json) });
      assets[assetKey] = { ...(asset as Json), href: `./${name}` };
    }
    return { ...items[i]!, assets };
  });
  return { items: local, files };
}

/** Fetches the bands of scenes into red, green and blue folders (and others by name); gives the path of their items. */
export async function pullScenes(
  home: string,
  pull: Pull,
  options: DownloadOptions,
): Promise<{ path: string; report: DownloadReport }> {
  const folder = filePath(home);
  const { items, files } = plannedPull(pull);
  const place = outputFolder(home);
  await place.make();
  // Two processes would write the same parts, and forget each other's items.
  const claim = await place.claim();
  try {
    const report = await downloadFiles(folder, files, options);
    const path = join(folder, ITEMS);
    await writeItems(path, withEarlier(items, await itemsIn(path)));
    return { path, report };
  } finally {
    await claim.release();
  }
}

/** The items of a collection that an earlier run wrote; none where there is no such. */
async function itemsIn(path: string): Promise<Json[]> {
  try {
    const document: unknown = JSON.parse(await readFile(path, 'utf8'));
    const features = isObject(document) && Array.isArray(document.features) ? document.features : [];
    return features.filter((item) => isObject(item) && isObject(item.assets));
  } catch {
    return [];
  }
}

/** Items with those of earlier runs, which may be of other times, tiles and bands: their files lie there too. */
function withEarlier(items: readonly Json[], earlier: readonly Json[]): Json[] {
  const before = new Map(earlier.map((item) => [item.id, item]));
  const merged = items.map((item) => {
    const assets = { ...(before.get(item.id)?.assets as object), ...(item.assets as object) };
    before.delete(item.id);
    return { ...item, assets };
  });
  return [...before.values(), ...merged];
}

const FILE = /^(.+)_([A-Za-z0-9]+)\.(?:tiff?|jp2)$/i;
/** As the original program calls files: number, year, month, day and hour of the upload, and the name in the bucket. */
const ORIGINAL = /^((\d+)-(\d{4})-(\d{1,2})-(\d{1,2})-(\d{1,2}))-(B\d[\dA])\.(?:tiff?|jp2)$/i;

/** What a file's name tells; null: nothing. */
interface Named {
  id: string;
  key: string;
  timeMs: number;
}

function named(file: string): Named | null {
  const original = ORIGINAL.exec(file);
  if (original) {
    const [year, month, day, hour] = original.slice(3, 7).map(Number) as [number, number, number, number];
    const timeMs = Date.UTC(year, month - 1, day, hour);
    const isDate = new Date(timeMs).getUTCMonth() === month - 1 && hour < 24;
    return isDate ? { id: original[1]!, key: original[7]!.toUpperCase(), timeMs } : null;
  }
  const [, id, key] = FILE.exec(file) ?? [];
  const timeMs = id === undefined ? null : dateInName(id);
  return id === undefined || key === undefined || timeMs === null ? null : { id, key, timeMs };
}

const HOUR_MS = 3_600_000;

/** Bands of one scene whose uploads lie on either side of a full hour have two names. */
function joined(scenes: readonly Scene[]): Scene[] {
  const all = scenes.toSorted((p, q) => p.timeMs - q.timeMs);
  const number = ({ id }: Scene) => /^\d+-/.exec(id)?.[0];
  return all.filter((scene, i) => {
    const before = all
      .slice(0, i)
      .find((one) => number(one) === number(scene) && scene.timeMs - one.timeMs === HOUR_MS);
    const isRest =
      before && /^\d+-\d{4}-/.test(scene.id) && !Object.keys(scene.bands).some((key) => key in before.bands);
    if (isRest) Object.assign(before.bands, scene.bands);
    return !isRest;
  });
}

/** Scenes of files that lie in folders by colour, where nothing else tells of them: by names like `{scene}_{band}.tif`, or the original's. */
async function scenesByName(folder: string): Promise<Scene[]> {
  const scenes = new Map<string, Scene>();
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name: colour } of entries.filter((entry) => entry.isDirectory()))
    for (const file of (await readdir(join(folder, colour))).sort()) {
      const found = named(file);
      if (!found) continue;
      const scene = scenes.get(found.id) ?? emptyScene(found);
      const commonName = ['red', 'green', 'blue'].includes(colour) ? colour : null;
      scene.bands[found.key] = {
        href: `./${colour}/${file}`,
        bandIndex: 0,
        name: found.key,
        commonName,
        dtype: null,
        nodata: 0,
        scale: null,
        offset: null,
        grid: null,
      };
      scenes.set(found.id, scene);
    }
  return joined([...scenes.values()]);
}

function emptyScene({ id, timeMs }: Named): Scene {
  const unknown = { collection: null, cloudCoverPercent: null, bbox: null, geometry: null, crs: null, platform: null };
  return { id, timeMs, ...unknown, bands: {}, href: null };
}

/** The path of the items of what lies in a folder already. */
export async function pulledItems(home: string, onNote?: (text: string) => void): Promise<string> {
  const folder = filePath(home);
  const path = join(folder, ITEMS);
  if (existsSync(path)) return path;
  const scenes = existsSync(folder) ? await scenesByName(folder) : [];
  if (scenes.length === 0)
    throw new InputError(
      `nothing was pulled into ${folder}: no ${ITEMS}, and no files like red/S2A_10UDV_20190826_0_L2A_B04.tif or red/0-2019-8-26-14-B04.jp2`,
      {
        option: 'has-pulled',
      },
    );
  onNote?.(
    `${folder} has no ${ITEMS}: days are those of file names, and numbers stay as stored, since no baseline is known`,
  );
  await writeItems(path, scenes.map(itemOfScene));
  return path;
}
