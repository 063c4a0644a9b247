// Detects changes in scenes with some threads, into a store that is thrown away, and prints the seconds as JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectScenes } from '../../build/node.js';

const [items, threads] = process.argv.slice(2);
const store = mkdtempSync(join(tmpdir(), 'stackwise-bench-'));
const start = performance.now();
const { pixels } = await detectScenes(items, { store }, { threads: Number(threads) });
const seconds = (performance.now() - start) / 1000;
rmSync(store, { recursive: true });
if (pixels.failed > 0) throw new Error(`${pixels.failed} pixels failed`);
console.log(JSON.stringify({ seconds, px: pixels.withSegments + pixels.empty }));
