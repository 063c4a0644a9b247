import type { MultiPolygon, Polygon, Position } from 'geojson';
import { describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { groundFrame } from '../../build/geo/ground-frame.js';
import { InputError } from '../../build/index.js';

const rectangle = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];

/** By the shoelace, positive counter-clockwise. */
const areaOf = (ring: readonly Position[]) =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + (ring[i]![0]! * y! - x! * ring[i]![1]!) / 2, 0);

describe('polygons in longitude and latitude', () => {
  it('bend with the CRS: points stand on long edges', async () => {
    // Corners by PROJ: the tile of a published item in EPSG:3577.
    const { geometry, bbox } = await groundFrame(
      [[rectangle(192_000, -4_128_000, 288_000, -4_032_000)]],
      parseCrs('EPSG:3577'),
    );
    const [ring] = (geometry as Polygon).coordinates;
    expect(ring).toHaveLength(65);
    const published = [
      [134.14767550145436, -36.87674895573794],
      [134.16587883993822, -37.74533256210024],
      [135.24842930174776, -37.72689903696419],
      [135.22113401720506, -36.85852350778263],
    ];
    for (const [lon, lat] of published)
      expect(ring!.some((p) => Math.abs(p[0]! - lon!) < 1e-6 && Math.abs(p[1]! - lat!) < 1e-6)).toBe(true);
    expect(bbox![0]).toBeCloseTo(134.147676, 6);
    // Between its corners the lower edge is farther south.
    expect(bbox![1]).toBeLessThanOrEqual(-37.7453325);
  });

  it('keep holes, right-handed whatever they came as', async () => {
    const [outer, hole] = [rectangle(0, 0, 10, 10), rectangle(2, 2, 4, 4)];
    for (const rings of [
      [outer, hole],
      [[...outer].reverse(), [...hole].reverse()],
    ]) {
      const { geometry } = await groundFrame([rings], parseCrs('EPSG:4326'));
      const areas = (geometry as Polygon).coordinates.map(areaOf);
      expect(areas.map((area) => Math.round(area * 1e6) / 1e6)).toEqual([100, -4]);
    }
  });

  it('are cut at the antimeridian, holes with them', async () => {
    // New Zealand's continental shelf: 200 km across 180° (UTM 60 S), with a hole across it.
    const crs = parseCrs('EPSG:32760');
    const { geometry, bbox } = await groundFrame(
      [[rectangle(700_000, 5_000_000, 900_000, 5_100_000), rectangle(720_000, 5_020_000, 880_000, 5_080_000)]],
      crs,
    );
    expect(geometry!.type).toBe('MultiPolygon');
    const parts = (geometry as MultiPolygon).coordinates;
    expect(parts.map((rings) => rings.length)).toEqual([2, 2]);
    for (const [lon] of parts.flat(2)) expect(Math.abs(lon!)).toBeLessThanOrEqual(180);
    for (const [outer, hole] of parts) {
      expect(areaOf(outer!)).toBeGreaterThan(0);
      expect(areaOf(hole!)).toBeLessThan(0);
      expect(outer!.at(-1)).toEqual(outer![0]);
    }
    expect(bbox![0]).toBeGreaterThan(179);
    expect(bbox![2]).toBeLessThan(-177);
  });

  it('lie on both sides of it as several', async () => {
    const crs = parseCrs('EPSG:4326');
    const { bbox } = await groundFrame([[rectangle(178, -1, 179, 1)], [rectangle(-179, -2, -178, 0)]], crs);
    expect(bbox).toEqual([178, -2, -178, 1]);
    const far = await groundFrame([[rectangle(-100, -1, -90, 1)], [rectangle(20, -2, 30, 0)]], crs);
    expect(far.bbox).toEqual([-100, -2, 30, 1]);
  });

  it('reach a pole that they lie around', async () => {
    const { bbox } = await groundFrame([[rectangle(-1e6, -1e6, 1e6, 1e6)]], parseCrs('EPSG:3031'));
    expect([bbox![0], bbox![1], bbox![2]]).toEqual([-180, -90, 180]);
    expect(bbox![3]).toBeCloseTo(-77, 0);
  });

  it('are unknown where there are none, and off the Earth', async () => {
    const nothing = { geometry: null, bbox: null };
    expect(await groundFrame([], parseCrs('EPSG:3577'))).toEqual(nothing);
    expect(await groundFrame([[rectangle(0, 0, 1e9, 1e9)]], parseCrs('EPSG:6933'))).toEqual(nothing);
  });

  it('may not have points without end', async () => {
    const jagged = Array.from({ length: 1_100_000 }, (_, i): Position => [i % 2, i / 1e6]);
    const polygon = [...jagged, jagged[0]!];
    await expect(groundFrame([[polygon]], parseCrs('EPSG:4326'))).rejects.toThrow(InputError);
  });
});
