import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../build/errors.js';
import { resolveHref } from '../../../build/io/href.js';
import type { Json } from '../../../build/io/stac-item.js';
import { sceneOfItem } from '../../../build/io/stac-item.js';
import { productOf } from '../../../build/jobs/tile/product.js';
import { type TileDocument, type TileDocumentOptions, tileDocuments } from '../../../build/jobs/tile/tile-documents.js';
import type { TileResult } from '../../../build/jobs/tile/tile-result.js';
import { parseYaml } from '../../../build/jobs/yaml.js';
import { hasSchemas, schemaErrors } from '../../fixture/stac-schemas.js';
import { PUBLISHED_PRODUCT, tileBytes, tileResult, tileScene, tileTask } from '../../fixture/tile-result.js';

const published = join(process.env.STACKWISE_DATA ?? '../shared/data', 'stac/odc');
const GEOMEDIAN = join(published, 'ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.stac-item.json');
const ARD = join(published, 'ga_ls8c_ard_3-1-0_088080_2020-05-25_final.odc-metadata.yaml');

const textOf = ({ bytes }: TileDocument) => new TextDecoder().decode(bytes);
const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Documents as their readers see them. */
type Read = ReturnType<typeof JSON.parse>;

async function documentsOf(result: TileResult, options?: TileDocumentOptions) {
  const { files } = await tileDocuments(result, options);
  const byEnd = (end: string) => files.find(({ name }) => name.endsWith(end));
  const yaml = async (end: string): Promise<Read> => {
    const found = byEnd(end);
    return found && (await parseYaml(textOf(found), end));
  };
  return {
    files,
    item: JSON.parse(textOf(byEnd('.json')!)) as Read,
    dataset: await yaml('.odc-metadata.yaml'),
    record: await yaml('.proc-info.yaml'),
    sums: textOf(byEnd('.sha1')!),
  };
}

const endings = (files: readonly TileDocument[], { title }: TileResult) =>
  files.map(({ name }) => name.slice(title.length));

