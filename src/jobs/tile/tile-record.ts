// How a tile was made, for whoever wants to make it again.

import { withoutSecrets } from '../../errors.js';
import { version } from '../../version.js';
import { taskLocation } from '../task/task.js';
import { writeYaml } from '../yaml.js';
import { publicConfig } from './public-config.js';
import { isRemote } from './tile-item.js';
import { productHref } from './tile-properties.js';
import type { TileResult } from './tile-result.js';

/** A package URL: where software of this name is found. */
const SOFTWARE = 'pkg:npm/stackwise';

/** The product under the keys of odc-stats; its location where others can follow it. */
function productConfig({ product, regionCode, folder, task, files }: TileResult): Record<string, unknown> {
  const below = `/${taskLocation(regionCode, task.period.label)}`;
  const trimmed = folder.replace(/\/$/, '');
  return {
    name: product.name,
    version: product.version,
    short_name: product.shortName,
    location: isRemote(folder) && trimmed.endsWith(below) ? trimmed.slice(0, -below.length) : null,
    properties: {
      'odc:file_format': 'GeoTIFF',
      'odc:product_family': product.family,
      'odc:producer': product.producer,
      ...product.properties,
    },
    measurements: files.filter(({ kind }) => kind === 'band').map(({ key }) => key),
    href: productHref(product),
    region_code_format: product.regionCodeFormat,
    cfg: null,
    naming_conventions_values: product.namingConventions,
    explorer_path: product.explorerPath,
    inherit_skip_properties: product.inheritSkip,
    preview_image_ows_style: product.preview,
    classifier: product.classifier,
    maturity: product.maturity,
    collection_number: product.collectionNumber,
    nodata: product.nodata,
  };
}

/** A tile's `.proc-info.yaml`: sections as odc-stats has them, then what is ours. What looks secret is left out. */
export function tileRecord(result: TileResult): Promise<string> {
  const { task, plugin, config, dropped, product } = result;
  return writeYaml({
    'input-products': [...new Set(task.scenes.map((scene) => scene.product))].sort(),
    'odc-stats-config': publicConfig(productConfig(result)),
    'stackwise-config': { plugin, ...publicConfig(config) },
    'dropped-inputs': dropped.map(({ reason, ...scene }) => ({ ...scene, reason: withoutSecrets(reason) })),
    software_versions: [
      { name: 'stackwise', url: SOFTWARE, version },
      { name: plugin, url: SOFTWARE, version: product.version },
    ],
  });
}
