// What a user's page does: the package by its name, items from a server, two workers.
import { composite, readScenes } from 'stackwise';
import { digestOf, OPTIONS } from '../digest.js';

async function run(url: string, threads: number): Promise<Record<string, string>> {
  return digestOf(await composite(await readScenes(url), { ...OPTIONS, threads }));
}

/** One scene of one band in JPEG 2000. */
async function jp2(url: string, threads: number): Promise<Record<string, string>> {
  return digestOf(await composite(await readScenes(url), { statistics: 'median', masks: ['none'], threads }));
}

Object.assign(globalThis, { run, jp2 });
