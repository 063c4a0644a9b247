// What a user's page does: the package by its name, items from a server, two workers.
import { composite, readScenes } from 'stackwise';
import { digestOf, OPTIONS } from '../digest.js';

async function run(url: string, threads: number): Promise<Record<string, string>> {
  return digestOf(await composite(await readScenes(url), { ...OPTIONS, threads }));
}

Object.assign(globalThis, { run });
