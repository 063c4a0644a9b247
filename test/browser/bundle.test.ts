import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium as driver } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composite, readScenes } from '../../build/index.js';
import { bundle } from './bundle.js';
import { chromium, chromiumArgs } from './chromium.js';
import { makeCollection, makeJp2Item, serveFolder } from './collection.js';
import { digestOf, OPTIONS } from './digest.js';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(root, 'build', 'bundle', 'page');

let browser: Browser;
let collection: Awaited<ReturnType<typeof makeCollection>>;
let files: Awaited<ReturnType<typeof serveFolder>>;
let site: Awaited<ReturnType<typeof serveFolder>>;
let jp2Item = '';
let expected: Record<string, string>;

beforeAll(async () => {
  await bundle('page', join(root, 'test', 'browser', 'page', 'index.html'));
  collection = await makeCollection();
  jp2Item = await makeJp2Item(collection.folder);
  // The images lie on another origin than the page, as they mostly do.
  files = await serveFolder(collection.folder);
  site = await serveFolder(folder);
  expected = digestOf(await composite(await readScenes(collection.path), { ...OPTIONS, threads: 0 }));
  browser = await driver.launch({ executablePath: chromium!, args: chromiumArgs });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all([files?.close(), site?.close()]);
  await collection?.remove();
});

describe('a page bundled by Vite', () => {
  it('holds nothing of Node', () => {
    const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(1);
    const text = scripts.map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(text.filter((script) => /["'`]node:\w+|__vite-browser-external/.test(script))).toEqual([]);
  });

  it('has its worker in a file of its own', () => {
    expect(readdirSync(join(folder, 'assets')).filter((name) => /^worker-.*\.js$/.test(name))).toHaveLength(1);
  });

  it.each([0, 2])('composites COGs over HTTP ranges with %i workers to the bits of Node', async (threads) => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    const workers = new Set<string>();
    page.on('worker', (worker) => workers.add(worker.url()));
    await page.goto(`${site.url}/index.html`);
    const digests = await page.evaluate(([url, count]) => (globalThis as unknown as PageGlobals).run(url, count), [
      `${files.url}/collection.json`,
      threads,
    ] as const);
    await page.close();
    expect(problems).toEqual([]);
    expect(digests).toEqual(expected);
    expect(workers.size).toBe(threads === 0 ? 0 : 1);
  });

  it.each([0, 2])('reads JPEG 2000 with %i workers to the bits of Node', async (threads) => {
    const item = await readScenes(jp2Item);
    const wanted = digestOf(await composite(item, { statistics: 'median', masks: ['none'], threads: 0 }));
    const page = await browser.newPage();
    await page.goto(`${site.url}/index.html`);
    const digests = await page.evaluate(([url, count]) => (globalThis as unknown as PageGlobals).jp2(url, count), [
      `${files.url}/jp2/item.json`,
      threads,
    ] as const);
    await page.close();
    expect(digests).toEqual(wanted);
  });

  it('reads the files of a scene side by side', () => {
    expect(files.seen.requests).toBeGreaterThan(100);
    expect(files.seen.mostInFlight).toBeGreaterThan(2);
    expect(files.seen.mostInFlight).toBeLessThanOrEqual(12);
  });
});

interface PageGlobals {
  run(url: string, threads: number): Promise<Record<string, string>>;
  jp2(url: string, threads: number): Promise<Record<string, string>>;
}
