import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFlatCog } from '../fixture/flat-cog.js';

const cli = resolve(import.meta.dirname, '../../build/app/cli.js');
const data = process.env.STACKWISE_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
const configs = join(data, 'odc-stats-configs');
const db = join(data, 'odc-dscache-db/ga_ls8c_ard_3_2015-01--P3M.db');
const present = existsSync(configs) && existsSync(db);
const BUCKET = 's3://dea-public-data/';
/** Two scenes of two days. */
const TASK = '2015--P1Y/6/25';

interface Dataset {
  id: string;
  uris: string[];
  metadata: {
    crs: string;
    grids: Record<string, { shape: [number, number]; transform: number[] }>;
    measurements: Record<string, { path: string; grid?: string }>;
  };
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-run-configs-'));
  if (!present) return;
  const { groups } = JSON.parse(readFileSync(`${db}.index.json`, 'utf8')) as { groups: Record<string, string[]> };
  const uuids = groups['au-30/2015--P1Y/+0006/+0025']!;
  const lines = gunzipSync(readFileSync(`${db}.datasets.jsonl.gz`))
    .toString()
    .trim()
    .split('\n');
  const datasets = lines.map((line) => JSON.parse(line) as Dataset).filter(({ id }) => uuids.includes(id));
  expect(datasets).toHaveLength(2);
  for (const dataset of datasets) await mirror(dataset);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Files of the real sizes where a dataset says that they lie. */
async function mirror({ uris, metadata }: Dataset): Promise<void> {
  const place = join(folder, 'mirror', dirname(uris[0]!.slice(BUCKET.length)));
  await mkdir(place, { recursive: true });
  for (const [name, { path, grid = 'default' }] of Object.entries(metadata.measurements)) {
    const { shape, transform } = metadata.grids[grid]!;
    const isValue = name.startsWith('nbart_') && name !== 'nbart_contiguity';
    const source = join(place, `${isValue ? 'value' : 'flag'}-${grid}.tif`);
    if (!existsSync(source))
      await writeFlatCog(source, {
        width: shape[1],
        height: shape[0],
        value: 1,
        dtype: isValue ? 'i16' : 'u8',
        nodata: isValue ? -999 : 0,
        epsg: Number(metadata.crs.replace('epsg:', '')),
        corner: [transform[2]!, transform[5]!],
        pixel: transform[0]!,
        overviews: 2,
      });
    await link(source, join(place, path));
  }
}

function dryRun(config: string, args: readonly string[], env: Record<string, string> = {}) {
  const all = ['run', db, TASK, '--config', join(configs, config), '--dry-run', ...args];
  const mapped = [...all, '--href-map', `${BUCKET}=${join(folder, 'mirror')}`];
  return new Promise<{ code: number | null; out: string; told: string[] }>((done) => {
    const child = spawn(process.execPath, [cli, ...mapped], { cwd: folder, env: { ...process.env, ...env } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.stderr.on('data', (part) => {
      err += part;
    });
    const told = () =>
      err
        .split('\n')
        .filter(Boolean)
        .map((line) => (line.startsWith('{') ? JSON.parse(line).text : line));
    child.on('close', (code) => done({ code, out, told: told() }));
  });
}

const NAMES = present ? readdirSync(configs).filter((name) => name.endsWith('.yaml')) : [];
/** Where all tiles of a product lie in theirs, below the location. */
const itemOf = (product: string) => `x06/y25/2015--P1Y/${product}_x06y25_2015--P1Y_final.stac-item.json`;

describe.skipIf(!present)('production configurations of odc-stats, unmodified (skipped without STACKWISE_DATA)', () => {
  it('are fourteen', () => expect(NAMES).toHaveLength(14));

  it.each(NAMES)('%s is listed', async (name) => {
    const product = /ga_\w+(?=\.yaml$)/.exec(name)![0];
    const { code, out, told } = await dryRun(name, ['--location', 'out']);
    expect(out).toBe(`x06/y25/2015--P1Y days=002 ds=0002 out/${itemOf(product)} (new)\n`);
    const plugin = /^plugin: ([\w-]+)/m.exec(readFileSync(join(configs, name), 'utf8'))![1]!;
    const soon = plugin.startsWith('gm-') ? [] : [expect.stringMatching(`the plugin ${plugin} cannot run yet`)];
    expect([code, told]).toEqual([0, soon]);
  });

  it('tell a destination that cannot be reached, print the lines, and end with 1', async () => {
    const name = NAMES.find((one) => one.includes('ga_ls8cls9c_gm_cyear'))!;
    const { code, out, told } = await dryRun(name, [], {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    });
    const place = `${BUCKET}derivative/ga_ls8cls9c_gm_cyear_3/4-0-0`;
    const product = 'ga_ls8cls9c_gm_cyear_3';
    expect(out).toBe(`x06/y25/2015--P1Y days=002 ds=0002 ${place}/${itemOf(product)}\n`);
    expect(told[0]).toMatch(
      /^nothing can be written to s3:\/\/dea-public-data\/derivative\/.*: cannot write .*ECONNREFUSED/,
    );
    expect([code, told.at(-1)]).toEqual([1, 'stackwise: 1 of 1 tasks could not be run']);
  }, 30_000);
});
