import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productDocuments } from '../../../build/jobs/tile/product-documents.js';
import { tileDocuments } from '../../../build/jobs/tile/tile-documents.js';
import type { TileResult } from '../../../build/jobs/tile/tile-result.js';
import { parseYaml } from '../../../build/jobs/yaml.js';
import { productFacts, tileResult, tileScene, tileTask } from '../../fixture/tile-result.js';

const python = process.env.STACKWISE_EO3_PYTHON;
const script = resolve(import.meta.dirname, 'eo3.py');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-eo3-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Documents as their readers see them. */
type Read = ReturnType<typeof JSON.parse>;

const landsat = (number: number, more: object = {}) => ({
  'eo:platform': `landsat-${number}`,
  'eo:instrument': 'OLI_TIRS',
  'eo:gsd': 30,
  'eo:cloud_cover': 10 * number,
  'gqa:cep90': 0.4,
  'sat:orbit_state': 'descending',
  'odc:region_code': '090084',
  'odc:processing_datetime': '2020-01-01T00:00:00Z',
  datetime: '1999-05-05T00:00:00Z',
  ...more,
});
const SCENES = [tileScene('a', landsat(8)), tileScene('b', landsat(9)), tileScene('c', landsat(8))];

/** Dates and numbers as any reader sees them: timestamps of either form are one instant. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, one) => {
    const match =
      typeof one === 'string' && /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:00)$/.exec(one);
    return match ? `${match[1]} ${match[2]}.${(match[3] ?? '').padEnd(6, '0')}` : one;
  });

function theirs(result: TileResult, { base }: { base: string }): { dataset: Read; item: Read } {
  const { task, grid, product, files } = result;
  const named = (kinds: readonly string[]) =>
    Object.fromEntries(files.filter(({ kind }) => kinds.includes(kind)).map(({ key, name }) => [key, name]));
  const ring = result.footprint[0]!;
  const input = JSON.stringify({
    scenes: task.scenes,
    product,
    uuid: result.uuid,
    regionCode: result.regionCode,
    processedAt: result.processedAt,
    start: '1999-01-01T00:00:00.000000Z',
    end: '1999-12-31T23:59:59.999999Z',
    geometry: { type: 'Polygon', coordinates: ring },
    shape: [grid.height, grid.width],
    transform: grid.affine,
    epsg: grid.crs.epsg,
    bands: named(['band']),
    accessories: {
      ...named(['thumbnail']),
      'checksum:sha1': `${result.title}.sha1`,
      'metadata:processor': `${result.title}.proc-info.yaml`,
    },
    item: `${base}.stac-item.json`,
    dataset: `${base}.odc-metadata.yaml`,
  });
  const { stdout, stderr, status } = spawnSync(python!, [script], { input, encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}

describe.skipIf(!python)('documents beside eodatasets3 (skipped without STACKWISE_EO3_PYTHON)', () => {
  it('pass its validation with no warning, product and datasets', async () => {
    const results = [
      tileResult(),
      tileResult({ task: tileTask({ scenes: SCENES }) }),
      tileResult({ footprint: [], task: tileTask({ y: 15 }) }),
    ];
    const written: string[] = [];
    const keep = async ({ name, bytes }: { name: string; bytes: Uint8Array }, prefix = '') => {
      await writeFile(join(folder, prefix + name), bytes);
      if (name.endsWith('.yaml') && !name.endsWith('.proc-info.yaml')) written.push(join(folder, prefix + name));
    };
    for (const file of (await productDocuments(productFacts())).files) await keep(file);
    for (const [i, result] of results.entries())
      for (const file of (await tileDocuments(result)).files) await keep(file, `${i}-`);
    const run = 'from eodatasets3.validate import run; run()';
    const { stdout, stderr, status } = spawnSync(python!, ['-c', run, ...written], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('✓'))).toHaveLength(written.length);
    // Our own property is the one thing that it does not know.
    expect(stdout.split('\n').filter((line) => /^\s+[A-Z] /.test(line) && !line.includes("'stackwise:"))).toEqual([]);
  }, 120_000);

  it('are taken by a data cube, pystac and odc-stac', async () => {
    const place = join(folder, 'x30/y14/1999--P1Y');
    await mkdir(place, { recursive: true });
    const result = tileResult({ folder: place });
    for (const { name, bytes } of (await tileDocuments(result)).files) await writeFile(join(place, name), bytes);
    for (const { name, bytes } of (await productDocuments(productFacts())).files)
      await writeFile(join(folder, name), bytes);
    const paths = [
      join(folder, `${result.product.name}.odc-product.yaml`),
      ...['odc-metadata.yaml', 'stac-item.json'].map((end) => join(place, `${result.title}.${end}`)),
    ];
    const index = resolve(import.meta.dirname, 'eo3-index.py');
    const { stdout, stderr, status } = spawnSync(python!, [index, ...paths], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const { files, ...found } = JSON.parse(stdout);
    expect(found).toEqual({
      id: result.uuid,
      bounds: [192_000, -4_128_000, 288_000, -4_032_000],
      bands: ['bcdev', 'blue', 'count', 'edev', 'green', 'nir', 'red', 'sdev', 'swir1', 'swir2'],
      resolution: [30, -30],
      collection: result.product.name,
      transform: result.grid.affine,
      shape: [3200, 3200],
    });
    expect(files.toSorted()).toEqual(
      [...result.files.map(({ name }) => name), ...['sha1', 'proc-info.yaml'].map((end) => `${result.title}.${end}`)]
        .map((name) => join(place, name))
        .toSorted(),
    );
  }, 120_000);

  it('are those that it makes of the same inputs', async () => {
    const result = tileResult({ task: tileTask({ scenes: SCENES }) });
    const base = `${result.folder}/${result.title}`;
    const { dataset, item } = theirs(result, { base });
    const { files } = await tileDocuments(result);
    const text = (end: string) => new TextDecoder().decode(files.find(({ name }) => name.endsWith(end))!.bytes);
    const ours = (await parseYaml(text('odc-metadata.yaml'), 'ours')) as Read;
    // Dates as text: JavaScript's have no microseconds.
    const times = [...text('odc-metadata.yaml').matchAll(/^ {2}(\S*datetime): (\S+)$/gm)].map(([, name, at]) => [
      name,
      at,
    ]);
    Object.assign(ours.properties, Object.fromEntries(times));
    // The colour image is ours alone.
    expect(ours.accessories.rgba.path).toMatch(/_rgba\.tif$/);
    delete ours.accessories.rgba;
    expect(plain(ours)).toEqual(plain(dataset));

    const own = JSON.parse(text('stac-item.json')) as Read;
    const {
      'proj:code': code,
      'proj:epsg': epsg,
      'proj:shape': __,
      'proj:transform': ___,
      ...properties
    } = item.properties;
    expect(own.properties['proj:code']).toBe(code ?? `EPSG:${epsg}`);
    expect(plain(own.properties)).toMatchObject(plain(properties) as object);
    expect([own.id, own.collection]).toEqual([item.id, item.collection]);
    expect(
      Object.keys(own.assets)
        .filter((key) => key !== 'rgba')
        .toSorted(),
    ).toEqual(Object.keys(item.assets).toSorted());
    for (const [i, side] of item.bbox.entries()) expect(own.bbox[i]).toBeCloseTo(side, 2);
  }, 120_000);
});
