import { appendFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCog } from '../../../build/index.js';
import { openRaster } from '../../../build/io/open-raster.js';
import { storeFor } from '../../../build/io/stores.js';
import { parseMultihash, parseSumLines } from '../../../build/jobs/verify/file-sums.js';
import { bandDifferences } from '../../../build/jobs/verify/raster-difference.js';
import { fileBeside } from '../../../build/jobs/verify/result-items.js';
import { compositeToFolder, type VerifyOptions, verify } from '../../../build/node.js';
import { makeCollection } from '../../browser/collection.js';
import { memoryRaster } from '../../fixture/memory-raster.js';
import { startS3, useS3 } from '../../fixture/s3-server.js';
import { servedFolder } from '../../fixture/served-folder.js';
import { type ResultTile, writeTileResult } from '../../fixture/tile-results.js';
import { seeded } from '../../random.js';

const LATTICE = { size: 100, resolution: 30, epsg: 3577 };
const PX = LATTICE.size ** 2;

function madeTile(x: number, change: (red: Int16Array, sd: Float32Array) => void = () => {}): ResultTile {
  const random = seeded(x + 1);
  const red = Int16Array.from({ length: PX }, () => (random() < 0.2 ? -999 : random() * 3000));
  const sd = Float32Array.from({ length: PX }, () => (random() < 0.2 ? NaN : random()));
  change(red, sd);
  return {
    x,
    y: 0,
    bands: {
      red: { data: red, dtype: 'int16', nodata: -999 },
      sd: { data: sd, dtype: 'float32', nodata: NaN },
    },
  };
}

let folder = '';
let item = '';
let stem = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-verify-'));
  item = await writeTileResult(join(folder, 'a'), madeTile(1), LATTICE);
  stem = item.replace('.stac-item.json', '');
  await writeTileResult(join(folder, 'a'), madeTile(2), LATTICE);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const told = async (options = {}) => {
  const summary = await verify(join(folder, 'a'), options);
  return summary.reports.flatMap(({ problems }) =>
    problems.map(
      ({ where, what, wanted, got }) => `${where.slice(dirname(item).length + 1)}: ${what}: ${wanted} | ${got}`,
    ),
  );
};

async function editItem(
  edit: (item: {
    id: string;
    assets: Record<string, Record<string, unknown>>;
    properties: Record<string, unknown>;
  }) => void,
) {
  const document = JSON.parse(await readFile(item, 'utf8'));
  edit(document);
  await writeFile(item, JSON.stringify(document));
}

const TITLE = 'gm_x1y0_2019--P1Y_final';

