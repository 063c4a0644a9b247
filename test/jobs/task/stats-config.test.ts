import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configOf, statsConfig } from '../../../build/jobs/task/stats-config.js';
import { parsePropertyFilter } from '../../../build/jobs/task/task-property.js';
import { parseYaml } from '../../../build/jobs/yaml.js';

const folder = join(process.env.STACKWISE_DATA ?? '../shared/data', 'odc-stats-configs');
const config = async (text: string) => statsConfig(await parseYaml(text, 'c.yaml'), 'c.yaml');

describe('a configuration', () => {
  it('is one for both commands, each of which reads its own keys', async () => {
    const both = await config('grid: au_30\ngqa: 1\noverwrite: yes\nplugin: gm-ls\nfrequency: ~\nignore-time: a_1\n');
    expect(configOf(both, 'save-tasks')).toEqual({ grid: 'au_30', gqa: 1, overwrite: true, ignore_time: ['a_1'] });
    expect(configOf(both, 'run')).toEqual({ overwrite: true, plugin: 'gm-ls' });
    expect(await config('')).toEqual({});
  });

  it('reads values as PyYAML does', async () => {
    const { temporal_range, aws_unsigned, plugin_config } = await config(
      'temporal_range: 2019-01-01\naws_unsigned: True\nplugin_config: {a: &x {b: 1}, c: {<<: *x, d: off}}',
    );
    expect([temporal_range, aws_unsigned, plugin_config]).toEqual([
      '2019-01-01',
      true,
      { a: { b: 1 }, c: { b: 1, d: false } },
    ]);
  });

  it.each([
    ['frequncy: annual', /c.yaml: unknown key "frequncy"; did you mean "frequency"\?/],
    ['gqa: high', /"gqa" takes number, and got "high"/],
    ['year: 2019.5', /"year" takes whole number/],
    ['overwrite: 1', /"overwrite" takes boolean/],
    ['product: x', /"product" takes object/],
    ['- a', /an object of keys/],
    ['a: [', /c.yaml is not YAML/],
    ['gqa: 1\ngqa: 2', /not YAML: Map keys must be unique/],
    ['dataset_filter: a\ndataset-filter: b', /"dataset_filter" is given twice/],
    ['__proto__: 1', /unknown key/],
  ])('refuses %j in one line', async (text, message) => {
    const error: Error = await config(text).then(
      () => new Error('taken'),
      (caught) => caught,
    );
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('does not let aliases multiply', async () => {
    const bomb = [
      'a0: &a0 [x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
    ];
    await expect(config(bomb.join('\n'))).rejects.toThrow(/not YAML: Excessive alias count/);
  });
});

describe.skipIf(!existsSync(folder))('production configurations', () => {
  it.each(existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yaml')) : [])(
    '%s',
    async (name) => {
      const read = statsConfig(await parseYaml(readFileSync(join(folder, name), 'utf8'), name), name);
      // Two of them are for run alone.
      const { grid, frequency } = configOf(read, 'save-tasks');
      if (/cyear|wofs/.test(name)) expect([grid, typeof frequency]).toEqual(['au_extended_30', 'string']);
      expect(configOf(read, 'run')).toMatchObject({
        plugin: expect.any(String),
        product: { name: expect.any(String) },
      });
      for (const filter of [read.dataset_filter, read.dataset_filters])
        if (filter !== undefined) expect(parsePropertyFilter(filter, 'config').alternatives.length).toBeGreaterThan(0);
    },
  );
});
