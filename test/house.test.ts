import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

function filesUnder(folder: string, extension = '.ts'): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}

const files = filesUnder(src);

/** Static and dynamic imports of a file; types are imports too. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g,
  );
  return [...found].map((match) => (match[1] ?? match[2])!);
}

/** Imports that load code when the file is loaded: no types, nothing lazy. */
function eagerImportsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(?!type\s)(?:[\w*{}\s,$]+from\s*)?['"]([^'"]+)['"]/g);
  return [...found].map((match) => match[1]!);
}

function target(file: string, specifier: string): string | null {
  if (specifier === '#platform') return join(src, 'platform.browser.ts');
  if (!specifier.startsWith('.')) return null;
  return resolve(dirname(file), specifier.replace(/\.js$/, '.ts'));
}

const layerOf = (file: string) => relative(src, file).split('/').slice(0, -1)[0] ?? 'leaf';

/** Who may import whom; leaves are the files at the root of src/ that are not entries. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  leaf: ['leaf', 'io'],
  geo: ['leaf', 'geo'],
  io: ['leaf', 'geo', 'io'],
  kernels: ['leaf', 'kernels'],
  stats: ['leaf', 'geo', 'io', 'kernels', 'stats'],
  jobs: ['leaf', 'geo', 'io', 'kernels', 'stats', 'jobs'],
  app: ['leaf', 'geo', 'io', 'kernels', 'stats', 'jobs', 'app'],
};
const ENTRIES = ['index.ts', 'node.ts', 'worker.ts'].map((name) => join(src, name));
/** Kernels that undo or make the encodings of files. */
const IO_KERNELS = ['codec', 'memory', 'overview', 'pack'].map((name) => join(src, 'kernels', `${name}.ts`));

/** Each third-party library, and the one place that knows it. */
const OWNERS: Record<string, readonly string[]> = {
  '@aws-sdk/client-s3': ['io/s3.ts'],
  '@cornerstonejs/codec-openjpeg': ['io/jp2-codec.ts'],
  'hyparquet-writer': ['io/parquet.ts'],
  lmdb: ['jobs/change/lmdb-file.ts'],
  fastify: ['app/service/app.ts'],
  '@fastify/swagger': ['app/service/app.ts'],
  ajv: ['app/service/validation.ts'],
  'prom-client': ['app/service/metrics.ts'],
  geotiff: ['io/geotiff-codec.ts'],
  proj4: ['geo/crs.ts'],
  zstddec: ['io/zstd-decoder.ts'],
  '@bokuweb/zstd-wasm': ['io/zstd-encoder.ts'],
  yaml: ['jobs/yaml.ts'],
};

describe('the house', () => {
  it('imports only downward', () => {
    const wrong = files
      .filter((file) => !ENTRIES.includes(file))
      .flatMap((file) =>
        importsOf(file).flatMap((specifier) => {
          const to = target(file, specifier);
          if (!to) return [];
          const [from, into] = [layerOf(file), layerOf(to)];
          const allowed = MAY_IMPORT[from]!.includes(into) || (from === 'io' && IO_KERNELS.includes(to));
          return allowed ? [] : [`${relative(src, file)} imports ${relative(src, to)}`];
        }),
      );
    expect(wrong).toEqual([]);
  });

  it('has no cycles of loaded code', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]) => {
      if (path.includes(file))
        cycles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(src, f)).join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const specifier of eagerImportsOf(file)) {
        const to = target(file, specifier);
        if (to && files.includes(to)) visit(to, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('reaches nothing of Node from the browser entry', () => {
    const seen = new Set<string>();
    const found: string[] = [];
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith('node:')) found.push(`${relative(src, file)} imports ${specifier}`);
        const to = target(file, specifier);
        if (to && files.includes(to)) visit(to);
      }
    };
    visit(join(src, 'index.ts'));
    visit(join(src, 'worker.ts'));
    expect(found).toEqual([]);
  });

  it('has one owner for each library', () => {
    const users = new Map<string, Set<string>>();
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        if (/^[.#]|^node:/.test(specifier)) continue;
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        if (name === 'commander' || name === 'geojson') continue;
        users.set(name, (users.get(name) ?? new Set()).add(relative(src, file)));
      }
    }
    for (const [name, owners] of users)
      expect(
        [...owners].filter((f) => !OWNERS[name]?.includes(f)),
        name,
      ).toEqual([]);
  });

  it('keeps files short and named by nouns', () => {
    const assembly = filesUnder(join(root, 'assembly'));
    const long = [...files, ...assembly]
      .map((file) => [relative(root, file), readFileSync(file, 'utf8').split('\n').length - 1] as const)
      .filter(([, lines]) => lines > 350);
    expect(long).toEqual([]);
    expect(files.filter((file) => /(?:utils?|helpers?|common|misc|types)\.ts$/.test(file))).toEqual([]);
  });

  it('gives both platforms the same functions', () => {
    const names = (file: string) => {
      const text = readFileSync(join(src, file), 'utf8');
      const own = [...text.matchAll(/^export (?:const|function|async function) (\w+)/gm)].map((m) => m[1]!);
      const passed = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap((m) =>
        m[1]!.split(',').map((n) => n.trim()),
      );
      return [...own, ...passed].filter(Boolean).sort();
    };
    expect(names('platform.browser.ts')).toEqual(names('platform.node.ts'));
  });

  it('lets no transcendental of Math near a result', () => {
    const assembly = filesUnder(join(root, 'assembly'));
    const reaching = files.filter((file) => ['kernels', 'stats', 'geo', 'io'].includes(layerOf(file)));
    const found = [...reaching, ...assembly].flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /\bMathf?\.(?:sin|cos|tan|exp|log\w*|pow|cbrt|atan2?|asin|acos|sinh|cosh|tanh|hypot)\(/g,
        ),
      ].map((match) => `${relative(root, file)}: ${match[0]}`),
    );
    expect(found).toEqual([]);
  });
});
