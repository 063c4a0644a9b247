import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedGrid, simulateScenes } from '../../build/app/simulate.js';
import { planSimulation, renderScene, renderTruth } from '../../build/app/simulation/scene.js';
import { openCog } from '../../build/io/cog.js';
import { readScenes } from '../../build/io/stac.js';
import { storeFor } from '../../build/io/stores.js';
import { readWindow } from '../../build/io/window.js';

const SMALL = { seed: 3, dates: 12, size: 96 };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-simulate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a simulated year', () => {
  const simulation = planSimulation(SMALL);
  const images = simulation.scenes.map((scene) => renderScene(simulation, scene));

  it('is the same on every engine', () => {
    const sha = createHash('sha256');
    // Byte by byte, so that the machine's byte order does not matter.
    for (const { bands, scl } of images) {
      for (const data of Object.values(bands))
        for (const value of data) sha.update(Uint8Array.of(value & 255, value >> 8));
      sha.update(scl);
    }
    expect(sha.digest('hex')).toMatchInlineSnapshot(
      `"28041fd39d62988fa7e2f1dec306d1a690cf23ce6bb2fedde0aa83fdf939f845"`,
    );
  });

  it('has a date in two scenes, and another land for another seed', () => {
    const days = simulation.scenes.map(({ timeMs }) => new Date(timeMs).toISOString().slice(0, 10));
    expect(days).toHaveLength(13);
    expect(new Set(days).size).toBe(12);
    expect(planSimulation({ ...SMALL, seed: 4 }).land.fine.material).not.toEqual(simulation.land.fine.material);
  });

  it('has clear and cloudy scenes, and classes that Sen2Cor knows', () => {
    const covers = images.map(({ cloudCoverPercent }) => cloudCoverPercent);
    expect(Math.min(...covers)).toBeLessThan(15);
    expect(Math.max(...covers)).toBeGreaterThan(60);
    const classes = new Set(images.flatMap(({ scl }) => [...scl]));
    for (const expected of [0, 3, 4, 5, 8, 9]) expect(classes).toContain(expected);
    expect(Math.max(...classes)).toBeLessThanOrEqual(10);
  });

  it('shows the truth where it is clear: the median of clear dates is near it', () => {
    const truths = simulation.scenes.map((scene) => renderTruth(simulation, scene));
    const half = simulation.size / 2;
    const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
    const errors: number[] = [];
    for (let i = 0; i < simulation.size ** 2; i++) {
      const coarse = (Math.floor(i / simulation.size) >> 1) * half + ((i % simulation.size) >> 1);
      const clear = images.flatMap(({ clear }, t) => (clear[coarse] ? [t] : []));
      if (clear.length < 3) continue;
      const seen = middle(clear.map((t) => images[t]!.bands.B08![i]!));
      const truth = middle(clear.map((t) => truths[t]!.B08![i]!));
      errors.push(Math.abs(seen - truth) / truth);
    }
    expect(errors.length).toBeGreaterThan(1000);
    expect(middle(errors)).toBeLessThan(0.06);
  });

  it('refuses sizes that cannot be', () => {
    expect(() => planSimulation({ size: 47 })).toThrow('half the size of a simulation is a whole number');
    expect(() => planSimulation({ dates: 0 })).toThrow('dates of a simulation');
  });
});

describe('a simulated collection', () => {
  it('is read back as it was made', async () => {
    const options = { seed: 5, dates: 4, size: 48, tenMetreBands: 2, twentyMetreBands: 1, tileSize: 16 };
    const { path, simulation, items } = await simulateScenes(folder, options);
    const scenes = await readScenes(path);
    expect(items).toHaveLength(5);
    expect(scenes.map(({ id }) => id)).toEqual(simulation.scenes.map(({ id }) => id));
    const image = renderScene(simulation, simulation.scenes[1]!);
    expect(scenes[1]).toMatchObject({
      timeMs: simulation.scenes[1]!.timeMs,
      cloudCoverPercent: image.cloudCoverPercent,
    });
    expect(Object.keys(scenes[1]!.bands)).toEqual(['B02', 'B03', 'B11', 'SCL']);
    for (const [name, px, data] of [
      ['B03', 48, image.bands.B03],
      ['B11', 24, image.bands.B11],
      ['SCL', 24, image.scl],
    ] as const) {
      const { href, grid } = scenes[1]!.bands[name]!;
      const raster = await openCog(href, { store: storeFor(href) });
      expect(grid).toMatchObject({ affine: raster.header.grid!.affine, width: px, height: px });
      expect(raster.header.grid!.affine).toEqual(simulatedGrid(48, 480 / px).affine);
      const [read] = await readWindow(raster, {
        level: 0,
        window: { col: 0, row: 0, width: px, height: px },
        bands: [0],
      });
      expect(read).toEqual(data);
      await raster.close();
    }
  });
});
