import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configOf, statsConfig } from '../../../build/jobs/task/stats-config.js';
import { IDLE_KEYS, parseCogOpts } from '../../../build/jobs/tile/cog-opts.js';
import { parseYaml } from '../../../build/jobs/yaml.js';

const folder = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-stats-configs');
const USUAL = { compression: 'deflate', tileSize: 800, overviewTileSize: 256, overviews: 'average' };

describe('options of all bands', () => {
  it('are those of odc-stats where nothing is said', () => {
    for (const given of [undefined, {}]) {
      const { choicesFor, bands, notes } = parseCogOpts(given);
      expect([choicesFor('red'), bands, notes]).toEqual([USUAL, [], []]);
    }
  });

  it.each([
    [{ compress: 'DEFLATE', zlevel: '6' }, { level: 6 }],
    [{ compression: 'Zstd', zlevel: 9 }, { compression: 'zstd' }],
    [
      { compress: 'zstd', zstd_level: 19 },
      { compression: 'zstd', level: 19 },
    ],
    [{ compress: 'NONE' }, { compression: 'none' }],
    [
      { blocksize: 1024, ovr_blocksize: 512 },
      { tileSize: 1024, overviewTileSize: 512 },
    ],
    [{ 'overview-resampling': 'Nearest' }, { overviews: 'nearest' }],
    [{ overview_levels: [2, 4] }, {}],
    [{ overview_levels: [] }, { overviews: 'none' }],
    [{ predictor: 2 }, { predictor: 2 }],
    [{ predictor: true }, { predictor: 'auto' }],
    [{ predictor: false }, { predictor: 1 }],
    [{ nodata: 'nan' }, { nodata: Number.NaN }],
    [{ nodata: -999 }, { nodata: -999 }],
    [{ bigtiff: 'IF_SAFER' }, { bigTiff: 'auto' }],
    [{ bigtiff: 'YES' }, { bigTiff: true }],
    [{ zlevel: null }, {}],
    [Object.fromEntries(IDLE_KEYS.map((key) => [key, 1])), {}],
  ])('%j', (given, wanted) => {
    expect(parseCogOpts(given).choicesFor('red')).toEqual({ ...USUAL, ...wanted });
  });

  it('sides of tiles are rounded up to what a TIFF can have, and a note says so', () => {
    const { choicesFor, notes } = parseCogOpts({ blocksize: 1000 });
    expect(choicesFor('red').tileSize).toBe(1008);
    expect(notes).toEqual(['blocksize 1000 becomes 1008: tiles are multiples of 16 px']);
  });
});

describe('options of some bands', () => {
  const choices = parseCogOpts({
    zlevel: 6,
    overrides: { rgba: { compress: 'JPEG', jpeg_quality: 90 }, count: { overview_resampling: 'mode' } },
    qa: { overview_resampling: 'nearest', blocksize: 512 },
  });

  it('stand over those of all', () => {
    expect(choices.bands).toEqual(['rgba', 'count', 'qa']);
    expect(choices.choicesFor('red')).toEqual({ ...USUAL, level: 6 });
    expect(choices.choicesFor('count')).toEqual({ ...USUAL, level: 6, overviews: 'mode' });
    expect(choices.choicesFor('qa')).toEqual({ ...USUAL, level: 6, overviews: 'nearest', tileSize: 512 });
  });

  it('a picture keeps every pixel, and a note says so', () => {
    expect(choices.choicesFor('rgba')).toEqual({ ...USUAL, level: 6 });
    expect(choices.notes).toEqual([
      'rgba is written with deflate compression, not jpeg: the same picture without loss, and larger',
    ]);
    expect(parseCogOpts({ overrides: { rgba: { compression: 'webp', webp_level: 80 } } }).notes[0]).toContain('webp');
  });
});

describe('refusals', () => {
  it.each([
    [{ zleve: 9 }, 'InputError', 'unknown key "zleve"; did you mean "zlevel"?'],
    [{ overrides: { rgba: { qualty: 9 } } }, 'InputError', 'unknown key "qualty" for rgba; did you mean "quality"?'],
    [{ zlevel: 10 }, 'InputError', '"zlevel" is a whole number from 0 to 9, and got 10'],
    [{ zlevel: 'high' }, 'InputError', 'and got "high"'],
    [{ blocksize: 0 }, 'InputError', '"blocksize" is a whole number from 1 to 32768, and got 0'],
    [{ predictor: 4 }, 'InputError', '"predictor" is 1, 2, 3 or auto, and got 4'],
    [{ compress: 8 }, 'InputError', '"compress" takes a name, and got 8'],
    [{ compress: 'lzw', compression: 'lzw' }, 'InputError', '"compress" is given twice'],
    [{ nodata: 'none' }, 'InputError', '"nodata" takes a number, and got "none"'],
    [{ bigtiff: 'maybe' }, 'InputError', '"bigtiff" is yes, no, if_needed or if_safer, and got "maybe"'],
    [{ overview_levels: 3 }, 'InputError', '"overview_levels" takes a list, and got 3'],
    [{ overrides: 3 }, 'InputError', '"overrides" takes an object of bands, and got 3'],
    [{ overrides: { rgba: 3 } }, 'InputError', '"overrides" has 3 for rgba'],
    [{ overrides: { rgba: {} }, rgba: {} }, 'InputError', 'options of "rgba" are given twice'],
    [{ compress: 'LZW' }, 'UnsupportedError', 'lzw compression is not written: there are deflate, zstd and none'],
    [{ compress: 'jpeg' }, 'UnsupportedError', 'jpeg compression is not written'],
    [{ overrides: { red: { compress: 'webp' } } }, 'UnsupportedError', 'webp compression of red is not written'],
    [{ overview_resampling: 'cubic' }, 'UnsupportedError', 'by "cubic" are not made: there are nearest, average, mode'],
  ])('%j', (given, name, message) => {
    expect(() => parseCogOpts(given)).toThrow(
      expect.objectContaining({ name, message: expect.stringContaining(message) }),
    );
  });
});

describe.skipIf(!existsSync(folder))('published configurations', () => {
  it.each(existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yaml')) : [])(
    '%s',
    async (name) => {
      const config = statsConfig(await parseYaml(readFileSync(join(folder, name), 'utf8'), name), name);
      const { choicesFor, notes } = parseCogOpts(configOf(config, 'run').cog_opts);
      expect([choicesFor('red'), notes]).toEqual([{ ...USUAL, level: 9 }, []]);
    },
  );
});
