import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawPreview } from '../../build/app/preview.js';
import { simulatedGrid, simulateScenes } from '../../build/app/simulate.js';
import { renderTruth } from '../../build/app/simulation/scene.js';
import { writeCog } from '../../build/io/cog-writer.js';
import type { Scene } from '../../build/io/scene.js';
import { readScenes } from '../../build/io/stac.js';

let folder = '';
let scenes: Scene[] = [];
let picture = '';
let count = '';
const NAMES = ['B02', 'B03', 'B04', 'B08'];
const COMMON = { B02: 'blue', B03: 'green', B04: 'red', B08: 'nir' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-preview-'));
  const { path, simulation } = await simulateScenes(folder, { dates: 3, size: 64 });
  scenes = await readScenes(path);
  const truth = renderTruth(simulation, simulation.scenes[1]!);
  const grid = simulatedGrid(64, 10);
  picture = join(folder, 'median.tif');
  count = join(folder, 'count.tif');
  await writeCog(picture, { grid, names: NAMES, data: NAMES.map((name) => truth[name]!), nodata: 0 });
  const counts = new Uint16Array(64 * 64).map((_, i) => i % 4);
  await writeCog(count, { grid, names: ['count'], data: [counts], nodata: null });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Width and height from a PNG's header. */
function sizeOf(png: Uint8Array | null): [number, number] {
  expect([...png!.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  const view = new DataView(png!.buffer, png!.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

describe('the preview', () => {
  it('shows picture, cloudiest input and count side by side', async () => {
    const png = await drawPreview({
      rasters: { median: picture, count },
      bands: NAMES,
      cloudiest: scenes[0]!,
      commonNames: COMMON,
    });
    expect(sizeOf(png)).toEqual([3 * 256 + 4 * 6, 256 + 28 + 6]);
  });

  it('leaves out what is not there: no count, an input that cannot be read', async () => {
    const rasters = { median: picture };
    const [one] = sizeOf(
      await drawPreview({ rasters, bands: NAMES, cloudiest: { ...scenes[0]!, bands: {} }, commonNames: COMMON }),
    );
    expect(one).toBe(256 + 12);
    const lost = { ...scenes[0]!.bands.B04!, href: join(folder, 'nowhere.tif') };
    const bands = { ...scenes[0]!.bands, B04: lost };
    const [two] = sizeOf(
      await drawPreview({ rasters, bands: NAMES, cloudiest: { ...scenes[0]!, bands }, commonNames: COMMON }),
    );
    expect(two).toBe(one);
  });

  it('is grey without colours, and is there for a count alone', async () => {
    const rasters = { median: picture };
    const grey = await drawPreview({ rasters, bands: NAMES, cloudiest: scenes[0]!, commonNames: {} });
    expect(sizeOf(grey)[0]).toBe(2 * 256 + 18);
    const only = await drawPreview({ rasters: { count }, bands: NAMES, cloudiest: scenes[0]!, commonNames: COMMON });
    expect(sizeOf(only)[0]).toBe(256 + 12);
    expect(await drawPreview({ rasters: {}, bands: NAMES, cloudiest: scenes[0]!, commonNames: COMMON })).toBeNull();
  });
});
