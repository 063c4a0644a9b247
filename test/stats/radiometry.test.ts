import { describe, expect, it } from 'vitest';
import type { Scene, SceneBand } from '../../build/index.js';
import { looksApplied, type OffsetMode, offsetFacts, settleRadiometry } from '../../build/stats/radiometry.js';

const COG = 'https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/1/C/CA/2023/1/x/B04.tif';

function band(more: Partial<SceneBand> = {}): SceneBand {
  return {
    href: 'B04.tif',
    bandIndex: 0,
    name: null,
    commonName: null,
    dtype: 'u16',
    nodata: 0,
    scale: 1e-4,
    offset: null,
    grid: null,
    ...more,
  };
}

function scene(baseline: string | null, offsetApplied: boolean | null, red: SceneBand = band(), id = 'a'): Scene {
  return {
    id,
    collection: null,
    timeMs: 0,
    cloudCoverPercent: null,
    bbox: null,
    geometry: null,
    crs: null,
    platform: null,
    bands: { B04: red, SCL: band({ href: 'SCL.tif', scale: null }) },
    ...(baseline && { radiometry: { baseline, offsetApplied } }),
    href: null,
  };
}

async function settle(scenes: Scene[], mode: OffsetMode, darkest: number | null = 100) {
  let looked = 0;
  const settled = await settleRadiometry({
    scenes,
    bands: ['B04'],
    mode,
    find: (s, name) => ({ key: name, band: s.bands[name]! }),
    darkest: async () => {
      looked++;
      return darkest;
    },
  });
  const { facts, warnings } = settled;
  return { shifts: scenes.map((s) => settled.shiftDn(s, 'B04')), facts, warnings, looked };
}

describe('the offset of a band', () => {
  // baseline, flag, what the item states, href → in numbers, applied, doubtful
  it.each([
    ['02.14', null, null, 'B04.tif', 0, false, false],
    ['03.01', false, 0, COG, 0, false, false],
    ['04.00', null, null, 'B04.tif', -1000, false, false],
    ['04.00', null, -0.1, 'B04.tif', -1000, false, false],
    ['05.09', null, null, 'S2A_MSIL1C.SAFE/GRANULE/B04.jp2', -1000, false, false],
    ['05.09', true, -0.1, 'copies/B04.jp2', -1000, false, true],
    ['05.10', true, -0.1, COG, -1000, true, true],
    ['05.10', true, -0.1, 's3://sentinel-s2-l2a/tiles/B04.jp2', -1000, false, false],
    ['05.10', false, -0.1, COG, -1000, false, true],
    ['04.00', null, null, COG, -1000, null, true],
    ['04.00', null, 0, 'B04.tif', -1000, true, true],
  ] as const)('baseline %s, flag %s, item %s, %s', (baseline, flag, offset, href, offsetDn, applied, doubtful) => {
    const red = band({ href, offset });
    expect(offsetFacts(scene(baseline, flag, red), 'B04', red)).toEqual({ offsetDn, applied, doubtful });
  });

  it('is that of reflectance only', () => {
    for (const key of ['SCL', 'scl', 'AOT', 'WVP', 'cloud', 'visual'])
      expect(offsetFacts(scene('05.00', null), key, band())).toBeNull();
    for (const key of ['B8A', 'B04_10m', 'rededge1', 'nir08', 'swir22', 'red-jp2', 'coastal'])
      expect(offsetFacts(scene('05.00', null), key, band())).not.toBeNull();
    expect(offsetFacts(scene(null, null), 'B04', band({ offset: -0.1 }))).toBeNull();
  });

  it('shows in dark pixels', () => {
    expect([null, 0, 899, 900, 1200].map(looksApplied)).toEqual([null, true, true, false, false]);
  });
});