describe('verify', () => {
  it('finds results that are whole in a folder and below', async () => {
    const summary = await verify(join(folder, 'a'));
    // Two rasters, the dataset's document and the sums of each.
    expect(summary).toMatchObject({ items: 2, files: 8, problems: 0, wrong: 0 });
    expect(summary.reports.map(({ title, summed }) => [title, summed])).toEqual([
      [TITLE, 3],
      ['gm_x2y0_2019--P1Y_final', 3],
    ]);
    expect(summary.reports[0]!.against).toBeNull();
    expect(await verify(item)).toMatchObject({ items: 1, wrong: 0 });
  });

  it('takes composites for results', async () => {
    const collection = await makeCollection();
    try {
      const out = join(folder, 'composite');
      await compositeToFolder(collection.path, out, { bands: ['B04'], statistics: 'median,count', threads: 0 });
      expect(await verify(out)).toMatchObject({ items: 1, files: 2, wrong: 0 });
      await truncate(join(out, 'median.tif'), 900);
      const [report] = (await verify(out)).reports;
      expect(report!.problems.map(({ what }) => what)).toEqual(['file:size', 'file:checksum (sha256)', 'file']);
    } finally {
      await collection.remove();
    }
  });

  it('tells a flipped bit, by both sums', async () => {
    const path = `${stem}_red.tif`;
    const bytes = await readFile(path);
    bytes[bytes.length - 100]! ^= 1;
    await writeFile(path, bytes);
    const lines = await told();
    expect(
      lines.map((line) =>
        line
          .split(' | ')[0]!
          .slice(0, 60)
          .replace(/[0-9a-f]{20,}/, 'HASH'),
      ),
    ).toEqual([
      expect.stringMatching(new RegExp(`^${TITLE}_red.tif: file:checksum`)),
      expect.stringMatching(new RegExp(`^${TITLE}_red.tif: sha1: `)),
    ]);
  });

  it('tells what is missing, longer, or no item any more', async () => {
    await rm(`${stem}_red.tif`);
    await appendFile(`${stem}_sd.tif`, 'x');
    const lines = await told();
    expect(lines[0]).toBe(`${TITLE}_red.tif: file: to be there | none`);
    expect(lines[1]).toMatch(/_sd.tif: file:size: \d+ \| \d+$/);
    await writeFile(item, '{"type": "Feat');
    expect((await told())[0]).toMatch(/^gm_x1y0_2019--P1Y_final.stac-item.json: item: a STAC item \| .*JSON/);
  });

  it('decodes what no sum vouches for', async () => {
    await editItem(({ assets }) => {
      for (const asset of Object.values(assets)) {
        delete asset['file:checksum'];
        delete asset['file:size'];
      }
    });
    await rm(`${stem}.sha1`);
    expect(await told()).toEqual([]);
    expect((await verify(item)).reports[0]).toMatchObject({ files: 2, summed: 0 });
    const bytes = await readFile(`${stem}_red.tif`);
    bytes.fill(0, bytes.length - 3000, bytes.length - 10);
    await writeFile(`${stem}_red.tif`, bytes);
    expect((await told())[0]).toMatch(/_red.tif: file: to be readable \| /);
  });

  it('tells rasters that are not what the item says', async () => {
    await editItem(({ assets, properties }) => {
      assets.red!.data_type = 'uint16';
      assets.red!.nodata = 0;
      assets.sd!.bands = [{ name: 'sd' }, { name: 'more' }];
      properties['proj:shape'] = [100, 101];
    });
    expect(await told()).toEqual([
      `${TITLE}_red.tif: proj:shape: 100 × 101 | 100 × 100`,
      `${TITLE}_red.tif: data_type: uint16 | int16`,
      `${TITLE}_red.tif: nodata: 0 | -999`,
      `${TITLE}_sd.tif: proj:shape: 100 × 101 | 100 × 100`,
      `${TITLE}_sd.tif: bands: 2 | 1`,
    ]);
  });

  it('tells a dataset of another id or other files, and sums that leave data out', async () => {
    await writeFile(
      `${stem}.odc-metadata.yaml`,
      'id: other\nmeasurements:\n  red: {path: nothing.tif}\n  sd: {path: ../x.tif}\n',
    );
    await writeFile(`${stem}.sha1`, `${'0'.repeat(40)}  ../../../etc/passwd\n`);
    const lines = await told();
    expect(lines).toContain(`${TITLE}.sha1: sha1: lines of a hash and a file of the folder | "../../../etc/passwd"`);
    expect(lines).toContainEqual(expect.stringMatching(/\.sha1: sha1: a line for .*_red\.tif \| none/));
    expect(lines).toContainEqual(expect.stringMatching(/\.yaml: id: 6f34c6f4.* \| "other"/));
    expect(lines).toContainEqual(
      expect.stringMatching(/\.yaml: measurements\.red: a file of the item \| .*nothing\.tif/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/\.yaml: measurements\.sd\.path: a path in the folder \| /));
    expect(lines).toContainEqual(expect.stringMatching(/\.yaml: measurements: .*_sd\.tif \| none/));
  });

  it.each([
    '../secret.tif',
    '/etc/passwd',
    'file:///etc/passwd',
    's3://bucket/x.tif',
    'a/../../b.tif',
    '%2e%2e/x.tif',
    '%252e%252e/x.tif',
    '..\\x.tif',
    'C:/x.tif',
    '//host/x.tif',
    '',
    7,
  ])('reads nothing at the href %j', async (href) => {
    await editItem(({ assets }) => {
      assets.red!.href = href;
    });
    expect((await told())[0]).toMatch(/assets\.red\.href: a path in the item's folder \| /);
  });

  it('tells documents that nest without end', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const text = await readFile(item, 'utf8');
    for (const member of ['"file:checksum"', '"href"', '"proj:transform"', '"file:size"', '"title"', '"data_type"']) {
      await writeFile(item, text.replace(new RegExp(`(${member}): *("[^"]*"|\\d+|\\[[^\\]]*\\])`), `$1: ${deep}`));
      const { problems } = (await verify(item)).reports[0]!;
      expect(problems.length > 0, member).toBe(!['"title"', '"data_type"'].includes(member));
    }
  });

  it('keeps within the folder', () => {
    expect(fileBeside('/a/b/item.json', './x/y.tif')).toBe('/a/b/x/y.tif');
    expect(fileBeside('item.json', 'y.tif')).toBe('y.tif');
    expect(fileBeside('s3://b/p/item.json', './y.tif')).toBe('s3://b/p/y.tif');
    expect(fileBeside('https://h/p/item.json', 'y..z.tif')).toBe('https://h/p/y..z.tif');
    expect(fileBeside('https://h/p/item.json', '%2E%2e/y.tif')).toBeNull();
  });

  it.each<[string, VerifyOptions, RegExp]>([
    ['none', {}, /cannot list/],
    ['.', { against: 'none' }, /cannot list/],
    ['a', { unequalPercent: 101 }, /from 0 to 100/],
    ['a', { tolerance: { redd: 1 } }, /no result has a band "redd"; did you mean "red"/],
    ['a', { tolerance: { '*': -1 } }, /0 or more/],
  ])('refuses %j with %j', async (source, options, message) => {
    const against = options.against && join(folder, options.against);
    await expect(verify(join(folder, source), { ...options, ...(against && { against }) })).rejects.toThrow(message);
  });
});

