import { realpathSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromium, chromiumArgs } from './test/browser/chromium.js';

if (!chromium) console.log('SKIPPED browser tests: no Chromium found; set STACKWISE_CHROMIUM to one');

/** Vitest's own page in Chromium, on the modules as they are. */
const inChromium = {
  optimizeDeps: {
    include: [
      'geotiff',
      'proj4',
      'zstddec',
      '@bokuweb/zstd-wasm',
      '@cornerstonejs/codec-openjpeg/decodewasmjs',
      'fast-check',
    ],
  },
  // node_modules may be a link to a folder elsewhere.
  server: { fs: { allow: ['.', realpathSync('node_modules')] } },
  test: {
    name: 'chromium',
    include: ['test/browser/composite.test.ts', 'test/browser/jp2.test.ts', 'test/kernels/*.test.ts'],
    // Compares with node:zlib; in Chromium the tiles of the composite go through the same kernels.
    exclude: ['test/kernels/codec.test.ts'],
    globalSetup: ['test/browser/collection.ts'],
    testTimeout: 120_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium ?? '', args: chromiumArgs } }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
};

/** A page as users build it, in Chromium without Vitest. */
const bundled = {
  test: {
    name: 'bundle',
    include: ['test/browser/bundle.test.ts', 'test/browser/ccdc.test.ts'],
    environment: 'node',
    testTimeout: 120_000,
  },
};

export default defineConfig({
  test: chromium ? { projects: [inChromium, bundled] } : { include: [], passWithNoTests: true },
});
