// Builds everything into build/: generated AssemblyScript, one wasm, its embedding module, then the TypeScript.
// The wasm steps are skipped when nothing they read has changed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);

/** Every file that decides the bytes of the wasm, hashed. */
function inputsHash() {
  const hash = createHash('sha256');
  const walk = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else hash.update(entry.name).update(readFileSync(path));
    }
  };
  walk(at('assembly'));
  hash.update(readFileSync(at('asconfig.json')));
  return hash.digest('hex');
}

/** Runs each assembly/gen/*.mjs: a generator exports `generate()`, which returns the source of build/gen/<name>.ts. */
async function generate() {
  mkdirSync(at('build', 'gen'), { recursive: true });
  for (const file of readdirSync(at('assembly', 'gen')).filter((f) => f.endsWith('.mjs'))) {
    const { generate } = await import(pathToFileURL(at('assembly', 'gen', file)).href);
    if (generate) writeFileSync(at('build', 'gen', file.replace(/\.mjs$/, '.ts')), generate());
  }
}

async function compileWasm() {
  mkdirSync(at('build', 'wasm'), { recursive: true });
  const previous = process.cwd();
  process.chdir(root);
  const { error, stderr } = await asc.main(['--config', 'asconfig.json']);
  process.chdir(previous);
  if (error) throw new Error(`asc failed: ${error.message}\n${stderr}`);
}

/** Writes the wasm as an ES module, so that Node, every bundler and a worker load it alike; types come from asc. */
function embedWasm() {
  const bytes = readFileSync(at('build', 'wasm', 'kernels.wasm'));
  writeFileSync(at('build', 'wasm', 'module.js'), `export const wasmBase64 = '${bytes.toString('base64')}';\n`);
  writeFileSync(
    at('build', 'wasm', 'module.d.ts'),
    `import type { instantiate } from './kernels.js';\nexport declare const wasmBase64: string;\nexport type KernelExports = Awaited<ReturnType<typeof instantiate>>;\n`,
  );
}

const stampFile = at('build', 'wasm', 'inputs.sha256');
const hash = inputsHash();
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== hash) {
  await generate();
  await compileWasm();
  embedWasm();
  writeFileSync(stampFile, hash);
}
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
try {
  execFileSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit' });
} catch {
  process.exit(1);
}