describe('documents of a tile', () => {
  it('come in the order they are written, the item last', async () => {
    const result = tileResult();
    const { files } = await tileDocuments(result);
    expect(endings(files, result)).toEqual(['.sha1', '.proc-info.yaml', '.odc-metadata.yaml', '.stac-item.json']);
    expect(files.every(({ name }) => name.startsWith(result.title))).toBe(true);
  });

  it('agree with each other', async () => {
    const result = tileResult();
    const { files, item, dataset, record, sums } = await documentsOf(result);
    expect(dataset.id).toBe(item.id);
    expect(dataset.id).toBe(result.uuid);
    expect(dataset.lineage).toEqual(item.properties['odc:lineage']);
    expect(dataset.lineage).toEqual({ ard: result.task.scenes.map(({ uuid }) => uuid) });
    expect(dataset.label).toBe(item.properties.title);
    expect(dataset.product.name).toBe(item.collection);
    expect(record['odc-stats-config'].name).toBe(item.collection);
    expect(dataset.crs.toUpperCase()).toBe(item.properties['proj:code']);
    expect(dataset.grids.default.shape).toEqual(item.properties['proj:shape']);
    expect(dataset.grids.default.transform.slice(0, 6)).toEqual(item.properties['proj:transform']);
    expect(record['odc-stats-config'].measurements.toSorted()).toEqual(Object.keys(dataset.measurements));

    // Each file under one name, and all of them with their hashes.
    const named = new Map<string, Uint8Array>([
      ...result.files.map(({ name }) => [name, tileBytes(name)] as const),
      ...files.filter(({ name }) => !name.endsWith('.sha1')).map(({ name, bytes }) => [name, bytes] as const),
    ]);
    const lines = sums.trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[1]).toSorted()).toEqual([...named.keys()].toSorted());
    for (const line of lines) {
      const [hash, name] = line.split('  ');
      expect(sha1(named.get(name!)!), name).toBe(hash);
    }
    const all = new Set([...named.keys(), ...files.map(({ name }) => name)]);
    for (const [key, { href, ...asset }] of Object.entries<Read>(item.assets)) {
      const name = href.replace('./', '');
      expect(all.has(name), href).toBe(true);
      if (key === 'checksum:sha1') continue;
      expect(asset['file:checksum'], key).toBe(`1220${sha256(named.get(name)!)}`);
      expect(asset['file:size'], key).toBe(named.get(name)!.length);
    }
    const paths = Object.values<Read>({ ...dataset.measurements, ...dataset.accessories }).map(({ path }) => path);
    const hrefs = Object.values<Read>(item.assets).map(({ href }) => href.replace('./', ''));
    expect(paths.toSorted()).toEqual(hrefs.toSorted());
    expect(item.links.find(({ rel }: Read) => rel === 'odc_yaml').href).toBe(`./${result.title}.odc-metadata.yaml`);
  });

  it('are equal for equal results', async () => {
    const [one, other] = [await tileDocuments(tileResult()), await tileDocuments(tileResult())];
    expect(one).toEqual(other);
  });

  it('are sums and item alone without those of eodatasets3', async () => {
    const result = tileResult();
    const { files, item, sums } = await documentsOf(result, { eodatasets: false });
    expect(endings(files, result)).toEqual(['.sha1', '.stac-item.json']);
    expect(sums.split('\n')[0]).toBe(`${sha1(files[1]!.bytes)}  ${files[1]!.name}`);
    expect(Object.keys(item.assets)).not.toContain('metadata:processor');
    expect(item.links.map(({ rel }: Read) => rel)).not.toContain('odc_yaml');
    if (hasSchemas) expect(schemaErrors(item)).toEqual([]);
  });

  it('list sums as odc-stats does: item, dataset, record, bands, colours, thumbnail', async () => {
    const result = tileResult();
    const { sums } = await documentsOf(result);
    const ends = sums
      .trimEnd()
      .split('\n')
      .map((line) => line.split('  ')[1]!.slice(result.title.length));
    expect(ends.slice(0, 4)).toEqual(['.stac-item.json', '.odc-metadata.yaml', '.proc-info.yaml', '_red.tif']);
    expect(ends.slice(-2)).toEqual(['_rgba.tif', '_thumbnail.jpg']);
  });
});

