// A finished tile as a STAC item.

import { withoutSecrets } from '../../errors.js';
import { projMembers } from '../../geo/crs.js';
import { gridBounds } from '../../geo/grid.js';
import { groundFrame } from '../../geo/ground-frame.js';
import { type Frame, frameOfGrid } from '../../geo/outline.js';
import { tileOutlines } from '../../geo/tile-outline.js';
import { schemeOf } from '../../io/href.js';
import { DTYPE_NAMES } from '../../io/raster.js';
import { derivedFrom, fileMembers, type ResultAsset, rasterItem } from '../../io/result-item.js';
import { version } from '../../version.js';
import { outputFolder } from '../output-folder.js';
import { publicConfig, publicHref } from './public-config.js';
import { sourceUuids } from './tile-name.js';
import { pixelMetres, stacProperties, tileLabel, tileProperties } from './tile-properties.js';
import type { TileFile, TileResult } from './tile-result.js';

/** Names of the documents beside an item; those of eodatasets3 are null where none are written. */
export interface TileSiblings {
  /** It holds the item's own hash, so the item cannot hold its. */
  sha1: string;
  dataset: string | null;
  record: { name: string; bytes: number; sha256: string } | null;
}

/** Whether others can follow the address of a folder. */
export const isRemote = (folder: string) => ['s3', 'http', 'https'].includes(schemeOf(folder) ?? '');

/** Where the valid data is; the whole tile where there is none. */
async function tileFrame({ footprint, grid, task }: TileResult): Promise<Frame> {
  for (const frame of [await groundFrame(footprint, grid.crs), await frameOfGrid(grid)])
    if (frame.geometry) return frame;
  // Parts of the tile are off the Earth.
  const outlines = await tileOutlines(task.gridSpec);
  return { geometry: outlines.outlineOf(task.tile), bbox: outlines.boundsOf(task.tile) };
}

const RGBA = ['red', 'green', 'blue', 'alpha'];

function rasterAsset(
  { grid }: TileResult,
  { key, kind, name, mediaType, bytes, sha256, raster }: TileFile,
): ResultAsset {
  const { dtype, nodata, statistics, scale = 1, offset = 0 } = raster!;
  const { west, south, east, north } = gridBounds(grid);
  const metres = pixelMetres(grid);
  const isPicture = kind === 'rgba';
  return {
    key,
    href: `./${name}`,
    dtype: DTYPE_NAMES[dtype],
    nodata,
    bytes,
    sha256,
    type: mediaType,
    ...(isPicture && { title: 'Colour image', roles: ['visual', 'overview'] }),
    bands: statistics.map((own, i) => {
      const band = isPicture ? (RGBA[i] ?? `band ${i + 1}`) : statistics.length === 1 ? key : `${key}_${i + 1}`;
      return { name: band, statistics: own, scale, offset };
    }),
    members: {
      'raster:sampling': 'area',
      ...(metres !== null && { 'raster:spatial_resolution': metres }),
      ...projMembers(grid.crs),
      'proj:shape': [grid.height, grid.width],
      'proj:transform': grid.affine,
      'proj:bbox': [west, south, east, north],
    },
  };
}

function otherAssets(result: TileResult, { sha1, record }: TileSiblings): Record<string, object> {
  const pictures = result.files.filter(({ raster }) => raster === null);
  return Object.fromEntries([
    ...pictures.map((file) => [
      file.key,
      {
        href: `./${file.name}`,
        title: 'Thumbnail image',
        type: file.mediaType,
        roles: ['thumbnail'],
        ...fileMembers(file),
      },
    ]),
    ['checksum:sha1', { href: `./${sha1}`, type: 'text/plain', roles: ['metadata'] }],
    ...(record
      ? [
          [
            'metadata:processor',
            { href: `./${record.name}`, type: 'text/yaml', roles: ['metadata'], ...fileMembers(record) },
          ],
        ]
      : []),
  ]);
}

/** Inputs that have an address which others may see. */
function inputLinks({ task, folder }: TileResult): object[] {
  const place = outputFolder(folder);
  const links = derivedFrom(
    task.scenes.map(({ id, href }) => {
      const link = href === null ? null : place.linkTo(href);
      return { id, href: link && publicHref(link) };
    }),
  );
  // Inputs that caches know are datasets of Open Data Cube rather than items.
  return links.map((link) => (/\.ya?ml$/i.test(link.href) ? { ...link, type: 'text/yaml' } : link));
}

function linksOf(result: TileResult, { name, dataset }: { name: string; dataset: string | null }): object[] {
  const { folder, product, uuid } = result;
  const { explorerPath: explorer } = product;
  return [
    ...(isRemote(folder)
      ? [{ rel: 'self', href: `${folder.replace(/\/$/, '')}/${name}`, type: 'application/geo+json' }]
      : []),
    // Below the product's location a tile lies in three folders.
    { rel: 'collection', href: '../../../collection.json', type: 'application/json', title: product.name },
    ...(dataset === null
      ? []
      : [{ rel: 'odc_yaml', href: `./${dataset}`, type: 'text/yaml', title: 'ODC Dataset YAML' }]),
    ...(explorer === null
      ? []
      : [
          {
            rel: 'product_overview',
            href: `${explorer}product/${product.name}`,
            type: 'text/html',
            title: 'ODC Product Overview',
          },
          { rel: 'alternative', href: `${explorer}dataset/${uuid}`, type: 'text/html', title: 'ODC Dataset Overview' },
        ]),
    ...inputLinks(result),
  ];
}

/** How the tile was made, for people. */
function lineageText({ plugin, task, dropped }: TileResult): string {
  const products = [...new Set(task.scenes.map(({ product }) => product))].sort();
  const used = `${plugin} over ${task.scenes.length} scenes of ${products.join(', ')} in ${task.period.label}`;
  return dropped.length === 0 ? used : `${used}; ${dropped.length} more were not used`;
}

/**
 * A tile's item. Its assets and its collection have relative addresses, which hold wherever the folders are copied to.
 * @throws UnsupportedError for a CRS without a definition here
 */
export async function tileItem(result: TileResult, name: string, siblings: TileSiblings): Promise<object> {
  const { uuid, grid, product, task, files, plugin, config, dropped } = result;
  return rasterItem({
    id: uuid,
    collection: product.name,
    grid,
    frame: await tileFrame(result),
    times: { title: tileLabel(result) },
    properties: {
      ...stacProperties(tileProperties(result)),
      'odc:lineage': { [product.classifier]: sourceUuids(task.scenes) },
      ...(dropped.length > 0 && {
        'stackwise:dropped': dropped.map(({ reason, ...scene }) => ({ ...scene, reason: withoutSecrets(reason) })),
      }),
    },
    version,
    lineage: lineageText(result),
    expression: { plugin, ...publicConfig(config) },
    links: linksOf(result, { name, dataset: siblings.dataset }),
    assets: files.filter(({ raster }) => raster !== null).map((file) => rasterAsset(result, file)),
    otherAssets: otherAssets(result, siblings),
  });
}
