// Landsat Analysis Ready Data as they are downloaded: tiles of a grid of the United States, a file a band.
import { fileName } from './href.js';
import { bandMember } from './landsat-product.js';
import type { Json } from './stac-item.js';

/** `LC08_CU_003009_20140701_20181206_C01_V01_SRB2.tif`, `LC08_CU_003009_20140701_20210501_02_SR_B2.TIF` */
const NAME =
  /^((L[COTEM]0\d_(?:CU|AK|HI)_\d{6}_(\d{4})(\d{2})(\d{2}))_(\d{8})_(?:C01_V\d{2}|02(?:_V\d{2})?))_([A-Z]\w+)\.tiff?$/i;

interface ArdFile {
  url: string;
  id: string;
  /** The same for all processings of an acquisition. */
  acquisition: string;
  /** Midnight of the day of acquisition, ms UTC. */
  dayMs: number;
  processed: string;
  band: string;
}

function ardFile(url: string): ArdFile | null {
  const found = NAME.exec(fileName(url));
  if (!found) return null;
  const [, id, acquisition, year, month, day, processed, band] = found as unknown as string[];
  const dayMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const names = { id: id!, acquisition: acquisition!, processed: processed!, band: band!.toUpperCase() };
  // A day that is none (20141399) would be another one.
  const isDay = new Date(dayMs).toISOString().slice(0, 10) === `${year}-${month}-${day}`;
  return isDay ? { url, dayMs, ...names } : null;
}

/** What is known of a band of Collection 1 by its name: SRB2, BTB10, PIXELQA; of others only the name. */
function firstCollectionBand(name: string): Json {
  if (/^(SR|TA)B\d$/.test(name)) return { name, data_type: 'int16', nodata: -9999, 'raster:scale': 1e-4 };
  if (/^BTB\d+$/.test(name)) return { name, data_type: 'int16', nodata: -9999, 'raster:scale': 0.1 };
  return name === 'PIXELQA' ? { name, data_type: 'uint16', nodata: 1 } : { name };
}

function itemOf(files: readonly ArdFile[]): Json {
  const [{ id, dayMs }] = files as [ArdFile];
  const isSecond = !/_C01_V\d+$/i.test(id);
  const member = (band: string) => (isSecond ? bandMember(band, id) : null) ?? firstCollectionBand(band);
  const assets = files.map(({ band, url }) => {
    return [band, { href: url, type: 'image/tiff; application=geotiff', roles: ['data'], bands: [member(band)] }];
  });
  return {
    type: 'Feature',
    stac_version: '1.1.0',
    id,
    collection: `landsat-c${isSecond ? 2 : 1}-ard`,
    geometry: null,
    properties: { datetime: new Date(dayMs).toISOString(), platform: `landsat-${Number(id.slice(2, 4))}` },
    links: [],
    assets: Object.fromEntries(assets),
  };
}

/**
 * Items of those files that are called as USGS calls bands of Landsat ARD, Collection 1 or 2, wherever they lie: the bands of a scene may be
 * in several folders, as its archives are unpacked. Of several processings of an acquisition the latest counts; of two files of one
 * name the first.
 */
export function ardItems(urls: readonly string[]): { items: Json[]; others: string[] } {
  const scenes = new Map<string, ArdFile[]>();
  const others: string[] = [];
  for (const url of urls) {
    const file = ardFile(url);
    if (!file) {
      others.push(url);
      continue;
    }
    const known = scenes.get(file.acquisition);
    const [first] = known ?? [];
    // Collection 2 is never older than Collection 1.
    const age = first ? rank(file).localeCompare(rank(first)) : 1;
    if (!known || age > 0) scenes.set(file.acquisition, [file]);
    else if (age === 0 && !known.some(({ band }) => band === file.band)) known.push(file);
  }
  return { items: [...scenes.values()].map(itemOf), others };
}

const rank = ({ id, processed }: ArdFile) => `${processed} ${id}`;
