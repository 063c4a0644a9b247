import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../build/app/simulate.js';

const root = resolve(import.meta.dirname, '..');
/** Inside the package, so that its own name resolves. */
const folder = join(root, 'build', 'test', 'readme');

const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(
  ([, code], i) => ({ name: `snippet ${i + 1}`, code: code!, path: join(folder, `snippet-${i + 1}.mjs`) }),
);

describe.skipIf(snippets.length === 0)('the README', () => {
  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // The demo's collection, with fewer dates, where the demo leaves it.
    await simulateScenes(join(folder, 'build', 'demo', 'scenes'), { dates: 3 });
  });

  it.each(snippets)('has a $name that runs', async ({ code, path }) => {
    const { module, target } = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(path, ts.transpileModule(code, { compilerOptions: { module, target } }).outputText);
    const { stderr } = await promisify(execFile)(process.execPath, [path], { cwd: folder });
    expect(stderr).toBe('');
  });
});
