import { existsSync } from 'node:fs';

/** A browser that is installed: STACKWISE_CHROMIUM, or one of the usual places; null where there is none. */
export const chromium: string | null =
  [
    process.env.STACKWISE_CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ].find((path) => path && existsSync(path)) ?? null;

/** Runs without a sandbox, because a container's root may not make one, and stays off the network. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
