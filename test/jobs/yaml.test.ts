import { describe, expect, it } from 'vitest';
import { parseYaml, writeYaml, YamlFloat, YamlLine, YamlTime } from '../../build/jobs/yaml.js';

/** What a reader of YAML 1.1 (PyYAML) or 1.2 (ruamel) would take for something else. */
const CAPTIOUS = [
  'yes',
  'off',
  'n',
  'null',
  '~',
  '1e3',
  '012',
  '0o12',
  '190:20:30',
  '.nan',
  '2020-01-01',
  '1_000',
  '',
  ' x',
  'a: b',
  '#c',
  '- d',
  '<<',
  'é\n',
];

describe('YAML', () => {
  it('that is written reads back as it was', async () => {
    const value = { texts: CAPTIOUS, numbers: [1, -2.5, 1e21, Number.NaN], nothing: null, deep: { list: [{ a: [] }] } };
    expect(await parseYaml(await writeYaml(value), 'test')).toEqual(value);
    const { parse } = await import('yaml');
    expect(parse(await writeYaml(value))).toEqual(value);
  });

  it('has floats, dates and lists on a line where they are asked for', async () => {
    const text = await writeYaml(
      {
        at: new YamlTime('2020-01-01T00:00:00.000001Z'),
        shape: new YamlLine([1, new YamlFloat(30), new YamlFloat(-0.5)]),
      },
      { comment: 'Dataset', spaced: ['shape'] },
    );
    expect(text).toBe('---\n# Dataset\nat: 2020-01-01T00:00:00.000001Z\n\nshape: [1, 30.0, -0.5]\n...\n');
  });

  it('says equal things twice rather than by reference', async () => {
    const shared = { a: 1 };
    expect(await writeYaml({ one: shared, other: shared })).not.toMatch(/[&*]/);
  });
});
