import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseInterval } from '../../build/geo/time.js';
import { portableItem } from '../../build/io/portable-item.js';
import { sceneOfItem } from '../../build/io/stac-item.js';
import { searchStac } from '../../build/io/stac-search.js';
import { type StacApi, startApi } from '../fixture/stac-api.js';

const data = path.join(process.env.STACKWISE_DATA ?? '', 'stac');
const present = existsSync(path.join(data, 'cdse-search'));
const document = (name: string) => JSON.parse(readFileSync(path.join(data, name), 'utf8'));
const FAST = { retry: { baseMs: 1, random: () => 0 } };

const item = (id: string, more: object = {}) => ({
  type: 'Feature',
  id,
  collection: 'c',
  properties: {},
  assets: {},
  ...more,
});
const page = (ids: string[], links: object[] = []) => ({
  value: { type: 'FeatureCollection', features: ids.map((id) => item(id)), links },
});
const idsOf = (found: { items: { id?: unknown }[] }) => found.items.map(({ id }) => id);

let api: StacApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.requests.length = 0;
});

describe('a search of a STAC API', () => {
  it('asks by POST with what was given, and nothing else', async () => {
    api.answer = () => page(['a']);
    const polygon = { type: 'Polygon', coordinates: [] };
    const query = {
      collections: ['sentinel-2-l2a'],
      ids: ['x', 'y'],
      intersects: polygon,
      interval: parseInterval('2020-05-09/..'),
      query: { 'eo:cloud_cover': { lt: 20 } },
      filter: { op: '=', args: [{ property: 'a' }, 1] },
    };
    const found = await searchStac(`${api.root}/v1/`, query);
    expect(found).toMatchObject({
      requests: 1,
      notes: [],
      searched: expect.stringContaining('/v1/search for {"collections"'),
    });
    const [request] = api.requests;
    expect([request!.method, request!.url.pathname]).toEqual(['POST', '/v1/search']);
    expect(request!.body).toEqual({
      collections: ['sentinel-2-l2a'],
      ids: ['x', 'y'],
      intersects: polygon,
      datetime: '2020-05-09T00:00:00.000Z/..',
      query: query.query,
      filter: query.filter,
      'filter-lang': 'cql2-json',
      limit: 100,
    });
    await searchStac(`${api.root}/v1/search`, { bbox: [1, 2, 3, 4], limit: 7 });
    expect(api.requests[1]!.url.pathname).toBe('/v1/search');
    expect(api.requests[1]!.body).toEqual({ bbox: [1, 2, 3, 4], limit: 7 });
  });

  it('follows POST pages with merged bodies (earth-search)', async () => {
    const next = (token: string) => ({
      rel: 'next',
      method: 'POST',
      href: `${api.root}/search`,
      merge: true,
      body: { next: token },
    });
    api.answer = ({ body }) =>
      body!.next === undefined
        ? page(['a', 'b'], [next('1')])
        : body!.next === '1'
          ? page(['c'], [next('2')])
          : page(['d']);
    const found = await searchStac(api.root, { collections: ['c'] });
    expect(idsOf(found)).toEqual(['a', 'b', 'c', 'd']);
    expect(found.requests).toBe(3);
    expect(api.requests[2]!.body).toEqual({ collections: ['c'], limit: 100, next: '2' });
  });

  it('follows POST pages with bodies of their own', async () => {
    const body = { collections: ['c'], token: 'next:x' };
    api.answer = (request) =>
      request.body!.token ? page(['b']) : page(['a'], [{ rel: 'next', method: 'POST', href: '/search', body }]);
    expect(idsOf(await searchStac(api.root, { collections: ['c'] }))).toEqual(['a', 'b']);
    expect(api.requests[1]!.body).toEqual(body);
  });

  it('falls back to GET where POST is not known, and pages by GET', async () => {
    api.answer = ({ method, url }) => {
      if (method === 'POST') return { status: 405 };
      return url.searchParams.get('token') ? page(['b']) : page(['a'], [{ rel: 'next', href: `${url.href}&token=t` }]);
    };
    const query = { collections: ['c', 'd'], bbox: [1, 2, 3, 4], query: { a: { lt: 1 } } };
    expect(idsOf(await searchStac(api.root, query))).toEqual(['a', 'b']);
    const { searchParams } = api.requests[1]!.url;
    expect(Object.fromEntries(searchParams)).toEqual({
      collections: 'c,d',
      bbox: '1,2,3,4',
      query: '{"a":{"lt":1}}',
      limit: '100',
    });
  });

  it('stops at the limit, without asking for more', async () => {
    api.answer = () => page(['a', 'b', 'c'], [{ rel: 'next', href: `${api.root}/search?page=2` }]);
    expect(idsOf(await searchStac(api.root, { limit: 2 }))).toEqual(['a', 'b']);
    expect(api.requests.length).toBe(1);
  });

  it('gives an item once', async () => {
    api.answer = ({ url }) =>
      url.search ? page(['b', 'c']) : page(['a', 'b'], [{ rel: 'next', href: `${api.root}/search?p=2` }]);
    expect(idsOf(await searchStac(api.root, {}))).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['itself', (root: string) => ({ rel: 'next', method: 'POST', href: `${root}/search` }), 'leads in a circle'],
    [
      'another server',
      () => ({ rel: 'next', href: 'https://elsewhere.test/search' }),
      'leads to another server: https://elsewhere.test/search',
    ],
    ['nowhere', () => ({ rel: 'next', href: 'https://[' }), 'a next page that is no address: https://['],
    ['a file', () => ({ rel: 'next', href: 'file:///etc/passwd' }), 'leads to another server'],
  ])('refuses pages that lead to %s', async (_, link, message) => {
    api.answer = () => page(['a'], [link(api.root)]);
    await expect(searchStac(api.root, {})).rejects.toThrow(message);
  });

  it('refuses a circle of two pages', async () => {
    api.answer = ({ url }) =>
      page(['a'], [{ rel: 'next', href: `${api.root}/search?p=${url.searchParams.get('p') === '1' ? 2 : 1}` }]);
    await expect(searchStac(api.root, {})).rejects.toThrow('leads in a circle');
    expect(api.requests.length).toBe(3);
  });

  it('asks again what failed for a passing reason, and says what did not', async () => {
    const statuses = [503, 429, 200];
    api.answer = () => ({ status: statuses.shift()!, ...page(['a']) });
    expect(idsOf(await searchStac(api.root, {}, FAST))).toEqual(['a']);
    api.answer = () => ({ status: 400, text: 'secret' });
    await expect(searchStac(`${api.root}/v1?key=SECRET`, {}, FAST)).rejects.toThrow(
      /^cannot ask http:\/\/[\d.:]+\/v1\/search: HTTP 400 Bad Request$/,
    );
    api.answer = () => ({ text: '<html>' });
    await expect(searchStac(api.root, {}, FAST)).rejects.toThrow('answers with what is no JSON');
    api.answer = () => ({ value: { type: 'Catalog' } });
    await expect(searchStac(api.root, {}, FAST)).rejects.toThrow('answers with no item collection: is it a STAC API?');
    api.answer = () => ({ status: 404 });
    await expect(searchStac(api.root, {}, FAST)).rejects.toThrow('HTTP 404');
    await expect(searchStac('not a url', {})).rejects.toThrow('is no address of a STAC API');
    await expect(searchStac('file:///x', {})).rejects.toThrow('asked by https');
  });

  it('ends when aborted', async () => {
    const stop = new AbortController();
    api.answer = () => {
      stop.abort(new Error('enough'));
      return { status: 503 };
    };
    await expect(searchStac(api.root, {}, { ...FAST, signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('items that are kept elsewhere', () => {
  const withHref = (href: string, more: object = {}) => item('a', { assets: { red: { href, ...more } } });
  const hrefOf = (found: object) => (found as { assets: { red: { href: string } } }).assets.red.href;

  it('have absolute addresses, never of files here', () => {
    expect(hrefOf(portableItem(withHref('./B04.tif'), 'https://h/v1/search'))).toBe('https://h/v1/B04.tif');
    const links = [{ rel: 'self', href: 's3://b/items/a.json' }];
    expect(hrefOf(portableItem({ ...withHref('B04.tif'), links }, 'https://h/search'))).toBe('s3://b/items/B04.tif');
    expect(hrefOf(portableItem(withHref('/etc/passwd'), 'https://h/v1/search'))).toBe('https://h/etc/passwd');
    expect(() => portableItem(withHref('file:///etc/passwd'), 'https://h/v1/search')).toThrow('names a local file');
    const local = { alternate: { local: { href: 'file:///data/x.tif' } } };
    expect(hrefOf(portableItem(withHref('https://h/x.tif', local), 'https://h/s', 'local'))).toBe('https://h/x.tif');
  });

  it('take the address that is asked for', () => {
    const both = { alternate: { s3: { href: 's3://b/x.tif' }, mine: { href: 'https://m/x.tif' } } };
    expect(hrefOf(portableItem(withHref('https://h/x.tif', both), 'https://h/s'))).toBe('https://h/x.tif');
    expect(hrefOf(portableItem(withHref('https://h/x.tif', both), 'https://h/s', 's3'))).toBe('s3://b/x.tif');
    expect(hrefOf(portableItem(withHref('https://h/x.tif', both), 'https://h/s', 'mine'))).toBe('https://m/x.tif');
    expect(hrefOf(portableItem(withHref('https://landsatlook.usgs.gov/data/x.tif', both), 'https://h/s'))).toBe(
      's3://b/x.tif',
    );
  });
});

describe.skipIf(!present)('answers of real servers (skipped without STACKWISE_DATA)', () => {
  it('Copernicus Data Space: GET pages', async () => {
    const here = (text: string) => text.replaceAll('https://stac.test', api.root);
    const [first, second] = ['search_queried.json', 'search_queried_page2.json'].map((name) =>
      here(readFileSync(path.join(data, 'cdse-search', name), 'utf8')),
    );
    api.answer = ({ url }) => ({ text: url.searchParams.get('token') ? second! : first! });
    const found = await searchStac(api.root, { collections: ['sentinel-2-l2a'], bbox: [5.07, 51.215, 5.08, 51.22] });
    expect(found.requests).toBe(2);
    const scene = sceneOfItem(found.items[0], null);
    expect(scene.radiometry).toEqual({ baseline: '05.10', offsetApplied: null });
    expect(scene.bands.B04_10m).toMatchObject({ offset: -0.1, scale: 1e-4 });
  });

  it('Planetary Computer: pages as they were recorded', async () => {
    const pages = [0, 1, 2].map((n) => document(`search-responses/intersects/page${n}.json`).response);
    api.answer = ({ body }) => {
      const n = Number(body!.page ?? 0);
      const links =
        n < 2 ? [{ rel: 'next', method: 'POST', href: `${api.root}/search`, body: { ...body, page: n + 1 } }] : [];
      return { value: { ...pages[n], links } };
    };
    const found = await searchStac(api.root, { collections: ['naip'] });
    const ids = new Set(pages.flatMap((p) => p.features.map((f: { id: string }) => f.id)));
    expect(new Set(idsOf(found))).toEqual(ids);
    expect(found.items.map((i, n) => sceneOfItem(i, null, n)).every(({ bands }) => Object.keys(bands).length > 0)).toBe(
      true,
    );
  });

  it('USGS: files from the bucket', async () => {
    api.answer = () => ({ value: { features: [document('usgs/LC08_L1GT_089074_20220506_20220512_02_T2_stac.json')] } });
    const { items } = await searchStac(api.root, { collections: ['landsat-c2l1'] });
    expect(sceneOfItem(items[0], null).bands.red!.href).toMatch(
      /^s3:\/\/usgs-landsat\/collection02\/level-1\/.*_B4\.TIF$/,
    );
  });

  it.each([
    ['earth-search', 'odc/S2A_28QCH_20200714_0_L2A.json', 'red', /^https:\/\/sentinel-cogs\.s3/],
    ['DEA', 'odc/ga_ls8c_ard_3-1-0_088080_2020-05-25_final.stac-item.json', 'nbart_red', /^(s3|https):/],
    [
      'Planetary Computer',
      'odc-stac/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json',
      'B04',
      /^https:\/\/sentinel2l2a01\.blob/,
    ],
  ])('%s', async (_, name, band, href) => {
    api.answer = () => ({ value: { features: [document(name)] } });
    const { items } = await searchStac(api.root, { ids: ['x'] });
    expect(sceneOfItem(items[0], null).bands[band]!.href).toMatch(href);
  });
});
