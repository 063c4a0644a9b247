import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium as driver, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkVectors, digestOf, runMade } from '../fixture/ccdc-vectors.js';
import { bundle } from './bundle.js';
import { chromium, chromiumArgs } from './chromium.js';
import { serveFolder } from './collection.js';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(process.env.STACKWISE_DATA ?? join(root, '..', 'shared', 'data'), 'ccdc');
const present = existsSync(join(folder, 'pixels.json'));

let browser: Browser;
let page: Page;
let site: Awaited<ReturnType<typeof serveFolder>>;
let data: Awaited<ReturnType<typeof serveFolder>>;

beforeAll(async () => {
  await bundle('ccdc', join(root, 'test', 'browser', 'page', 'ccdc.html'));
  site = await serveFolder(join(root, 'build', 'bundle', 'ccdc'));
  data = await serveFolder(folder);
  browser = await driver.launch({ executablePath: chromium!, args: chromiumArgs });
  page = await browser.newPage();
  await page.goto(`${site.url}/ccdc.html`);
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all([site?.close(), data?.close()]);
});

describe('change detection in a page bundled by Vite', () => {
  it('has the bits of Node for made series', async () => {
    const digest = await page.evaluate(() => (globalThis as unknown as PageGlobals).made());
    expect(digest).toBe(digestOf(runMade()));
  });

  it.skipIf(!present)(
    'agrees with the vectors of PyCCD, with the bits of Node (skipped without STACKWISE_DATA)',
    async () => {
      const found = await page.evaluate((url) => (globalThis as unknown as PageGlobals).vectors(url), data.url);
      expect(found.differ).toEqual([]);
      expect(found.n).toBeGreaterThan(440);
      const own = await checkVectors({ bytes: async (name) => readFileSync(join(folder, name)) });
      expect(found).toEqual(own);
    },
  );
});

interface PageGlobals {
  made(): string;
  vectors(url: string): ReturnType<typeof checkVectors>;
}