describe('sums', () => {
  it('are read as multiformats and sha1sum write them', () => {
    expect(parseMultihash(`1220${'AB'.repeat(32)}`)).toEqual({ kind: 'sha256', digest: 'ab'.repeat(32) });
    expect(parseMultihash(`1114${'00'.repeat(20)}`)).toEqual({ kind: 'sha1', digest: '00'.repeat(20) });
    for (const wrong of ['', '1220ab', `1221${'ab'.repeat(32)}`, 'zz', `1220${'ab'.repeat(33)}`])
      expect(parseMultihash(wrong)).toBeNull();
    const hash = 'a'.repeat(40);
    expect(parseSumLines(`${hash}  a b.tif\n\n${hash}\tc.tif\r\n${hash} *d.tif\nnonsense`)).toEqual([
      { digest: hash, name: 'a b.tif' },
      { digest: hash, name: 'c.tif' },
      { digest: hash, name: 'd.tif' },
      null,
    ]);
  });
});

describe('verify against', () => {
  const other = async (change: Parameters<typeof madeTile>[1]) => {
    await writeTileResult(join(folder, 'b'), madeTile(1, change), LATTICE);
    await writeTileResult(join(folder, 'b'), madeTile(2), LATTICE);
  };
  const compared = async (options = {}) => {
    const summary = await verify(join(folder, 'a'), { against: join(folder, 'b'), ...options });
    return { wrong: summary.wrong, bands: summary.reports[0]!.against!.bands, reports: summary.reports };
  };

  it('finds equal pixels equal', async () => {
    await other(() => {});
    const { wrong, reports } = await compared();
    expect(wrong).toBe(0);
    expect(reports.map(({ against }) => against!.sameId)).toEqual([true, true]);
    expect(reports[1]!.against!.bands[1]).toEqual({
      ...{ asset: 'sd', band: 'sd', tolerance: 0, isEqual: true, px: PX, unequalPx: 0, maskPx: 0, maximum: 0, mean: 0 },
      worst: null,
    });
  });

  it('counts what differs, band by band, and where most', async () => {
    const places: number[] = [];
    await other((red, sd) => {
      for (let i = 0; places.length < 5; i += 701) if (red[i] !== -999 && !Number.isNaN(sd[i]!)) places.push(i);
      for (const [k, i] of places.entries()) red[i]! += k + 1;
      sd[places[0]!] = Number.NaN;
      sd[places[1]!]! += 0.5;
    });
    const [red, sd] = (await compared()).bands;
    const worst = places[4]!;
    expect(red).toMatchObject({ unequalPx: 5, maskPx: 0, maximum: 5, isEqual: false });
    expect(red!.worst).toMatchObject({ col: worst % 100, row: Math.floor(worst / 100) });
    expect(red!.mean).toBeCloseTo(15 / madeTile(1).bands.red!.data.filter((v) => v !== -999).length, 12);
    expect(sd).toMatchObject({ unequalPx: 1, maskPx: 1, isEqual: false });
    expect(sd!.maximum).toBeCloseTo(0.5, 6);
    const within = (options: object) =>
      compared(options).then(({ bands, wrong }) => [...bands.map(({ isEqual }) => isEqual), wrong]);
    expect(await within({ tolerance: { red: 5, sd: 0.6 } })).toEqual([true, false, 1]);
    expect(await within({ tolerance: { '*': 5 }, unequalPercent: 0.01 })).toEqual([true, true, 0]);
    expect(await within({ tolerance: { red: 4 }, unequalPercent: 0.01 })).toEqual([true, false, 1]);
  });

  it('pairs by title where folders differ, and tells what has no partner', async () => {
    await other(() => {});
    await rename(join(folder, 'b/x1'), join(folder, 'b/moved'));
    await rm(join(folder, 'b/x2'), { recursive: true });
    await writeTileResult(join(folder, 'b'), madeTile(3), LATTICE);
    const { wrong, reports } = await compared();
    expect(wrong).toBe(2);
    expect(
      reports.map(({ title, problems }) => [
        title,
        problems.map(({ what, wanted }) => `${what}: ${wanted.replace(folder, '')}`),
      ]),
    ).toEqual([
      [TITLE, []],
      ['gm_x2y0_2019--P1Y_final', ['partner: gm_x2y0_2019--P1Y_final in /b']],
      ['gm_x3y0_2019--P1Y_final', ['partner: gm_x3y0_2019--P1Y_final among the results']],
    ]);
  });

  it('tells other grids, types and bands instead of comparing', async () => {
    const tile = madeTile(1);
    const { red, sd } = tile.bands;
    const renamed = {
      ...tile,
      bands: { red: { ...red!, data: Int32Array.from(red!.data), dtype: 'int32' }, other: sd! },
    };
    const path = await writeTileResult(join(folder, 'b'), renamed, { ...LATTICE, resolution: 20 });
    const [report] = (await verify(item, { against: path })).reports;
    expect(report!.problems.map(({ what }) => what)).toEqual(['grid', 'type', 'assets.sd', 'assets.other']);
    expect(report!.against!.bands.map(({ band, unequalPx }) => [band, unequalPx])).toEqual([['red', 0]]);
  });
});

