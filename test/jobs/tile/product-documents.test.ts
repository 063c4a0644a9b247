import { describe, expect, it } from 'vitest';
import { parseGridSpec, tileGrid } from '../../../build/geo/gridspec.js';
import {
  type ProductFacts,
  productCollection,
  productDefinition,
  productDocuments,
} from '../../../build/jobs/tile/product-documents.js';
import { tileDocuments } from '../../../build/jobs/tile/tile-documents.js';
import { parseYaml } from '../../../build/jobs/yaml.js';
import { hasSchemas, schemaErrors } from '../../fixture/stac-schemas.js';
import { productFacts, tileResult } from '../../fixture/tile-result.js';

/** Documents as their readers see them. */
type Read = ReturnType<typeof JSON.parse>;

const collectionOf = async (more?: Partial<ProductFacts>): Promise<Read> =>
  JSON.parse(JSON.stringify(await productCollection(productFacts(more))));
const definitionOf = async (more?: Partial<ProductFacts>) =>
  (await parseYaml(await productDefinition(productFacts(more)), 'product')) as Read;

describe('the collection of a product', () => {
  it.skipIf(!hasSchemas)('holds against the schema of STAC 1.1 (skipped without its files)', async () => {
    expect(schemaErrors(await collectionOf(), 'collection')).toEqual([]);
    expect(schemaErrors(await collectionOf({ rgba: false, thumbnail: null, location: 'out' }), 'collection')).toEqual(
      [],
    );
  });

  it('is around all its tiles and periods', async () => {
    const { extent } = await collectionOf();
    const [[west, south, east, north]] = extent.spatial.bbox;
    // The published item of tile 30, 14, and its neighbour to the north-east.
    expect(west).toBeCloseTo(134.1476755, 6);
    expect(south).toBeCloseTo(-37.7453325, 6);
    expect([east > 136, north > -36]).toEqual([true, true]);
    expect(extent.temporal.interval).toEqual([['1999-01-01T00:00:00Z', '2000-12-31T23:59:59.999999Z']]);
  });

  it('goes over the antimeridian where its tiles do', async () => {
    const gridSpec = parseGridSpec('pacific_30');
    const tiles = [
      { x: 64, y: 22 },
      { x: 66, y: 22 },
      { x: 68, y: 22 },
    ];
    const { extent } = await collectionOf({ gridSpec, grid: tileGrid(gridSpec, tiles[0]!), tiles });
    const [[west, , east]] = extent.spatial.bbox;
    // Mercator around 150° E: metres along the equator.
    const degrees = (metres: number) => 150 + metres / ((6_378_137 * Math.PI) / 180);
    expect(west).toBeCloseTo(degrees(-3_000_000 + 64 * 96_000), 6);
    expect(east).toBeCloseTo(degrees(-3_000_000 + 69 * 96_000) - 360, 6);
  });

  it('has the assets that its items have', async () => {
    const collection = await collectionOf();
    const { files } = await tileDocuments(tileResult());
    const item = JSON.parse(new TextDecoder().decode(files.at(-1)!.bytes)) as Read;
    for (const [key, asset] of Object.entries<Read>(collection.item_assets)) {
      const { title, ...facts } = asset;
      const { bands, ...own } = item.assets[key];
      const { bands: names, ...wanted } = facts;
      expect(own, key).toMatchObject(wanted);
      expect(bands?.map(({ name }: Read) => ({ name })).slice(0, names?.length ?? 0) ?? [], key).toEqual(names ?? []);
      expect(title).toBeTypeOf('string');
    }
    expect(item.collection).toBe(collection.id);
    for (const [name, [value]] of Object.entries<Read>(collection.summaries))
      expect(item.properties[name], name).toBe(value);
  });

  it('says where it is when others can follow', async () => {
    const rels = async (location: string) => (await collectionOf({ location })).links.map(({ rel }: Read) => rel);
    expect(await rels('out')).toEqual(['root', 'product_overview']);
    expect((await collectionOf()).links[0].href).toBe('s3://bucket/ga_ls5t_nbart_gm_cyear_3/3-0-0/collection.json');
    expect((await collectionOf({ license: undefined })).license).toBe('other');
  });
});

describe('the product of Open Data Cube', () => {
  it('lists what tiles measure', async () => {
    const product = await definitionOf({
      bands: [
        { name: 'nbart_red', dtype: 'i16', nodata: -999, aliases: ['red'] },
        { name: 'sdev', dtype: 'f32', nodata: Number.NaN },
        { name: 'count', dtype: 'u16', nodata: null, units: 'observations' },
      ],
    });
    expect(product).toEqual({
      name: 'ga_ls5t_nbart_gm_cyear_3',
      description: 'geomedian of 2 periods in tiles: ga_ls5t_nbart_gm_cyear_3 3.0.0',
      license: 'CC-BY-4.0',
      metadata_type: 'eo3',
      metadata: { product: { name: 'ga_ls5t_nbart_gm_cyear_3' } },
      load: { crs: 'EPSG:3577', resolution: { y: -30, x: 30 }, align: { y: 0, x: 0 } },
      measurements: [
        { name: 'nbart_red', dtype: 'int16', nodata: -999, units: '1', aliases: ['red'] },
        { name: 'sdev', dtype: 'float32', nodata: Number.NaN, units: '1' },
        { name: 'count', dtype: 'uint16', nodata: 0, units: 'observations' },
      ],
    });
  });

  it('names axes of degrees, and where pixels begin', async () => {
    const gridSpec = parseGridSpec('{"crs":"EPSG:4326","resolution":0.25,"shape":40,"origin":[-10.125,20]}');
    const grid = tileGrid(gridSpec, { x: 0, y: 0 });
    const { load } = await definitionOf({ gridSpec, grid, tiles: [{ x: 0, y: 0 }] });
    expect(load).toEqual({
      crs: 'EPSG:4326',
      resolution: { latitude: -0.25, longitude: 0.25 },
      align: { latitude: 0.125, longitude: 0 },
    });
  });

  it('is written before the collection', async () => {
    const { files } = await productDocuments(productFacts());
    expect(files.map(({ name }) => name)).toEqual(['ga_ls5t_nbart_gm_cyear_3.odc-product.yaml', 'collection.json']);
  });
});
