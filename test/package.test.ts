import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as stackwise from '../build/index.js';
import { version } from '../build/version.js';

const root = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the package', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(stackwise).sort()).toMatchInlineSnapshot(`
      [
        "ALGORITHM",
        "FormatError",
        "InputError",
        "KernelError",
        "PYCCD_BANDS",
        "PYCCD_DEFAULTS",
        "StackwiseError",
        "StoreError",
        "UnreadableScenes",
        "UnsupportedError",
        "WorkerError",
        "changeProducts",
        "chipBatches",
        "chipDictionary",
        "composite",
        "count",
        "countPixels",
        "createCog",
        "detect",
        "detectChip",
        "encodeCog",
        "encodePng",
        "extractChips",
        "fromCollection2",
        "fromJSON",
        "fromOrdinal",
        "geomedian",
        "max",
        "mean",
        "median",
        "medoid",
        "min",
        "percentile",
        "predict",
        "readPoints",
        "readScenes",
        "s3Store",
        "searchScenes",
        "std",
        "toJSON",
        "toOrdinal",
        "withRetry",
        "writeCog",
      ]
    `);
  });

  it('says its version in one way', () => {
    expect(version).toBe(manifest.version);
    expect(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')).toContain(`## ${manifest.version}`);
  });

  it('pins every dependency', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.entries(all).filter(([, v]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(String(v)))).toEqual([]);
  });

  it('needs no download address to install', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved": "http');
  });
});

describe('the wasm', () => {
  const path = join(root, 'build', 'wasm', 'kernels.wasm');
  const module = new WebAssembly.Module(readFileSync(path));

  it('stays within 600 kB', () => {
    expect(statSync(path).size).toBeLessThanOrEqual(600_000);
  });

  it('imports nothing, and exports functions and its memory only', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const kinds = WebAssembly.Module.exports(module).map(({ name, kind }) => [kind, kind === 'function' ? '' : name]);
    expect([...new Set(kinds.map((k) => k.join(' ')))].sort()).toEqual(['function ', 'memory memory']);
  });

  it('uses SIMD', () => {
    // 0xfd prefixes every SIMD instruction; the embedded module of a build without it would hold few by chance.
    const bytes = readFileSync(path);
    expect(bytes.filter((b) => b === 0xfd).length).toBeGreaterThan(1000);
  });
});