describe('the item of a tile', () => {
  it.skipIf(!hasSchemas)(
    'holds against the schemas of STAC 1.1 and its extensions (skipped without their files)',
    async () => {
      const { item } = await documentsOf(tileResult());
      expect(schemaErrors(item)).toEqual([]);
      const names = item.stac_extensions.map((url: string) => url.split('/')[3]);
      expect(names.toSorted()).toEqual(['file', 'processing', 'projection', 'raster']);
      const empty = await documentsOf(tileResult({ footprint: [] }));
      expect(schemaErrors(empty.item)).toEqual([]);
    },
  );

  it.skipIf(!existsSync(GEOMEDIAN))('says what a published geomedian says (skipped without it)', async () => {
    const theirs = JSON.parse(readFileSync(GEOMEDIAN, 'utf8'));
    const { item } = await documentsOf(tileResult({ processedAt: theirs.properties.created }));
    // Named by STAC since: `proj:code`.
    const { 'proj:epsg': epsg, ...properties } = theirs.properties;
    expect(item.properties).toMatchObject(properties);
    expect(item.properties['proj:code']).toBe(`EPSG:${epsg}`);
    expect(item.collection).toBe(theirs.collection);
    for (const [i, side] of theirs.bbox.entries()) expect(item.bbox[i]).toBeCloseTo(side, 2);
    for (const [key, { href, type, title, roles, ...asset }] of Object.entries<Read>(theirs.assets)) {
      const ours = item.assets[key];
      expect({ type: ours.type, title: ours.title, roles: ours.roles }, key).toEqual({ type, title, roles });
      expect(ours.href.slice(2), key).toBe(href.split('/').at(-1));
      if (!asset['proj:shape']) continue;
      expect(ours['proj:shape']).toEqual(asset['proj:shape']);
      expect([...ours['proj:transform'], 0, 0, 1]).toEqual(asset['proj:transform']);
      expect(ours.bands[0].name).toBe(asset['eo:bands'][0].name);
    }
    // What it has and we leave out: a link to the collection on their server, where ours lies beside the tiles.
    const rels = theirs.links.map(({ rel }: Read) => rel);
    expect(item.links.map(({ rel }: Read) => rel)).toEqual(expect.arrayContaining(rels));
    for (const rel of ['product_overview'])
      expect(item.links.find((link: Read) => link.rel === rel)).toEqual(
        theirs.links.find((link: Read) => link.rel === rel),
      );
  });

  it('has links that resolve wherever the folders lie', async () => {
    const { item } = await documentsOf(tileResult());
    const self = item.links.find(({ rel }: Read) => rel === 'self').href;
    expect(self).toBe(
      's3://bucket/ga_ls5t_nbart_gm_cyear_3/3-0-0/x30/y14/1999--P1Y/ga_ls5t_nbart_gm_cyear_3_x30y14_1999--P1Y_final.stac-item.json',
    );
    const at = (rel: string) => resolveHref(item.links.find((link: Read) => link.rel === rel).href, self);
    expect(at('collection')).toBe('s3://bucket/ga_ls5t_nbart_gm_cyear_3/3-0-0/collection.json');
    const local = await documentsOf(tileResult({ folder: '/data/p/x30/y14/1999--P1Y' }));
    expect(local.item.links.map(({ rel }: Read) => rel)).not.toContain('self');
    expect(local.record['odc-stats-config'].location).toBeNull();
  });

  it('names inputs that have an address, without what signs it', async () => {
    const scenes = [
      tileScene('a', {}, { href: 'https://host.org/a.json?sig=abc' }),
      tileScene('b', {}, { href: null }),
      tileScene('c', {}, { href: '/data/in/c.json' }),
      tileScene('d', {}, { href: 'https://me:hush@host.org/d.odc-metadata.yaml' }),
    ];
    const inputs = ({ item }: { item: Read }) =>
      item.links.filter(({ rel }: Read) => rel === 'derived_from').map(({ href }: Read) => href);
    expect(inputs(await documentsOf(tileResult({ task: tileTask({ scenes }) })))).toEqual([
      'https://host.org/a.json',
      'https://host.org/d.odc-metadata.yaml',
    ]);
    const folder = '/data/out/x30/y14/1999--P1Y';
    expect(inputs(await documentsOf(tileResult({ task: tileTask({ scenes }), folder })))).toEqual([
      'https://host.org/a.json',
      '../../../../in/c.json',
      'https://host.org/d.odc-metadata.yaml',
    ]);
    const { item } = await documentsOf(tileResult({ task: tileTask({ scenes }) }));
    expect(item.links.at(-1)).toMatchObject({ type: 'text/yaml', title: 'd' });
  });

  it('is read back as a scene', async () => {
    const { item } = await documentsOf(tileResult());
    const scene = sceneOfItem(item, 's3://bucket/x/item.json');
    expect(scene.bands.red).toMatchObject({ nodata: -999, dtype: 'i16', grid: tileResult().grid });
    expect(scene.bands.sdev).toMatchObject({ dtype: 'f32', nodata: Number.NaN });
    expect(scene.timeMs).toBe(Date.UTC(1999, 0, 1));
  });

  it('shows where the valid data is, else the tile, and says so', async () => {
    const result = tileResult();
    const [[[first]]] = result.footprint as [[[number[]]]];
    const [x, y] = first as [number, number];
    const corner = [
      [
        [
          [x, y],
          [x, y - 3000],
          [x + 3000, y - 3000],
          [x, y],
        ],
      ],
    ];
    const small = await documentsOf(tileResult({ footprint: corner }));
    expect(small.item.bbox[2] - small.item.bbox[0]).toBeLessThan(0.05);
    expect(small.dataset.geometry).toEqual({ type: 'Polygon', coordinates: corner[0] });
    expect(small.item.properties).not.toHaveProperty('stackwise:no_valid_data');

    const two = [
      ...corner,
      [
        [
          [x + 9000, y],
          [x + 9000, y - 3000],
          [x + 12_000, y - 3000],
          [x + 9000, y],
        ],
      ],
    ];
    const both = await documentsOf(tileResult({ footprint: two }));
    expect([both.item.geometry.type, both.dataset.geometry.type]).toEqual(['MultiPolygon', 'MultiPolygon']);

    const empty = await documentsOf(tileResult({ footprint: [] }));
    const whole = await documentsOf(result);
    expect(empty.item.properties['stackwise:no_valid_data']).toBe(true);
    expect(empty.dataset.properties['stackwise:no_valid_data']).toBe(true);
    expect(empty.dataset.geometry).toEqual(whole.dataset.geometry);
    for (const [i, side] of whole.item.bbox.entries()) expect(empty.item.bbox[i]).toBeCloseTo(side, 3);
  });

  it('is split at the antimeridian', async () => {
    // Digital Earth Pacific's grid, whose middle is 150° E: tile 66, 22 lies across 180°.
    const task = tileTask({ grid: 'pacific_30', x: 66, y: 22 });
    const { item } = await documentsOf(tileResult({ task }));
    expect(item.geometry.type).toBe('MultiPolygon');
    expect(item.bbox[0]).toBeGreaterThan(item.bbox[2]);
    if (hasSchemas) expect(schemaErrors(item)).toEqual([]);
  });

  it('says sizes in metres where the CRS counts in them, and needs a CRS that has a name', async () => {
    const grid = '{"crs":"EPSG:4326","resolution":0.25,"shape":40,"name":"degrees"}';
    const degrees = await documentsOf(
      tileResult({ task: tileTask({ grid, x: 3, y: 2, scenes: [tileScene('a', {})] }) }),
    );
    expect(degrees.item.assets.red).not.toHaveProperty('raster:spatial_resolution');
    expect(degrees.item.properties).not.toHaveProperty('gsd');
    if (hasSchemas) expect(schemaErrors(degrees.item)).toEqual([]);
    expect((await documentsOf(tileResult())).item.assets.red['raster:spatial_resolution']).toBe(30);

    const own = '{"crs":"+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84","resolution":100,"shape":50,"name":"own"}';
    const plain = await documentsOf(tileResult({ task: tileTask({ grid: own, x: 0, y: 0 }) }));
    expect(plain.dataset.crs).toMatch(/^PROJCRS\[/);
    expect(plain.dataset.crs).toBe(plain.item.properties['proj:wkt2']);
    const result = tileResult();
    const unknown = { ...result.grid, crs: { epsg: null, definition: null, geoKeys: null } };
    await expect(tileDocuments({ ...result, grid: unknown })).rejects.toThrow(UnsupportedError);
  });

  it('says how it was made, and that inputs are missing', async () => {
    const dropped = [{ id: 'z', uuid: 'u', reason: 'https://host.org/z.tif?sig=abc is not there' }];
    const config = { plugin_config: { eps: 0.1 }, aws: { secret_access_key: 'hush', region: 'x' }, sas_token: 'hush' };
    const { item, record, files } = await documentsOf(tileResult({ dropped, config }));
    expect(item.properties['processing:lineage']).toBe(
      'gm-ls over 2 scenes of ga_ls5t_ard_3 in 1999--P1Y; 1 more were not used',
    );
    expect(item.properties['processing:expression'].expression).toEqual({
      plugin: 'gm-ls',
      plugin_config: { eps: 0.1 },
      aws: { region: 'x' },
    });
    const shown = [{ id: 'z', uuid: 'u', reason: 'https://host.org/z.tif?sig=… is not there' }];
    expect(record['dropped-inputs']).toEqual(shown);
    expect(item.properties['stackwise:dropped']).toEqual(shown);
    for (const file of files) expect(textOf(file)).not.toMatch(/hush|abc/);
  });

  it('scales where numbers are scaled', async () => {
    const result = tileResult();
    const files = result.files.map((file) =>
      file.key === 'red' ? { ...file, raster: { ...file.raster!, scale: 1e-4, offset: -0.1 } } : file,
    );
    const { item } = await documentsOf(tileResult({ files }));
    expect(item.assets.red.bands[0]).toMatchObject({ name: 'red', 'raster:scale': 1e-4, 'raster:offset': -0.1 });
    expect(item.assets.green.bands[0]).not.toHaveProperty('raster:scale');
  });
});

describe('properties of a tile', () => {
  const of = async (scenes: TileResult['task']['scenes'], more: Json = {}) => {
    const product = productOf(more, { name: 'p', shortName: 'p', version: '1.0.0', family: 'geomedian' });
    const { item, dataset } = await documentsOf(tileResult({ task: tileTask({ scenes }), product }));
    return { stac: item.properties, eo3: dataset.properties };
  };

  it('are those of all inputs where they are equal, but for what is left out', async () => {
    const common = { 'eo:constellation': 'landsat', 'sat:orbit_state': 'descending', 'odc:producer': 'usgs.gov' };
    const scenes = [
      tileScene('a', { ...common, 'eo:cloud_cover': 10, 'landsat:wrs_path': 98, 'view:sun_azimuth': 33, other: 1 }),
      tileScene('b', { ...common, 'eo:cloud_cover': 10, 'landsat:wrs_path': 99, 'eo:sun_azimuth': 33, other: 1 }),
    ];
    const { stac, eo3 } = await of(scenes, { inherit_skip_properties: ['eo:cloud_cover'] });
    expect(stac).toMatchObject({ constellation: 'landsat', 'sat:orbit_state': 'descending', 'view:sun_azimuth': 33 });
    expect(eo3).toMatchObject({ 'eo:constellation': 'landsat', 'eo:sun_azimuth': 33, 'odc:producer': 'ga.gov.au' });
    for (const name of [
      'eo:cloud_cover',
      'landsat:wrs_path',
      'other',
      'eo:platform',
      'dea:dataset_maturity',
      'odc:collection_number',
    ])
      expect(eo3).not.toHaveProperty(name);
  });

  it('name platforms and instruments of all inputs, whoever wrote their items', async () => {
    const scenes = [
      tileScene('a', { platform: 'LANDSAT_9', instruments: ['oli', 'tirs'], gsd: 30 }),
      tileScene('b', { 'eo:platform': 'landsat-8', 'eo:instrument': 'OLI_TIRS', 'eo:gsd': 30 }),
      tileScene('c', { instruments: ['etm+'] }, { platform: 'landsat-7' }),
    ];
    const { stac, eo3 } = await of(scenes);
    expect(eo3).toMatchObject({ 'eo:platform': 'landsat-7,landsat-8,landsat-9', 'eo:instrument': 'ETM+_OLI_TIRS' });
    expect(stac).toMatchObject({ platform: 'landsat-7,landsat-8,landsat-9', instruments: ['etm', 'oli', 'tirs'] });
    // The pixels' size, where inputs do not agree on theirs.
    expect([stac.gsd, eo3['eo:gsd']]).toEqual([30, 30]);
  });

  it('are added to and overruled by the product, but for what a tile is', async () => {
    const properties = { 'odc:file_format': 'COG', gsd: 10, 'my:key': 'yes', datetime: '1900-01-01' };
    const { stac, eo3 } = await of([tileScene('a')], { properties, maturity: 'interim' });
    expect(eo3).toMatchObject({
      'odc:file_format': 'COG',
      'eo:gsd': 10,
      'my:key': 'yes',
      'dea:dataset_maturity': 'interim',
    });
    expect(stac).toMatchObject({ datetime: '1999-01-01T00:00:00Z', 'my:key': 'yes', gsd: 10 });
  });

  it('give periods to their last microsecond', async () => {
    const { stac } = await of([tileScene('a')]);
    expect(stac).toMatchObject({
      start_datetime: '1999-01-01T00:00:00Z',
      end_datetime: '1999-12-31T23:59:59.999999Z',
      created: '2021-10-20T01:08:21.263Z',
    });
  });
});

/** Types of a document's parts, lists by what they hold. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0])] : [];
  if (value instanceof Date) return 'date';
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shapeOf(one)]));
}

describe.skipIf(!existsSync(ARD))('a dataset of Open Data Cube beside a published one (skipped without it)', () => {
  const text = existsSync(ARD) ? readFileSync(ARD, 'utf8') : '';

  it('has the same fields in the same order, of the same types', async () => {
    const theirs = (await parseYaml(text, ARD)) as Read;
    const { dataset: ours } = await documentsOf(tileResult());
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    for (const key of ['$schema', 'id', 'label', 'product', 'crs', 'geometry'])
      expect(shapeOf(ours[key]), key).toEqual(shapeOf(theirs[key]));
    expect(Object.keys(ours.product)).toEqual(Object.keys(theirs.product));
    expect(shapeOf(ours.grids.default)).toEqual(shapeOf(theirs.grids.default));
    expect(ours.grids.default.transform).toHaveLength(theirs.grids.default.transform.length);
    for (const name of Object.keys(ours.properties).filter((one) => one in theirs.properties))
      expect(shapeOf(ours.properties[name]), name).toEqual(shapeOf(theirs.properties[name]));
    expect(Object.keys(theirs.properties)).toEqual(Object.keys(theirs.properties).toSorted());
    expect(Object.keys(ours.properties)).toEqual(Object.keys(ours.properties).toSorted());
    expect(shapeOf(Object.values(ours.measurements))).toEqual(shapeOf(Object.values(theirs.measurements)));
    expect(Object.keys(ours.measurements)).toEqual(Object.keys(ours.measurements).toSorted());
    expect(Object.keys(ours.accessories).slice(-2)).toEqual(Object.keys(theirs.accessories).slice(-2));
    expect(shapeOf(Object.values(ours.accessories))).toEqual(shapeOf(Object.values(theirs.accessories)));
    expect(shapeOf(Object.values(ours.lineage))).toEqual(shapeOf(Object.values(theirs.lineage)));
    expect(ours.$schema).toBe(theirs.$schema);
    expect(ours.crs).toMatch(/^epsg:\d+$/);
    expect(theirs.crs).toMatch(/^epsg:\d+$/);
  });

  it('is written alike: floats, dates and lists on a line', async () => {
    const { files } = await documentsOf(tileResult());
    const lines = textOf(files[2]!).split('\n');
    const theirs = text.split('\n');
    const like = (start: string, from: readonly string[]) => from.find((line) => line.trim().startsWith(start))!;
    expect(lines.slice(0, 3)).toEqual(theirs.slice(0, 3));
    expect(lines.at(-2)).toBe('...');
    const form = (line: string) => line.replace(/#.*/, '').trimEnd().replaceAll(/-?\d+/g, '0').replace(/^ +/, '');
    for (const start of ['transform:', 'shape:', 'eo:gsd:', 'crs:', 'dtr:start_datetime:'])
      expect(form(like(start, lines)).replace('T0:0:0Z', 'T0:0:0.0Z'), start).toBe(form(like(start, theirs)));
  });
});

