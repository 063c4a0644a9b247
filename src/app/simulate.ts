import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileStore } from '#platform';
import type { Grid } from '../geo/grid.js';
import { frameOfGrid } from '../geo/outline.js';
import { createCog } from '../io/cog-writer.js';
import type { Dtype, NumericArray } from '../io/raster.js';
import {
  planSimulation,
  renderScene,
  type SceneImage,
  type ScenePlan,
  type SimulatedBand,
  type Simulation,
  type SimulationOptions,
} from './simulation/scene.js';

export interface CollectionOptions extends SimulationOptions {
  /** px of the COGs' tiles, default 512. */
  tileSize?: number;
  /** Default true. */
  overviews?: boolean;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

export interface SimulatedCollection {
  /** Of collection.json, which links to the items. */
  path: string;
  simulation: Simulation;
  /** Paths of the items, in the order of `simulation.scenes`. */
  items: string[];
}

const COLLECTION = 'sentinel-2-l2a-simulated';
const CRS = { epsg: 32631, definition: null, geoKeys: null };
const ORIGIN = [643_000, 5_642_000] as const;
const STAC = '1.1.0';
const EXTENSIONS = [
  'https://stac-extensions.github.io/eo/v2.0.0/schema.json',
  'https://stac-extensions.github.io/projection/v2.0.0/schema.json',
  'https://stac-extensions.github.io/raster/v2.0.0/schema.json',
];
const MEDIA_TYPE = 'image/tiff; application=geotiff; profile=cloud-optimized';

/** The grid of the pixels of `gsd` metres. */
export function simulatedGrid(size: number, gsd: number): Grid {
  const px = (size * 10) / gsd;
  return { crs: CRS, affine: [gsd, 0, ORIGIN[0], 0, -gsd, ORIGIN[1]], width: px, height: px };
}

interface Layer {
  name: string;
  gsd: number;
  dtype: Dtype;
  data: NumericArray;
  commonName?: string;
}

function layersOf(image: SceneImage, bands: readonly SimulatedBand[]): Layer[] {
  const values = bands.map(({ name, gsd, commonName }): Layer => {
    return { name, gsd, commonName, dtype: 'u16', data: image.bands[name]! };
  });
  return [...values, { name: 'SCL', gsd: 20, dtype: 'u8', data: image.scl }];
}

async function writeLayer(folder: string, layer: Layer, size: number, options: CollectionOptions): Promise<void> {
  const { tileSize = 512, overviews = true, signal } = options;
  const { name, gsd, dtype, data } = layer;
  const grid = simulatedGrid(size, gsd);
  const scale = dtype === 'u16' ? { scale: 1e-4, offset: 0 } : {};
  const writer = await createCog(join(folder, `${name}.tif`), {
    grid,
    dtype,
    nodata: 0,
    bands: [{ name, ...scale }],
    tileSize,
    overviews: overviews ? (dtype === 'u8' ? 'mode' : 'average') : 'none',
    overwrite: true,
    ...(signal && { signal }),
  });
  await writer.write({ col: 0, row: 0, width: grid.width, height: grid.height }, [data]);
  await writer.finish();
}

function assetOf({ name, gsd, dtype, commonName }: Layer, size: number): object {
  const { affine, width, height } = simulatedGrid(size, gsd);
  return {
    href: `./${name}.tif`,
    type: MEDIA_TYPE,
    roles: commonName ? ['data', 'reflectance'] : ['data'],
    gsd,
    data_type: dtype === 'u8' ? 'uint8' : 'uint16',
    nodata: 0,
    'proj:shape': [height, width],
    'proj:transform': affine,
    ...(commonName && { 'raster:scale': 1e-4, 'raster:offset': 0 }),
    bands: [{ name, ...(commonName && { 'eo:common_name': commonName }) }],
  };
}

type Frame = Awaited<ReturnType<typeof frameOfGrid>>;

function itemOf(
  scene: ScenePlan,
  image: SceneImage,
  { layers, size, frame }: { layers: Layer[]; size: number; frame: Frame },
) {
  return {
    type: 'Feature',
    stac_version: STAC,
    stac_extensions: EXTENSIONS,
    id: scene.id,
    collection: COLLECTION,
    geometry: frame.geometry,
    ...(frame.bbox && { bbox: frame.bbox }),
    properties: {
      datetime: new Date(scene.timeMs).toISOString(),
      platform: `sentinel-2${scene.id[2]!.toLowerCase()}`,
      constellation: 'sentinel-2',
      instruments: ['msi'],
      gsd: 10,
      'eo:cloud_cover': image.cloudCoverPercent,
      'proj:code': `EPSG:${CRS.epsg}`,
    },
    links: [
      { rel: 'collection', href: '../collection.json', type: 'application/json' },
      { rel: 'root', href: '../collection.json', type: 'application/json' },
      { rel: 'parent', href: '../collection.json', type: 'application/json' },
    ],
    assets: Object.fromEntries(layers.map((layer) => [layer.name, assetOf(layer, size)])),
  };
}

function collectionOf({ scenes }: Simulation, frame: Frame): object {
  const times = scenes.map(({ timeMs }) => timeMs);
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    type: 'Collection',
    stac_version: STAC,
    id: COLLECTION,
    title: 'A simulated year of Sentinel-2',
    description:
      'Farmland that does not exist, seen through clouds that never were. Made by stackwise for trying it out.',
    license: 'CC0-1.0',
    extent: {
      spatial: { bbox: [frame.bbox ?? [-180, -90, 180, 90]] },
      temporal: { interval: [[at(Math.min(...times)), at(Math.max(...times))]] },
    },
    links: [
      { rel: 'root', href: './collection.json', type: 'application/json' },
      ...scenes.map(({ id }) => ({ rel: 'item', href: `./${id}/${id}.json`, type: 'application/geo+json' })),
    ],
  };
}

/**
 * Writes a simulated Sentinel-2 collection into a folder: COGs of u16 reflectances × 10000 (nodata 0) and of scene classes, STAC items
 * and a collection.json. A year of farmland, woods, water and a town with seasons, noise, clouds and their shadows, cirrus, swath
 * edges, one day in two scenes, and a wood that is cleared after half of the dates. Equal options give equal pixels everywhere.
 */
export async function simulateScenes(folder: string, options: CollectionOptions = {}): Promise<SimulatedCollection> {
  const { signal, onProgress } = options;
  const simulation = planSimulation(options);
  const { size, scenes, bands } = simulation;
  const frame = await frameOfGrid(simulatedGrid(size, 10));
  const store = fileStore();
  const text = (document: object) => new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`);
  const items: string[] = [];
  for (const [i, scene] of scenes.entries()) {
    signal?.throwIfAborted();
    const image = renderScene(simulation, scene);
    const layers = layersOf(image, bands);
    const home = join(folder, scene.id);
    await mkdir(home, { recursive: true });
    await Promise.all(layers.map((layer) => writeLayer(home, layer, size, options)));
    items.push(join(home, `${scene.id}.json`));
    await store.write(items[i]!, text(itemOf(scene, image, { layers, size, frame })));
    onProgress?.(i + 1, scenes.length);
  }
  const path = join(folder, 'collection.json');
  await store.write(path, text(collectionOf(simulation, frame)));
  return { path, simulation, items };
}
