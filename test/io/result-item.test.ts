import type { MultiPolygon } from 'geojson';
import { describe, expect, it } from 'vitest';
import type { Grid } from '../../build/geo/grid.js';
import { frameOfGrid } from '../../build/geo/outline.js';
import { resultItem } from '../../build/io/result-item.js';
import { sceneOfItem } from '../../build/io/stac-item.js';
import { hasSchemas, schemaErrors } from '../fixture/stac-schemas.js';

const crs = (epsg: number) => ({ epsg, definition: null, geoKeys: null });
const GRID = { crs: crs(32631), affine: [10, 0, 643000, 0, -10, 5642000] as const, width: 300, height: 200 };
const scene = (id: string, datetime: string) =>
  sceneOfItem(
    { type: 'Feature', id, geometry: null, properties: { datetime }, assets: {}, links: [] },
    `scenes/${id}.json`,
  );
const statistics = { minimum: 3, maximum: 4200, mean: 1200.5, stddev: 310, validPercent: 99.5 };
const nothing = { minimum: NaN, maximum: NaN, mean: NaN, stddev: NaN, validPercent: 0 };

const request = {
  id: 'composite',
  grid: GRID,
  scenes: [scene('b', '2024-05-02T10:50:00Z'), scene('a', '2024-03-01T10:50:00Z')],
  version: '0.1.0',
  preview: true,
  facts: {
    statistics: ['geomedian', 'count'],
    mask: ['SCL drop 3,8'],
    maskWhen: 'before-fuse',
    eps: 0.1,
    compat: null,
  },
  assets: [
    {
      key: 'geomedian',
      href: './geomedian.tif',
      dtype: 'uint16',
      nodata: 0,
      bytes: 1234,
      sha256: 'ab'.repeat(32),
      bands: [
        { name: 'B02', statistics, scale: 1e-4, offset: 0 },
        { name: 'B03', statistics: nothing },
      ],
    },
    {
      key: 'mean',
      href: './mean.tif',
      dtype: 'float32',
      nodata: NaN,
      bytes: 9,
      sha256: '0'.repeat(64),
      bands: [{ name: 'B02', statistics }],
    },
  ],
};

describe('the item of a result', () => {
  it('says what it is made of and how', async () => {
    const item = JSON.parse(JSON.stringify(await resultItem(request)));
    expect(item.properties).toMatchObject({
      datetime: null,
      start_datetime: '2024-03-01T10:50:00.000Z',
      end_datetime: '2024-05-02T10:50:00.000Z',
      'proj:code': 'EPSG:32631',
      'proj:shape': [200, 300],
      'proj:bbox': [643000, 5640000, 646000, 5642000],
      'processing:software': { stackwise: '0.1.0' },
      'processing:lineage': 'geomedian, count over time of 2 scenes, masked by SCL drop 3,8',
    });
    expect(item.links.map(({ rel, href }: Record<string, string>) => [rel, href])).toEqual([
      ['derived_from', 'scenes/b.json'],
      ['derived_from', 'scenes/a.json'],
    ]);
    const { geomedian, mean, preview } = item.assets;
    expect(geomedian['file:checksum']).toBe(`1220${'ab'.repeat(32)}`);
    expect(geomedian.bands[0]).toMatchObject({
      name: 'B02',
      'raster:scale': 1e-4,
      statistics: { valid_percent: 99.5 },
    });
    expect(geomedian.bands[1].statistics).toEqual({ valid_percent: 0 });
    expect(mean.nodata).toBe('nan');
    expect(preview).toMatchObject({ type: 'image/png', roles: ['thumbnail', 'overview'] });
  });

  it('is read back as a scene with the same grid', async () => {
    const read = sceneOfItem(await resultItem(request), 'out/item.json');
    expect(Object.keys(read.bands)).toEqual(['B02', 'B03', 'mean']);
    expect(read.bands.B02).toMatchObject({ href: 'out/geomedian.tif', nodata: 0, scale: 1e-4, grid: GRID });
  });

  it.skipIf(!hasSchemas)('validates against the STAC schemas (skipped without their files)', async () => {
    const item = JSON.parse(JSON.stringify(await resultItem(request)));
    expect(schemaErrors(item)).toEqual([]);
    expect(item.stac_extensions).toHaveLength(4);
    const unscaled = { ...request, assets: [request.assets[1]!] };
    const plain = JSON.parse(JSON.stringify(await resultItem(unscaled)));
    expect(schemaErrors(plain)).toEqual([]);
    expect(plain.stac_extensions).toHaveLength(3);
  });
});