describe('differences of rasters', () => {
  it('are the same however tiles lie, and exact for infinities and 64 bits', async () => {
    const grid = {
      crs: { epsg: 32631, definition: null, geoKeys: null },
      affine: [10, 0, 0, 0, -10, 0] as const,
      width: 37,
      height: 23,
    };
    const random = seeded(3);
    const data = Float32Array.from({ length: 37 * 23 }, () => random() * 100);
    const changed = data.slice();
    changed[5 * 37 + 30] = Infinity;
    data[0] = changed[0] = -Infinity;
    const raster = (tileSize: number, values: Float32Array) =>
      memoryRaster({ url: 'x', grid, dtype: 'f32', nodata: null, tileSize, bands: [values] });
    for (const [p, q] of [
      [8, 16],
      [16, 8],
      [64, 5],
    ] as const) {
      const pair = [raster(p, data), raster(q, changed)] as const;
      const [difference] = await bandDifferences(pair, [{ ours: 0, theirs: 0, tolerance: 1e9 }]);
      expect(difference).toMatchObject({ unequalPx: 1, maximum: Infinity, worst: { col: 30, row: 5 } });
    }
  });

  it('are exact where floats are not, and between types', async () => {
    const grid = {
      crs: { epsg: 32631, definition: null, geoKeys: null },
      affine: [10, 0, 0, 0, -10, 0] as const,
      width: 4,
      height: 1,
    };
    const big = 2n ** 60n;
    const wide = (values: bigint[]) => {
      const raster = memoryRaster({ url: 'x', grid, dtype: 'u8', nodata: -1, tileSize: 4, bands: [new Uint8Array(4)] });
      const readTile: typeof raster.readTile = async (_, __, take) => take(BigInt64Array.from(values), 0);
      const header = { ...raster.header, bands: [{ ...raster.header.bands[0]!, dtype: 'i64' as const, nodata: -1 }] };
      return { ...raster, header, readTile };
    };
    const pair = [wide([big, 5n, -1n, -1n]), wide([big + 1n, 5n, -1n, 3n])] as const;
    const [difference] = await bandDifferences(pair, [{ ours: 0, theirs: 0, tolerance: 0 }]);
    expect(difference).toMatchObject({ unequalPx: 1, maskPx: 1, maximum: 1, mean: 0.5, worst: { col: 0, row: 0 } });
  });

  it('are found in a raster of many blocks', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'stackwise-difference-'));
    const [width, height] = [2600, 1300];
    const grid = {
      crs: { epsg: 32631, definition: null, geoKeys: null },
      affine: [10, 0, 0, 0, -10, 0] as const,
      width,
      height,
    };
    const data = Uint8Array.from({ length: width * height }, (_, i) => 1 + (i % 251));
    const changed = data.slice();
    const at = 1299 * width + 2599;
    changed[at] = 0;
    try {
      await writeCog(
        join(dir, 'a.tif'),
        { grid, names: ['a'], data: [data], nodata: null },
        { level: 1, overviews: 'none' },
      );
      await writeCog(
        join(dir, 'b.tif'),
        { grid, names: ['a'], data: [changed], nodata: null },
        { tileSize: 176, level: 1, overviews: 'none' },
      );
      const pair = [await openRaster(join(dir, 'a.tif')), await openRaster(join(dir, 'b.tif'))] as const;
      const [difference] = await bandDifferences(pair, [{ ours: 0, theirs: 0, tolerance: 0 }]);
      expect(difference).toMatchObject({ unequalPx: 1, maximum: data[at], worst: { col: 2599, row: 1299, theirs: 0 } });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('verify over HTTP', () => {
  it('takes the address of an item, and reads nothing beyond its folder', async () => {
    const { url, asked, stop } = await servedFolder(join(folder, 'a'));
    try {
      const address = url + item.slice(join(folder, 'a').length);
      expect((await verify(address)).reports[0]).toMatchObject({ title: TITLE, files: 4, summed: 3, problems: [] });
      await editItem(({ assets }) => {
        assets.red!.href = '%2e%2e/%2e%2e/secret.tif';
      });
      asked.length = 0;
      expect((await verify(address)).wrong).toBe(1);
      expect(asked.filter((path) => path.includes('secret'))).toEqual([]);
      await expect(verify(url)).rejects.toThrow(/servers do not list their folders/);
    } finally {
      stop();
    }
  });
});

describe('verify in a bucket', () => {
  let stop = async () => {};
  let undo = () => {};
  beforeAll(async () => {
    const server = await startS3('results');
    undo = useS3(server);
    stop = server.stop;
  });
  afterAll(async () => {
    undo();
    await stop();
  });

  it('reads the same as on the disk', async () => {
    const base = join(folder, 'a');
    const files = [
      ...['_red.tif', '_sd.tif', '.sha1', '.odc-metadata.yaml', '.stac-item.json'].map((end) => stem + end),
    ];
    for (const file of files) {
      const url = `s3://results/run/${file.slice(base.length + 1)}`;
      await storeFor(url).write(url, await readFile(file));
    }
    const summary = await verify('s3://results/run', { against: base });
    expect(summary.reports[0]).toMatchObject({
      title: TITLE,
      files: 4,
      summed: 3,
      problems: [],
      against: { sameId: true },
    });
    expect(summary.reports[0]!.against!.bands.every(({ isEqual }) => isEqual)).toBe(true);
    await storeFor('s3://results/x').write(
      `s3://results/run/${files[0]!.slice(base.length + 1)}`,
      Buffer.from('short'),
    );
    expect((await verify('s3://results/run')).wrong).toBe(1);
  });
});
