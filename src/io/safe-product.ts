import { FormatError } from '../errors.js';
import { parseTileId } from '../geo/mgrs.js';
import { parseDatetime } from '../geo/time.js';
import { fileName } from './href.js';
import { SENTINEL2_BANDS, SENTINEL2_EXTRAS, type Sentinel2Level, sentinel2Item } from './sentinel2-product.js';
import type { Json } from './stac-item.js';
import type { Store } from './store.js';
import { elementsOf, parseXml, textOfElement, type XmlElement } from './xml.js';

interface Reader {
  store: Store;
  signal?: AbortSignal;
}

/** Of today, and of before December 2016. */
const METADATA = /^(?:MTD_MSI|S2[AB]_(?:OPER|USER)_MTD_SAF)L(1C|2A)(?:_.*)?\.xml$/;

/** The metadata file of a product in ESA's format among the names of its folder, or null. */
export function safeMetadataOf(names: readonly string[]): string | null {
  return names.find((name) => METADATA.test(name)) ?? null;
}

const MAX_BYTES = 17 * 2 ** 20;

async function readXml(url: string, { store, signal }: Reader): Promise<XmlElement> {
  return parseXml(await store.read(url, { offset: 0, length: MAX_BYTES }, { ...(signal && { signal }) }), url);
}

const list = (url: string, { store, signal }: Reader) => store.list(url, { ...(signal && { signal }) });

/** The image files of a granule: in IMG_DATA, or for L2A a folder a resolution; the finest of each band. */
async function imagesOf(
  granule: string,
  reader: Reader,
): Promise<{ key: string; href: string; resolutionM: number }[]> {
  const root = `${granule}IMG_DATA/`;
  const top = await list(root, reader);
  const folders = top.filter((name) => /^R[126]0m\/$/.test(name));
  const files = top.map((name) => root + name);
  for (const folder of folders) files.push(...(await list(root + folder, reader)).map((name) => root + folder + name));
  const finest = new Map<string, { key: string; href: string; resolutionM: number }>();
  for (const href of files) {
    const found = /_([A-Z]{3}|B\d[\dA])(?:_(10|20|60)m)?\.(?:jp2|tiff?)$/i.exec(href);
    const facts = [...SENTINEL2_BANDS, ...SENTINEL2_EXTRAS].find(({ name }) => name === found?.[1]);
    if (!facts) continue;
    const resolutionM = Number(found![2] ?? facts.resolutionM);
    const other = finest.get(facts.name);
    if (!other || resolutionM < other.resolutionM) finest.set(facts.name, { key: facts.name, href, resolutionM });
  }
  return [...finest.values()];
}

function offsetsOf(product: XmlElement): Record<string, number> {
  const offsets: Record<string, number> = {};
  for (const name of ['RADIO_ADD_OFFSET', 'BOA_ADD_OFFSET'])
    for (const { attributes, text } of elementsOf(product, name)) {
      const band = SENTINEL2_BANDS[Number(attributes.band_id ?? -1)];
      if (band && Number.isFinite(Number(text))) offsets[band.name] = Number(text);
    }
  return offsets;
}

function wanted(root: XmlElement, name: string, url: string): string {
  const text = textOfElement(root, name);
  if (text === null) throw new FormatError(`${url} has no ${name}`, { url });
  return text;
}

/** The tile's corner in m, from the position that its finest images have. */
function frameOf(tile: XmlElement): { epsg: number; left: number; top: number } | null {
  const epsg = /^EPSG:(\d{5})$/i.exec(textOfElement(tile, 'HORIZONTAL_CS_CODE') ?? '')?.[1];
  const position = elementsOf(tile, 'Geoposition')[0];
  const [left, top] = ['ULX', 'ULY'].map((name) => Number((position && textOfElement(position, name)) ?? Number.NaN));
  return epsg && Number.isFinite(left) && Number.isFinite(top) ? { epsg: Number(epsg), left: left!, top: top! } : null;
}

/** One granule of a product: products of today have one; before December 2016 they had several. */
async function granuleItem(
  granule: string,
  product: XmlElement,
  { url, reader }: { url: string; reader: Reader },
): Promise<Json> {
  const names = await list(granule, reader);
  const name = names.find((file) => file === 'MTD_TL.xml') ?? names.find((file) => /\.xml$/i.test(file));
  if (!name) throw new FormatError(`${granule} has no MTD_TL.xml`, { url: granule });
  const tile = await readXml(granule + name, reader);
  const level: Sentinel2Level = METADATA.exec(fileName(url))?.[1] === '1C' ? 'L1C' : 'L2A';
  const tileName = wanted(tile, 'TILE_ID', granule + name);
  const id = parseTileId(/_T(\d{2}[A-Z]{3})(?:_|$)/.exec(tileName)?.[1] ?? '');
  const productName = textOfElement(product, 'PRODUCT_URI');
  const isOnly = productName?.includes(`_T${/_T(\d{2}[A-Z]{3})/.exec(tileName)![1]}_`);
  const cloud = Number(
    textOfElement(tile, 'CLOUDY_PIXEL_PERCENTAGE') ?? textOfElement(product, 'Cloud_Coverage_Assessment') ?? -1,
  );
  const quantification = Number(
    textOfElement(product, 'BOA_QUANTIFICATION_VALUE') ?? textOfElement(product, 'QUANTIFICATION_VALUE') ?? 10_000,
  );
  return sentinel2Item({
    id: isOnly ? productName!.replace(/\.SAFE$/, '') : tileName,
    level,
    tile: id,
    timeMs: parseDatetime(wanted(tile, 'SENSING_TIME', granule + name)),
    platform: textOfElement(product, 'SPACECRAFT_NAME')?.toLowerCase() ?? null,
    baseline: textOfElement(product, 'PROCESSING_BASELINE'),
    productName,
    datastrip: textOfElement(tile, 'DATASTRIP_ID'),
    cloudCoverPercent: cloud >= 0 ? cloud : null,
    sequence: null,
    frame: frameOf(tile),
    assets: await imagesOf(granule, reader),
    offsets: offsetsOf(product),
    quantification: quantification > 0 ? quantification : 10_000,
  });
}

/**
 * Items of a product folder of ESA (`….SAFE`, level 1C or 2A), one a granule: what `MTD_MSIL*.xml` and `MTD_TL.xml` say, and the
 * images that are there, the finest of each band.
 */
export async function safeItems(folder: string, metadata: string, reader: Reader): Promise<Json[]> {
  const url = folder + metadata;
  const product = await readXml(url, reader);
  const granules = (await list(`${folder}GRANULE/`, reader)).filter((name) => name.endsWith('/'));
  const items: Json[] = [];
  for (const granule of granules)
    items.push(await granuleItem(`${folder}GRANULE/${granule}`, product, { url, reader }));
  return items;
}
