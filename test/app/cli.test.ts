import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateScenes } from '../../build/app/simulate.js';

const cli = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../build/app/cli.js');

let folder = '';
let collection = '';
let items: string[] = [];
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stackwise-cli-'));
  const made = await simulateScenes(at('c'), { dates: 5, size: 64, tileSize: 16 });
  collection = made.path;
  items = made.items;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | null;
  out: string;
  /** Lines on stderr that are no progress. */
  errors: string[];
}

function stackwise(
  args: readonly string[],
  stopWith?: { signal: NodeJS.Signals; when: () => boolean },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args]);
    const timer = setInterval(() => {
      if (!stopWith?.when()) return;
      clearInterval(timer);
      child.kill(stopWith.signal);
    }, 5);
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.stderr.on('data', (part) => {
      err += part;
    });
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, out, errors: err.split('\n').filter((line) => line && !line.startsWith('{"event":"progress"')) });
    });
  });
}

/** Two bands, two statistics, in the main thread. */
const composite = (source: string, ...more: string[]) =>
  stackwise(['composite', source, '--bands', 'B04,B11', '--stat', 'median,count', '--threads', '0', ...more]);
const filesOf = async (name: string) => (existsSync(at(name)) ? (await readdir(at(name))).sort() : []);
const ALL = ['count.tif', 'item.json', 'median.tif', 'preview.png'];

describe('stackwise composite', () => {
  it('leaves rasters, preview and item, and nothing else; equal bytes for any number of threads', async () => {
    const runs = await Promise.all(
      ['0', '1', '2'].map((threads) => composite(collection, '--out', at(`threads${threads}`), '--threads', threads)),
    );
    for (const [i, { code, out }] of runs.entries()) {
      expect(code).toBe(0);
      expect(await filesOf(`threads${i}`)).toEqual(ALL);
      expect(out.trim().split('\n').sort()).toEqual(ALL.map((name) => path.join(at(`threads${i}`), name)));
      const same = await readFile(at(`threads${i}/median.tif`));
      expect(same.equals(await readFile(at('threads0/median.tif')))).toBe(true);
    }
  });

  it('--json prints one line of JSON; the rest is JSON lines on stderr', async () => {
    const { code, out, errors } = await composite(collection, '--out', at('json'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ grid: { width: 64, height: 64 }, scenes: { used: 6 } });
    for (const line of errors) expect(JSON.parse(line)).toHaveProperty('event');
  });

  it('--plan prints and writes nothing', async () => {
    const text = await composite(collection, '--plan');
    expect(text.out).toMatch(/blocks .*\n(.*\n)*predicted peak /);
    const json = await composite(collection, '--plan', '--json', '--out', at('plan'));
    expect(JSON.parse(json.out)).toMatchObject({ threads: 0, decodeFactor: 1 });
    expect(existsSync(at('plan'))).toBe(false);
  });

  it('--config gives options by their names, and the command line wins', async () => {
    await writeFile(at('config.json'), JSON.stringify({ stat: ['min', 'max'], bands: 'B03', limit: 2, threads: 0 }));
    const args = [
      'composite',
      collection,
      '--config',
      at('config.json'),
      '--out',
      at('config'),
      '--stat',
      'max',
      '--json',
    ];
    const { code, out } = await stackwise(args);
    expect(code).toBe(0);
    expect(await filesOf('config')).toEqual(['item.json', 'max.tif', 'preview.png']);
    expect(JSON.parse(out).scenes.used).toBe(2);
  });

  it('an existing result is left alone without --overwrite', async () => {
    expect((await composite(collection, '--out', at('twice'))).code).toBe(0);
    const before = await readFile(at('twice/item.json'));
    const again = await composite(collection, '--out', at('twice'), '--limit', '2');
    expect(again).toMatchObject({ code: 1 });
    expect(again.errors.at(-1)).toMatch(/exists already: give --overwrite/);
    expect(before.equals(await readFile(at('twice/item.json')))).toBe(true);
    expect((await composite(collection, '--out', at('twice'), '--limit', '2', '--overwrite')).code).toBe(0);
    expect(before.equals(await readFile(at('twice/item.json')))).toBe(false);
  });

  it.each(['0', '2'])(
    'a truncated scene fails the run, or is dropped as if it were not there (threads %s)',
    async (threads) => {
      const name = path.basename(items[0]!, '.json');
      const [broken, without] = [at(`broken${threads}`), at(`without${threads}`)];
      for (const copy of [broken, without]) await cp(at('c'), copy, { recursive: true });
      await truncate(path.join(broken, name, 'B04.tif'), 3000);
      const collectionOf = (copy: string) => path.join(copy, 'collection.json');
      const document = JSON.parse(await readFile(collectionOf(without), 'utf8'));
      document.links = document.links.filter(({ href }: { href: string }) => !href.includes(`${name}.json`));
      await writeFile(collectionOf(without), JSON.stringify(document));
      const out = (which: string) => at(`${which}${threads}-out`);
      const failed = await composite(collectionOf(broken), '--out', out('fail'), '--threads', threads);
      expect(failed.code).toBe(1);
      expect(failed.errors.at(-1)).toMatch(/B04\.tif.*cut off or corrupt/);
      expect(existsSync(out('fail')) ? await readdir(out('fail')) : []).toEqual([]);
      const more = ['--threads', threads, '--json', '--on-error', 'skip'];
      const skipped = await composite(collectionOf(broken), '--out', out('skip'), ...more);
      expect(skipped.code).toBe(0);
      expect(JSON.parse(skipped.out).scenes.dropped.map(({ id }: { id: string }) => id)).toEqual([name]);
      expect((await composite(collectionOf(without), '--out', out('none'), '--threads', threads)).code).toBe(0);
      const [a, b] = await Promise.all(['skip', 'none'].map((which) => readFile(path.join(out(which), 'median.tif'))));
      expect(a!.equals(b!)).toBe(true);
    },
  );
});

