// The missing value given on the command line or by a program, for files that state none, or a wrong one.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compositeCommand } from '../../build/app/commands/composite.js';
import { parseCrs } from '../../build/geo/crs.js';
import {
  composite,
  compositeToFolder,
  extractChips,
  type Grid,
  readScenes,
  type Scene,
  writeCog,
} from '../../build/node.js';
import { seeded } from '../random.js';

const SIZE = 40;
const GRID: Grid = {
  crs: parseCrs('EPSG:32631'),
  affine: [10, 0, 600_000, 0, -10, 5_700_000],
  width: SIZE,
  height: SIZE,
};
const ARRAYS = { u16: Uint16Array, i16: Int16Array, f32: Float32Array, u8: Uint8Array };
type Kind = keyof typeof ARRAYS;

let folder = '';
const dates: Record<string, number[][]> = {};

/** Three dates of one band, a tenth of whose samples are `missing`, which the files do not say, or say wrongly. */
async function series(name: string, kind: Kind, missing: number, stated: number | null): Promise<void> {
  const random = seeded(name.length);
  dates[name] = [];
  for (let day = 1; day <= 3; day++) {
    const home = join(folder, name, `S_2024060${day}`);
    await mkdir(home, { recursive: true });
    const data = (ARRAYS[kind] as Uint16ArrayConstructor).from({ length: SIZE * SIZE }, () =>
      random() < 0.1 ? missing : 10 + Math.floor(random() * 90),
    );
    await writeCog(
      join(home, 'B04.tif'),
      { grid: GRID, names: ['B04'], data: [data], nodata: stated },
      { tileSize: 16 },
    );
    dates[name].push(Array.from(data));
  }
}

const KINDS: readonly [name: string, kind: Kind, missing: number, stated: number | null][] = [
  ['u16 without', 'u16', 0, null],
  ['u16 wrongly', 'u16', 65535, 0],
  ['i16 without', 'i16', -9999, null],
  ['u8 without', 'u8', 255, null],
  ['f32 without', 'f32', -9999, null],
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-nodata-'));
  for (const [name, ...rest] of KINDS) await series(name, ...rest);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const OPTIONS = { bands: ['B04'], statistics: 'max,count', masks: ['none'], threads: 0 } as const;

describe('the missing value that is given', () => {
  it.each(KINDS)('counts in a composite in place of what files say: %s', async (name, _, missing) => {
    const scenes = await readScenes(join(folder, name));
    const warnings: string[] = [];
    const { results } = await composite(scenes, {
      ...OPTIONS,
      nodata: missing,
      onWarning: (text) => warnings.push(text),
    });
    const valid = dates[name]![0]!.map((_, i) =>
      dates[name]!.map((date) => date[i]!).filter((value) => value !== missing),
    );
    expect(Array.from(results.count!.data[0]!)).toEqual(valid.map((values) => values.length));
    const { nodata, data } = results.max!;
    expect(Array.from(data[0]!)).toEqual(valid.map((values) => (values.length > 0 ? Math.max(...values) : nodata)));
    expect(warnings).toEqual([]);
    const without = await composite(scenes, OPTIONS);
    expect(Array.from(without.results.count!.data[0]!)).not.toEqual(Array.from(results.count!.data[0]!));
  });

  it('overrides items too, without a word of their contradiction, and leaves masks alone', async () => {
    const found = await readScenes(join(folder, 'u16 wrongly'));
    const scenes: Scene[] = found.map((scene) => ({ ...scene, bands: { B04: { ...scene.bands.B04!, nodata: 7 } } }));
    const warnings: string[] = [];
    const options = {
      ...OPTIONS,
      masks: ['B04 drop 50'],
      nodata: 65535,
      onWarning: (text: string) => warnings.push(text),
    };
    const { results } = await composite(scenes, options);
    expect(warnings).toEqual([]);
    const valid = dates['u16 wrongly']![0]!.map(
      (_, i) => dates['u16 wrongly']!.filter((date) => date[i] !== 65535 && date[i] !== 50).length,
    );
    expect(Array.from(results.count!.data[0]!)).toEqual(valid);
  });

  it('stands in the item, and makes another run of it', async () => {
    const ids = [];
    for (const nodata of [0, 20, undefined]) {
      const out = join(folder, `out${nodata}`);
      await compositeToFolder(join(folder, 'u16 without'), out, { ...OPTIONS, nodata });
      const item = JSON.parse(await readFile(join(out, 'item.json'), 'utf8'));
      expect(item.properties['processing:expression'].expression.nodata).toBe(nodata);
      if (nodata !== undefined) expect(item.assets.max.nodata).toBe(nodata);
      ids.push(item.id);
    }
    expect(new Set(ids).size).toBe(3);
  });

  it.each(KINDS)('counts in chips: %s', async (name, _, missing) => {
    const places = [join(folder, name, 'S_20240601')];
    const points = [[600_205, 5_699_795]];
    const { mask } = await extractChips(places, points, {
      size: 5,
      nodata: missing,
      pointsCrs: 'EPSG:32631',
      threads: 0,
    });
    const date = dates[name]![0]!;
    const wanted = Array.from(
      { length: 121 },
      (_, i) => date[(15 + Math.floor(i / 11)) * SIZE + 15 + (i % 11)] !== missing,
    );
    expect(Array.from(mask, Boolean)).toEqual(wanted);
  });

  it('must be one that samples can have', async () => {
    const scenes = await readScenes(join(folder, 'u16 without'));
    const none = 'samples are uint16, and none of them can be';
    for (const nodata of [-9999, 0.5, 65536, Number.NaN])
      await expect(composite(scenes, { ...OPTIONS, nodata })).rejects.toThrow(`${none} ${nodata}`);
    const chips = extractChips(join(folder, 'u16 without'), [[600_205, 5_699_795]], {
      size: 1,
      nodata: -1,
      pointsCrs: 'EPSG:32631',
    });
    await expect(chips).rejects.toThrow(`${none} -1`);
  });

  it('is typed as a number of any sign, or nan', () => {
    const command = compositeCommand().exitOverride();
    command.action(() => {});
    command.parse(['a.json', '--nodata', '-9999', '--out', 'x'], { from: 'user' });
    expect(command.opts().nodata).toBe('-9999');
  });
});
