import { describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import { parseInterval } from '../../build/geo/time.js';
import type { Scene } from '../../build/io/scene.js';
import { commonCrs, selectScenes } from '../../build/stats/select.js';

const scene = (id: string, time: string, more: Partial<Scene> = {}): Scene => ({
  id,
  collection: null,
  timeMs: Date.parse(time),
  cloudCoverPercent: 10,
  bbox: [3, 50, 4, 51],
  geometry: null,
  crs: parseCrs('EPSG:32631'),
  platform: null,
  bands: {},
  href: null,
  ...more,
});
const SCENES = [
  scene('c', '2020-07-01T10:00:00Z', { cloudCoverPercent: 80 }),
  scene('a', '2020-05-01T10:00:00Z'),
  scene('b', '2020-06-01T10:00:00Z', { cloudCoverPercent: null }),
  scene('far', '2020-06-02T10:00:00Z', { bbox: [10, 0, 11, 1] }),
];
const ids = (scenes: readonly Scene[]) => scenes.map(({ id }) => id).join();

describe('selectScenes', () => {
  it('sorts by time and says why each was dropped', () => {
    const { scenes, dropped } = selectScenes(SCENES, {
      maxCloudPercent: 50,
      lonLatBounds: [3.5, 50.5, 3.6, 50.6],
      limit: 1,
    });
    expect(ids(scenes)).toBe('a');
    expect(dropped).toEqual([
      { id: 'far', reason: 'area' },
      { id: 'c', reason: 'cloud' },
      { id: 'b', reason: 'limit' },
    ]);
    expect(ids(selectScenes(SCENES, { months: [6, 7] }).scenes)).toBe('b,far,c');
    expect(ids(selectScenes(SCENES, { interval: parseInterval('2020-05-01/2020-06-01') }).scenes)).toBe('a,b');
  });
  it('tells how nothing was left', () => {
    expect(() =>
      selectScenes(SCENES, { months: [6], maxCloudPercent: 20, interval: parseInterval('2021'), source: 'items.json' }),
    ).toThrow(
      'no scenes: 4 found in items.json (2020-05-01 to 2020-07-01), then 0 in the time asked for, then 0 in the months 6, then 0 with at most 20 % cloud',
    );
    expect(() => selectScenes([])).toThrow('no scenes: 0 found');
  });
  it('merges twins with a note', () => {
    const band = { bandIndex: 0 } as never;
    const { scenes, notes } = selectScenes([
      scene('a', '2020-05-01T10:00:00Z', { bands: { sr: band } }),
      scene('a', '2020-05-01T10:00:00Z', { bands: { st: band } }),
    ]);
    expect(Object.keys(scenes[0]!.bands).sort()).toEqual(['sr', 'st']);
    expect(notes).toEqual(['1 duplicate items were merged: a']);
  });
  it('meets a scene across the antimeridian', () => {
    const across = scene('x', '2020-05-01T10:00:00Z', { bbox: [179, 0, -179, 1] });
    expect(selectScenes([across], { lonLatBounds: [-179.5, 0, -179.2, 1] }).scenes).toHaveLength(1);
    expect(() => selectScenes([across], { lonLatBounds: [0, 0, 1, 1] })).toThrow(/no scenes/);
  });
  it('meets scenes on both sides of an area across the antimeridian', () => {
    const boxes = {
      west: [178, 0, 179, 1],
      east: [-179, 0, -178, 1],
      over: [179, 0, -179, 1],
      far: [3, 0, 4, 1],
    } as const;
    const scenes = Object.entries(boxes).map(([id, bbox]) => scene(id, '2020-05-01T10:00:00Z', { bbox: [...bbox] }));
    expect(ids(selectScenes(scenes, { lonLatBounds: [178.5, 0, -178.5, 1] }).scenes)).toBe('east,over,west');
  });
});

it('names the scenes of another CRS', () => {
  const other = (i: number) => scene(`z${i}`, '2020-05-01T10:00:00Z', { crs: parseCrs('EPSG:32632') });
  expect(commonCrs(SCENES)!.epsg).toBe(32631);
  const many = Array.from({ length: 20 }, (_, i) => scene(`s${i}`, '2020-05-01T10:00:00Z'));
  expect(() => commonCrs([...many, ...Array.from({ length: 7 }, (_, i) => other(i))])).toThrow(
    'the scenes do not share a CRS: 20 in EPSG:32631, 7 in EPSG:32632: z0, z1, z2, z3, z4 and 2 more',
  );
});
