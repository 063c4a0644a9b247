import type { Affine } from '../geo/affine.js';
import type { Crs } from '../geo/crs.js';
import { openByteSource } from './byte-source.js';
import { readGmlGrid } from './gml-grid.js';
import type { Jp2Boxes } from './jp2-boxes.js';
import { memoryStore } from './memory.js';
import { readDirectory, readTiffOrder, tagReader } from './tiff-directory.js';
import { crsOfKeys, readAffine, readGeoKeys } from './tiff-geo.js';

/** What a picture says of its place on the ground. */
export interface Place {
  crs: Crs;
  /** px to ground */
  affine: Affine;
}

/** From the GeoTIFF of one pixel that GeoJP2 puts into a box. */
async function placeOfGeoTiff(url: string, bytes: Uint8Array): Promise<Place | null> {
  const source = await openByteSource(url, memoryStore(new Map([[url, bytes]])));
  const order = await readTiffOrder(source);
  const tags = tagReader(source, order, await readDirectory(source, order, order.first));
  const geoKeys = await readGeoKeys(tags);
  const affine = await readAffine(tags, geoKeys);
  return affine && { crs: crsOfKeys(geoKeys), affine };
}

/** The place by GeoJP2, else by GML, else null: the order in which GDAL looks. */
export async function readPlace(url: string, { geoTiff, gml }: Jp2Boxes): Promise<Place | null> {
  const place = geoTiff && (await placeOfGeoTiff(`${url} (GeoJP2)`, geoTiff));
  return place ?? (gml === null ? null : readGmlGrid(gml));
}