describe('bad input is one line, an exit code, and no file', () => {
  const C = '<collection>';
  const cases: [string, number, RegExp, string[]][] = [
    ['no scenes', 1, /no scenes/, ['<empty.json>']],
    ['an empty folder', 1, /no scenes in .*neither STAC items nor rasters/, ['<empty>']],
    ['a missing file', 1, /no such file/, ['<nothing.json>']],
    ['text that is not JSON', 1, /is not JSON/, ['<text.json>']],
    ['JSON that is not STAC', 1, /no STAC item/, ['<other.json>']],
    ['hostile nesting', 1, /must be a GeoJSON Feature, not a list/, ['<deep.json>']],
    ['an area elsewhere', 1, /no scenes: 6 found.*0 in the area/, [C, '--bbox', '10,10,11,11']],
    ['an unknown band', 1, /no band "B99"/, [C, '--bands', 'B99']],
    ['an unknown mask band', 1, /no band SCX; did you mean "SCL"/, [C, '--mask', 'SCX drop 3']],
    ['an unknown statistic', 1, /no statistic "medan"; did you mean "median"/, [C, '--stat', 'medan']],
    ['a percentile of 101', 1, /from 0 to 100/, [C, '--stat', 'percentile:101']],
    ['a percentile of text', 1, /from 0 to 100/, [C, '--stat', 'percentile:x']],
    ['two percents', 1, /from 0 to 100/, [C, '--stat', 'percentile:25:75']],
    ['an unknown option', 2, /unknown option '--band' \(Did you mean --bands\?\)/, [C, '--band', 'B04']],
    ['no output', 2, /--out DIR is wanted/, [C, '--no-out']],
    ['a word that is no choice', 2, /Allowed choices/, [C, '--group', 'week']],
    ['an empty place in a bbox', 1, /--bbox.*"1,,3,4"/, [C, '--bbox', '1,,3,4']],
    [
      'a bbox that is not in degrees',
      1,
      /^stackwise: --bbox: bbox 1,2,300,4 is not in degrees/,
      [C, '--bbox', '1,2,300,4'],
    ],
    ['no resolution', 1, /--res takes a number/, [C, '--res', 'ten']],
    ['a resolution of 0', 1, /--res/, [C, '--res', '0']],
    ['half a thread', 1, /--threads takes a whole number/, [C, '--threads', '0.5']],
    ['an unknown type', 1, /did you mean "float32"/, [C, '--dtype', 'flot32']],
    ['an unknown step', 1, /did you mean "dilation"/, [C, '--mask', 'SCL drop 3 | dilatoin 2']],
    ['no bytes', 1, /--memory-limit.*"lots"/, [C, '--memory-limit', 'lots']],
    ['too little memory', 1, /too small: the least that works here is \d+ MiB/, [C, '--memory-limit', '9MiB']],
    ['another CRS', 1, /--res/, [C, '--crs', 'EPSG:4326']],
    [
      'an unknown option in a file',
      1,
      /unknown option "thread"; did you mean "threads"/,
      [C, '--config', '<thread.json>'],
    ],
    ['a choice in a file', 1, /Allowed choices/, [C, '--config', '<week.json>']],
    ['no boolean in a file', 1, /"overwrite" takes true or false/, [C, '--config', '<yes.json>']],
    ['an output that is a file', 1, /a file has this name/, [C, '--out', '<text.json>']],
  ];
  beforeAll(async () => {
    const files: Record<string, string> = {
      'empty.json': '{"type":"FeatureCollection","features":[]}',
      'text.json': 'hello',
      'other.json': '{"a":1}',
      'deep.json': '['.repeat(100_000) + ']'.repeat(100_000),
      'thread.json': '{"thread":1}',
      'week.json': '{"group":"week"}',
      'yes.json': '{"overwrite":"yes"}',
      'empty/note.txt': '',
    };
    await cp(path.dirname(items[0]!), at('empty'), {
      recursive: true,
      filter: (source) => !/\.(tif|json)$/.test(source),
    });
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  });

  it.each(cases)('%s', async (name, code, message, args) => {
    const named = args.map((arg) => (arg === C ? collection : arg.replace(/^<(.+)>$/, (_, file) => at(file))));
    const out = `bad-${name.replaceAll(' ', '-')}`;
    const given = named.filter((arg) => arg !== '--no-out');
    const output = named.length > given.length || named.includes('--out') ? [] : ['--out', at(out)];
    const { code: got, errors, out: said } = await stackwise(['composite', ...output, ...given]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
    expect(errors[0]).toMatch(/^stackwise: /);
    expect(errors[0]).not.toContain('unexpected');
    expect(got).toBe(code);
    expect(said).toBe('');
    expect(await filesOf(out)).toEqual([]);
  });

  it('the least memory that the refusal names is enough', async () => {
    const refused = await composite(collection, '--out', at('memory'), '--memory-limit', '9MiB');
    const least = /the least that works here is ([\d.]+ \w+)/.exec(refused.errors[0]!)![1]!;
    expect((await composite(collection, '--out', at('memory'), '--memory-limit', least)).code).toBe(0);
  });

  it('scenes of several CRSs are named', async () => {
    const [first, second] = await Promise.all(
      items.slice(0, 2).map(async (item) => JSON.parse(await readFile(item, 'utf8'))),
    );
    second.properties['proj:code'] = 'EPSG:32632';
    await writeFile(at('mixed.json'), JSON.stringify({ type: 'FeatureCollection', features: [first, second] }));
    const { code, errors } = await composite(at('mixed.json'), '--out', at('mixed'));
    expect(code).toBe(1);
    expect(errors[0]).toContain('do not share a CRS');
    expect(errors[0]).toContain(second.id);
  });

  it('a band of another type is named with its scene', async () => {
    const copy = at('types');
    await cp(at('c'), copy, { recursive: true });
    const name = path.basename(items[2]!, '.json');
    await cp(path.join(copy, name, 'SCL.tif'), path.join(copy, name, 'B11.tif'));
    const { code, errors } = await composite(path.join(copy, 'collection.json'), '--out', at('types-out'));
    expect(code).toBe(1);
    expect(errors.at(-1)).toContain(`scene ${name} stores B11 as u8, and the first scene as u16`);
    expect(await filesOf('types-out')).toEqual([]);
  });

  it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
    '%s in mid-run (needs signals)',
    async (signal) => {
      const out = at(signal);
      const begun = () => existsSync(out);
      const { code, errors } = await stackwise(['composite', collection, '--out', out, '--threads', '2'], {
        signal,
        when: begun,
      });
      if (code === 0) return; // It was faster than the signal.
      expect(code).toBe(1);
      expect(errors.at(-1)).toBe(`stackwise: stopped by ${signal}: no result was written`);
      // Finished blocks may wait for the same command, which then says so.
      const kept = errors.some((line) => line.includes('the same command goes on from there'));
      expect(await readdir(out)).toEqual(kept ? ['.stackwise-work'] : []);
    },
  );
});

describe('the program', () => {
  it('tells its version and its options', async () => {
    expect((await stackwise(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await stackwise(['composite', '--help']);
    expect(help.code).toBe(0);
    for (const word of ['--bands', '--mask-when', '--bbox-crs', '--on-error', '--memory-limit', '--debug']) {
      expect(help.out).toContain(word);
    }
  });

  it('--debug adds where an error comes from', async () => {
    const { errors } = await stackwise(['info', at('nothing.tif'), '--debug']);
    expect(errors[0]).toMatch(/^stackwise: cannot read .*nothing\.tif: no such file$/);
    expect(errors.some((line) => line.trimStart().startsWith('at '))).toBe(true);
  });
});
