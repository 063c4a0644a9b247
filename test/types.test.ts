import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
/** Inside the package, so that its own name resolves through its exports. */
const folder = join(root, 'build', 'test', 'consumer');

const SHARED = `import { type CompositeOptions, composite, geomedian, median, readScenes, writeCog } from 'stackwise';

const options: CompositeOptions = { bands: ['red'], statistics: 'median', threads: 0 };
export async function use(url: string): Promise<number> {
  const { results, plan } = await composite(await readScenes(url), options);
  if (results.median) await writeCog('median.tif', results.median);
  return plan.threads;
}
export const centre: Float32Array = geomedian(new Uint16Array(6), { nBand: 2, nTime: 3, nPx: 1 }).median;
export const middle: number | undefined = median(Uint16Array.of(1, 2, 3), { nTime: 3, nPx: 1 })[0];
// @ts-expect-error: a statistic is text
export const wrong: CompositeOptions = { statistics: 3 };
`;
const NODE_ONLY = `import { compositeToFolder } from 'stackwise/node';
export const run: (items: string, out: string) => Promise<object> = (items, out) => compositeToFolder(items, out, {});
`;

const BASE: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: false, // Our declarations must stand on what a user has.
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
};
const { Bundler, NodeNext } = ts.ModuleResolutionKind;
const WAYS: [name: string, options: ts.CompilerOptions][] = [
  ['NodeNext', { module: ts.ModuleKind.NodeNext, moduleResolution: NodeNext }],
  ['a bundler', { module: ts.ModuleKind.ESNext, moduleResolution: Bundler }],
  [
    'a bundler for browsers',
    { module: ts.ModuleKind.ESNext, moduleResolution: Bundler, customConditions: ['browser'] },
  ],
  ['a bundler for Node', { module: ts.ModuleKind.ESNext, moduleResolution: Bundler, customConditions: ['node'] }],
];

describe('the types', () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'shared.ts'), SHARED);
    writeFileSync(join(folder, 'node-only.ts'), NODE_ONLY);
  });

  it.each(WAYS)('resolve and hold for %s', (_, options) => {
    const files = ['shared.ts', 'node-only.ts'].map((name) => join(folder, name));
    const program = ts.createProgram(files, { ...BASE, ...options });
    const found = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
      return `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(found).toEqual([]);
  });
});