describe('the record of a tile', () => {
  it('has the keys that odc-stats writes, in its order', async () => {
    const { record } = await documentsOf(tileResult());
    expect(Object.keys(record)).toEqual([
      'input-products',
      'odc-stats-config',
      'stackwise-config',
      'dropped-inputs',
      'software_versions',
    ]);
    expect(record['input-products']).toEqual(['ga_ls5t_ard_3']);
    // As a proc-info.yaml of 1999--P1Y's sister, x08y23 of 1994, has them.
    expect(Object.keys(record['odc-stats-config']).join(' ')).toBe(
      'name version short_name location properties measurements href region_code_format cfg naming_conventions_values explorer_path inherit_skip_properties preview_image_ows_style classifier maturity collection_number nodata',
    );
    expect(record['odc-stats-config']).toMatchObject({
      version: '3.0.0',
      location: 's3://bucket/ga_ls5t_nbart_gm_cyear_3/3-0-0',
      href: 'https://collections.dea.ga.gov.au/product/ga_ls5t_nbart_gm_cyear_3',
      properties: { 'odc:producer': 'ga.gov.au' },
      region_code_format: PUBLISHED_PRODUCT.regionCodeFormat,
    });
    for (const one of record.software_versions) expect(Object.keys(one)).toEqual(['name', 'url', 'version']);
    expect(record.software_versions[0].name).toBe('stackwise');
  });
});
