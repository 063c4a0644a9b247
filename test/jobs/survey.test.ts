import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';
import { composite, readScenes } from '../../build/node.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-survey-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('scenes whose items state a transform and no CRS', () => {
  it('lie where their files say', async () => {
    const { path, items } = await simulateScenes(folder, { dates: 2, size: 64 });
    const options = {
      bands: ['red'],
      statistics: 'max',
      bbox: [5.037, 50.911, 5.042, 50.914],
      crs: 'EPSG:3035',
      resolution: 20,
    };
    const stated = await composite(await readScenes(path), options);
    for (const file of items) {
      const item = JSON.parse(await readFile(file, 'utf8'));
      item.properties['proj:code'] = null;
      await writeFile(file, JSON.stringify(item));
    }
    const unstated = await composite(await readScenes(path), options);
    expect(unstated.results.max!.grid).toEqual(stated.results.max!.grid);
    expect(unstated.results.max!.data).toEqual(stated.results.max!.data);
    expect(stated.results.max!.data[0]!.some((value) => value > 0)).toBe(true);
  });
});
