import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileStore } from '#platform';
import { CHIP_GRIDS, chipCell } from '../geo/chip-grid.js';
import { parseCrs } from '../geo/crs.js';
import type { Grid } from '../geo/grid.js';
import { frameOfGrid } from '../geo/outline.js';
import { createCog } from '../io/cog-writer.js';
import type { Dtype, NumericArray } from '../io/raster.js';
import { planSeries, renderDate, type SeriesOptions } from './simulation/series.js';

export interface ArchiveOptions extends SeriesOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Tile 3, 9 of the grid of CONUS begins with this chip. */
const CHIP = { h: 150, v: 450 };
/** Names of Thematic Mapper's bands in Landsat ARD. */
const BANDS = ['SRB1', 'SRB2', 'SRB3', 'SRB4', 'SRB5', 'SRB7', 'BTB6'];
const MEDIA_TYPE = 'image/tiff; application=geotiff; profile=cloud-optimized';
const EXTENSIONS = [
  'https://stac-extensions.github.io/eo/v1.1.0/schema.json',
  'https://stac-extensions.github.io/projection/v2.0.0/schema.json',
];

/** The first pixels of tile 3, 9. */
export function archiveGrid(size: number): Grid {
  const { conus } = CHIP_GRIDS;
  const { x, y } = chipCell(conus, CHIP.h, CHIP.v);
  return {
    crs: parseCrs(conus.crs),
    affine: [conus.pixelSize, 0, x, 0, -conus.pixelSize, y],
    width: size,
    height: size,
  };
}

interface Layer {
  file: string;
  names: readonly string[];
  dtype: Dtype;
  nodata: number;
  data: NumericArray[];
}

async function writeLayer(folder: string, layer: Layer, grid: Grid, signal?: AbortSignal): Promise<void> {
  const { file, names, dtype, nodata, data } = layer;
  const bands = names.map((name) => ({ name }));
  const common = { overviews: 'none', tileSize: 256, overwrite: true, ...(signal && { signal }) } as const;
  const writer = await createCog(join(folder, file), { grid, dtype, nodata, bands, ...common });
  await writer.write({ col: 0, row: 0, width: grid.width, height: grid.height }, data);
  await writer.finish();
}

function assetOf({ file, names }: Layer, { width, height, affine }: Grid): object {
  return {
    href: `./${file}`,
    type: MEDIA_TYPE,
    roles: ['data'],
    'proj:shape': [height, width],
    'proj:transform': affine,
    'eo:bands': names.map((name) => ({ name })),
  };
}

/**
 * Writes a simulated Landsat 5 archive into a folder: years of acquisitions of the first chips of tile 3, 9 in the units, bits and band
 * names of Collection 1 ARD, as COGs, with items.json (STAC). Farmland, woods, water and a town with seasons, clouds and shadows; after
 * six tenths of the time a part of the wood is cleared. Equal options give equal pixels everywhere.
 * @returns the path of items.json
 */
export async function simulateArchive(folder: string, options: ArchiveOptions = {}): Promise<string> {
  const { signal, onProgress } = options;
  const series = planSeries(options);
  const grid = archiveGrid(series.size);
  const { geometry, bbox } = await frameOfGrid(grid);
  await mkdir(folder, { recursive: true });
  const features: object[] = [];
  for (const date of series.dates) {
    signal?.throwIfAborted();
    const { bands, qa } = renderDate(series, date);
    const datetime = new Date(date.timeMs).toISOString();
    const id = `LT05_CU_003009_${datetime.slice(0, 10).replaceAll('-', '')}_SIMULATED_C01_V01`;
    const layers: Layer[] = [
      { file: `${id}_SR.tif`, names: BANDS, dtype: 'i16', nodata: -9999, data: bands },
      { file: `${id}_PIXELQA.tif`, names: ['PIXELQA'], dtype: 'u16', nodata: 1, data: [qa] },
    ];
    await Promise.all(layers.map((layer) => writeLayer(folder, layer, grid, signal)));
    features.push({
      type: 'Feature',
      stac_version: '1.0.0',
      stac_extensions: EXTENSIONS,
      id,
      geometry,
      ...(bbox && { bbox }),
      properties: { datetime, platform: 'landsat-5', instruments: ['tm'], gsd: 30, 'proj:code': null },
      links: [],
      assets: Object.fromEntries(layers.map((layer, i) => [i === 0 ? 'sr' : 'pixel_qa', assetOf(layer, grid)])),
    });
    onProgress?.(features.length, series.dates.length);
  }
  const items = join(folder, 'items.json');
  const text = JSON.stringify({ type: 'FeatureCollection', features });
  await fileStore().write(items, new TextEncoder().encode(`${text}\n`));
  return items;
}
