import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateArchive } from '../build/app/simulate-archive.js';

const root = resolve(import.meta.dirname, '..');
const CLI = join(root, 'build', 'app', 'cli.js');
const run = promisify(execFile);

const text = readFileSync(join(root, 'docs', 'walkthrough.md'), 'utf8');
const blocks = (language: string) => {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code!);
};
/** Words of the commands of the n-th shell block. */
const commands = (n: number) => {
  const lines = blocks('sh')[n]!.trim().split('\n');
  return lines.map((line) => line.replace(/^npx stackwise /, '').split(' '));
};

let folder = '';
let service: ChildProcess;
let address = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stackwise-walk-'));
  // What the first command makes, of fewer years.
  await simulateArchive(join(folder, 'build', 'demo-changes', 'scenes'), { years: 3 });
  const [, serve] = commands(0);
  service = spawn(process.execPath, [CLI, ...serve!, '--port', '0', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface({ input: service.stdout! }), 'line')) as [string];
  address = JSON.parse(line).url;
}, 120_000);

afterAll(async () => {
  if (service.exitCode === null) {
    service.kill('SIGTERM');
    await once(service, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('the walk-through', () => {
  it('runs block after block', async () => {
    const code = blocks('js').join('\n');
    expect(code).toContain('http://127.0.0.1:8080');
    const file = join(folder, 'walkthrough.mjs');
    await writeFile(file, code.replace('http://127.0.0.1:8080', address));
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).toContain('tile 3, 9; chip 151,451');
    expect(stdout.match(/^202 chip -2115585, \d+ since 2/gm)).toHaveLength(10);
    expect(stdout).toContain('2 requested, 2 there, 2496 outside');
    expect(stdout).toContain('4 chips are complete, 0 are not');
    expect(stdout).toMatch(/^pixel -211\d+, 19\d+: \d+ of 68 observations used$/m);
    const [, changed] = /^(\d+) of 10000 pixels changed, the first at/m.exec(stdout)!;
    expect(Number(changed)).toBeGreaterThan(0);
    const saved = (await readdir(folder)).filter((name) => /^chip_-2115585_\d+\.json$/.test(name));
    expect(saved).toHaveLength(1);
  }, 120_000);
});
