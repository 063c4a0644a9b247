import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './browser/bundle.js';

const root = resolve(import.meta.dirname, '..');

/** Libraries that few images need: they load when the first such image is met. */
const LAZY =
  /node_modules\/(?:@aws-sdk|@smithy|@bokuweb\/zstd-wasm|@cornerstonejs\/codec-openjpeg|geotiff|lerc|pako|proj4|zstddec)\//;

/**
 * What counts against the budget: the entry with everything that it exports, and all that it imports before it can run: the wasm is
 * in there. What loads later, on demand, does not count; nor does the worker, which a page fetches when it starts threads.
 */
function loadedAtStart(chunks: readonly Rolldown.OutputChunk[]): Rolldown.OutputChunk[] {
  const found = new Set<Rolldown.OutputChunk>();
  const add = (chunk: Rolldown.OutputChunk | undefined) => {
    if (!chunk || found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) add(chunks.find(({ fileName }) => fileName === name));
  };
  add(chunks.find(({ isEntry }) => isEntry));
  return [...found];
}

const gzippedBytes = (text: string | Uint8Array) => gzipSync(text, { level: 9 }).length;

describe('the browser entry', () => {
  let output: Rolldown.RolldownOutput['output'];
  let start: Rolldown.OutputChunk[];

  beforeAll(async () => {
    ({ output } = await bundle('everything', join(root, 'test/browser/page/everything.ts'), { write: false }));
    start = loadedAtStart(output.filter((file) => file.type === 'chunk'));
  });

  it('is at most 350 kB gzipped, with the wasm', () => {
    const bytes = start.reduce((sum, { code }) => sum + gzippedBytes(code), 0);
    expect(bytes).toBeGreaterThan(100_000); // The wasm is in it.
    expect(bytes).toBeLessThanOrEqual(350_000);
  });

  it('is as small again in a worker', () => {
    const [worker, ...others] = output.filter(({ fileName }) => /worker-[^/]*\.js$/.test(fileName));
    expect(others).toEqual([]);
    const source = worker!.type === 'asset' ? worker!.source : worker!.code;
    expect(gzippedBytes(source)).toBeLessThanOrEqual(350_000);
  });

  it('loads libraries for rare images only when they are met', () => {
    expect(start.flatMap(({ moduleIds }) => moduleIds.filter((id) => LAZY.test(id)))).toEqual([]);
  });

  it('holds nothing of Node', () => {
    const ids = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    expect(ids.length).toBeGreaterThan(50);
    // The glue of the JPEG 2000 codec names two modules that it uses in Node only; bundlers give it empty ones.
    const stubs = ['__vite-browser-external:fs', '__vite-browser-external:path'];
    const found = ids.filter((id) => !stubs.includes(id));
    expect(start.flatMap(({ moduleIds }) => moduleIds.filter((id) => stubs.includes(id)))).toEqual([]);
    expect(found.filter((id) => /^node:|browser-external|platform\.node|\.node\.js$/.test(id))).toEqual([]);
  });

  it('leaves out what a page does not use', async () => {
    const { output: small } = await bundle('one', join(root, 'test/browser/page/one-kernel.ts'), { write: false });
    const [entry] = small;
    const own = entry.moduleIds
      .filter((id) => entry.modules[id]!.renderedLength > 0)
      .map((id) => id.split('/build/')[1]);
    expect(own).not.toContain('jobs/run.js');
    expect(own).not.toContain('io/cog-writer.js');
  });
});
