import { projMembers } from '../geo/crs.js';
import { DTYPE_NAMES } from './raster.js';
import type { Scene, SceneBand } from './scene.js';
import type { Json } from './stac-item.js';

function nodataMember(nodata: number | null | undefined): Json {
  if (nodata === undefined || nodata === null) return {};
  if (Number.isNaN(nodata)) return { nodata: 'nan' };
  return { nodata: Number.isFinite(nodata) ? nodata : nodata > 0 ? 'inf' : '-inf' };
}

function bandMember({ name, commonName, dtype, nodata, scale, offset }: SceneBand, key: string): Json {
  return {
    name: name ?? key,
    ...(commonName && { 'eo:common_name': commonName }),
    ...(dtype && { data_type: DTYPE_NAMES[dtype] }),
    ...nodataMember(nodata),
    ...(scale !== null && { 'raster:scale': scale }),
    ...(offset !== null && { 'raster:offset': offset }),
  };
}

/** Bands of one file, by their place in it; places between them that the scene does not name are empty. */
function assetMember(bands: readonly [string, SceneBand][]): Json {
  const [[key, first]] = bands as [[string, SceneBand]];
  const list: Json[] = [];
  for (const [name, band] of bands) list[band.bandIndex] = bandMember(band, name);
  const { grid } = first;
  return {
    href: first.href,
    type: /\.jp2$/i.test(first.href) ? 'image/jp2' : 'image/tiff; application=geotiff',
    title: key,
    roles: ['data'],
    ...(grid && { 'proj:shape': [grid.height, grid.width], 'proj:transform': grid.affine, ...projMembers(grid.crs) }),
    bands: Array.from(list, (band) => band ?? {}),
  };
}

/** A scene as the STAC item that reads back to it. */
export function itemOfScene(scene: Scene): Json {
  const { id, collection, timeMs, cloudCoverPercent, bbox, geometry, crs, platform, radiometry, href } = scene;
  const files = new Map<string, [string, SceneBand][]>();
  for (const [key, band] of Object.entries(scene.bands))
    files.set(band.href, [...(files.get(band.href) ?? []), [key, band]]);
  return {
    type: 'Feature',
    stac_version: '1.1.0',
    id,
    ...(collection && { collection }),
    geometry,
    ...(bbox && { bbox }),
    properties: {
      datetime: new Date(timeMs).toISOString(),
      ...(platform && { platform }),
      ...(cloudCoverPercent !== null && { 'eo:cloud_cover': cloudCoverPercent }),
      ...(crs && projMembers(crs)),
      ...(radiometry && { 's2:processing_baseline': radiometry.baseline }),
      ...(radiometry &&
        radiometry.offsetApplied !== null && { 'earthsearch:boa_offset_applied': radiometry.offsetApplied }),
    },
    links: href === null ? [] : [{ rel: 'self', href, type: 'application/geo+json' }],
    assets: Object.fromEntries([...files.values()].map((bands) => [bands[0]![0], assetMember(bands)])),
  };
}