/** By the shoelace, positive counter-clockwise. */
const areaOf = (ring: readonly (readonly number[])[]) =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + (ring[i]![0]! * y! - x! * ring[i]![1]!) / 2, 0);

describe('the footprint of a grid', () => {
  it('has a box around bent edges', async () => {
    const { bbox, geometry } = await frameOfGrid(GRID);
    expect(bbox![0]).toBeCloseTo(5.02, 1);
    expect(bbox![3]).toBeCloseTo(50.91, 1);
    expect(geometry!.type).toBe('Polygon');
  });

  it('is split at the antimeridian', async () => {
    const { bbox, geometry } = await frameOfGrid({
      crs: crs(32660),
      affine: [1000, 0, 700000, 0, -1000, 500000],
      width: 200,
      height: 100,
    });
    expect(bbox![0]).toBeGreaterThan(bbox![2]);
    expect(geometry!.type).toBe('MultiPolygon');
  });

  it.each([
    ['degrees beyond 180', [178, 0.5, 8, 4], [178, 0, -178, 2], 'MultiPolygon'],
    ['degrees beyond -180', [-182, 0.5, 8, 4], [178, 0, -178, 2], 'MultiPolygon'],
    ['degrees that begin at 180', [180, 0.5, 8, 4], [-180, 0, -176, 2], 'Polygon'],
    ['degrees that end at 180', [176, 0.5, 8, 4], [176, 0, 180, 2], 'Polygon'],
    ['degrees from 0 to 360', [0, 0.5, 720, 4], [-180, 0, 180, 2], 'Polygon'],
  ] as const)('keeps to RFC 7946: %s', async (_, [west, step, width, height], box, type) => {
    const grid: Grid = { crs: crs(4326), affine: [step, 0, west, 0, -step, 2], width, height };
    const { bbox, geometry } = await frameOfGrid(grid);
    expect(bbox).toEqual(box);
    expect(geometry!.type).toBe(type);
    const polygons = geometry!.type === 'Polygon' ? [geometry!.coordinates] : (geometry as MultiPolygon).coordinates;
    const area = polygons.map(([ring]) => areaOf(ring!)).reduce((sum, one) => sum + one);
    // Counter-clockwise, nothing lost and nothing twice.
    expect(area).toBeCloseTo(step * width * step * height, 9);
    for (const [lon] of polygons.flat(2)) expect(Math.abs(lon!)).toBeLessThanOrEqual(180);
    for (const [ring] of polygons) expect(ring!.at(-1)).toEqual(ring![0]);
  });

  it('around a pole reaches it', async () => {
    const grid: Grid = { crs: crs(3031), affine: [1e5, 0, -3e6, 0, -1e5, 3e6], width: 60, height: 60 };
    const { bbox } = await frameOfGrid(grid);
    expect([bbox![0], bbox![1], bbox![2]]).toEqual([-180, -90, 180]);
    expect(bbox![3]).toBeGreaterThan(-63);
  });

  it('is unknown for an unknown CRS', async () => {
    expect(await frameOfGrid({ ...GRID, crs: { epsg: null, definition: null, geoKeys: null } })).toEqual({
      geometry: null,
      bbox: null,
    });
  });
});
