import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { collection } from './test/browser/collection.js';

/** A browser that is installed: STACKWISE_CHROMIUM, or one of the usual places. */
const chromium = [
  process.env.STACKWISE_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path));
if (!chromium) {
  console.log('SKIPPED browser tests: no Chromium found; set STACKWISE_CHROMIUM to one');
  process.exit(0);
}

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

export default defineConfig({
  optimizeDeps: { include: ['geotiff', 'proj4'] },
  plugins: [collection()],
  test: {
    include: ['test/browser/**/*.test.ts', 'test/kernels/*.test.ts'],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath: chromium, args: [...args, '--disable-component-update', '--disable-sync'] },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
