import { join, resolve } from 'node:path';
import { build, type Rolldown } from 'vite';

const root = resolve(import.meta.dirname, '..', '..');

/** Bundles a page or module for browsers, as a Vite project with default settings would, into build/bundle/<name>. */
export async function bundle(name: string, input: string, { write = true } = {}): Promise<Rolldown.RolldownOutput> {
  const output = await build({
    root: join(root, 'test', 'browser', 'page'),
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: {
      write,
      outDir: join(root, 'build', 'bundle', name),
      emptyOutDir: true,
      rolldownOptions: { input, preserveEntrySignatures: 'exports-only' },
    },
  });
  return output as Rolldown.RolldownOutput;
}