describe('a run', () => {
  const old = scene('02.14', null);
  const recent = scene('04.00', null, band({ offset: -0.1 }), 'b');

  it('takes all scenes to the same numbers, without looking at pixels that need not be asked', async () => {
    expect(await settle([old, recent], 'auto')).toEqual({
      shifts: [0, -1000],
      facts: [{ scale: 1e-4, offset: 0 }],
      warnings: [],
      looked: 0,
    });
    expect((await settle([recent, recent], 'auto')).shifts).toEqual([-1000, -1000]);
  });

  it('leaves them as they are with none, and says what they mean where they agree', async () => {
    const alike = await settle([recent, scene('05.00', null)], 'none');
    expect(alike).toMatchObject({ shifts: [0, 0], facts: [{ scale: 1e-4, offset: -0.1 }], warnings: [] });
    const mixed = await settle([old, recent], 'none');
    expect(mixed).toMatchObject({ shifts: [0, 0], facts: [{ scale: 1, offset: 0 }] });
    expect(mixed.warnings).toEqual([expect.stringMatching(/^scale-differs: B04/)]);
  });

  it('does not subtract twice what the flag says is applied', async () => {
    const applied = scene('05.10', true, band({ href: COG, offset: -0.1 }));
    expect(await settle([applied], 'auto')).toEqual({
      shifts: [0],
      facts: [{ scale: 1e-4, offset: 0 }],
      warnings: [],
      looked: 1,
    });
    expect((await settle([applied], 'apply')).shifts).toEqual([-1000]);
    expect((await settle([applied], 'none')).shifts).toEqual([0]);
  });

  it('warns where pixels contradict the flag', async () => {
    const applied = scene('05.10', true, band({ href: COG, offset: -0.1 }));
    const bright = await settle([applied], 'auto', 1210);
    expect(bright.shifts).toEqual([0]);
    expect(bright.warnings).toEqual([expect.stringMatching(/^offset-conflict: a: .* is applied, .* that it is not/)]);
    const stored = scene('05.10', false, band({ href: COG, offset: -0.1 }));
    expect(await settle([stored], 'auto', 1100)).toMatchObject({ shifts: [-1000], warnings: [] });
    const dark = await settle([stored], 'auto', 40);
    // Nothing is darker than black: dark pixels win over the item, bright ones do not.
    expect(dark.shifts).toEqual([0]);
    expect(dark.warnings).toEqual([expect.stringMatching(/^offset-conflict: a: .* is not applied, .* that it is/)]);
  });

  it('knows JPEG 2000 beside a COG whose offset is applied', async () => {
    const both = scene('05.10', true, band({ href: COG, offset: -0.1 }));
    both.bands.B03 = band({ href: 's3://sentinel-s2-l2a/tiles/B03.jp2', offset: -0.1 });
    const settled = await settleRadiometry({
      scenes: [both],
      bands: ['B04', 'B03'],
      mode: 'auto',
      find: (s, name) => ({ key: name, band: s.bands[name]! }),
      darkest: async () => 100,
    });
    expect(['B04', 'B03'].map((name) => settled.shiftDn(both, name))).toEqual([0, -1000]);
  });

  it('lets pixels decide where nobody says it', async () => {
    const silent = scene('04.00', null, band({ href: COG }));
    expect(await settle([silent], 'auto', 1100)).toMatchObject({
      shifts: [-1000],
      warnings: [expect.stringMatching(/^offset-guessed: a/)],
    });
    expect((await settle([silent], 'auto', 40)).shifts).toEqual([0]);
    expect((await settle([silent], 'auto', null)).shifts).toEqual([0]);
  });

  it('leaves other sensors alone, and their scale stays a fact', async () => {
    const landsat = scene(null, null, band({ scale: 2.75e-5, offset: -0.2 }));
    for (const mode of ['auto', 'apply', 'none'] as const)
      expect(await settle([landsat], mode)).toEqual({
        shifts: [0],
        facts: [{ scale: 2.75e-5, offset: -0.2 }],
        warnings: [],
        looked: 0,
      });
    expect((await settle([scene(null, null, band({ scale: null }))], 'auto')).facts).toEqual([
      { scale: null, offset: null },
    ]);
  });
});
