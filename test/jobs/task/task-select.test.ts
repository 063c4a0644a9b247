import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byTaskKey, parseTaskKey, taskId, taskLocation, taskPath } from '../../../build/jobs/task/task.js';
import { selectionLines, selectTasks } from '../../../build/jobs/task/task-select.js';

const KEYS = ['2019--P1Y', '2020--P1Y']
  .flatMap((period) => [-6, -5, 4].flatMap((x) => [-1, 12].map((y) => ({ period, x, y }))))
  .sort(byTaskKey);
const ids = (...selection: string[]) => selectTasks(KEYS, selection).map(taskId);
const all = KEYS.map(taskId);

describe('selectTasks', () => {
  it('takes all where nothing is named, sorted as odc-stats sorts', () => {
    expect(ids()).toEqual(all);
    expect(all.slice(0, 3)).toEqual(['2019--P1Y/-6/-1', '2019--P1Y/-6/12', '2019--P1Y/-5/-1']);
  });

  it.each([
    '2019--P1Y/-5/12',
    '2019--P1Y,-5,12',
    '2019--P1Y/-005/+012',
    '2019--P1Y,-0005, +0012',
    'x-5/y12/2019--P1Y',
    'x-005/y+012/2019--P1Y',
    'x-05,y12,2019--P1Y',
    '2019--P1Y/x-5/y12',
    '3',
    '+3',
  ])('knows the task %s', (text) => {
    expect(ids(text)).toEqual(['2019--P1Y/-5/12']);
  });

  it('takes slices as Python does', () => {
    const bound = fc.option(fc.integer({ min: -15, max: 15 }), { nil: undefined });
    const step = fc.option(
      fc.integer({ min: -4, max: 4 }).filter((n) => n !== 0),
      { nil: undefined },
    );
    fc.assert(
      fc.property(bound, bound, step, (start, stop, by) => {
        const text = `${start ?? ''}:${stop ?? ''}${by === undefined ? '' : `:${by}`}`;
        expect(ids(text)).toEqual(pythonSlice(all, start, stop, by ?? 1));
      }),
    );
    expect(ids('-2:')).toEqual(all.slice(-2));
    expect(ids(':2', '1', '0:3:2')).toEqual([all[0], all[1], all[2]]);
  });

  it.each([
    ['-1', /an index counts from 0; the last ones are a slice like -10:/],
    ['12', /task 12: the set has 12 tasks, numbered from 0/],
    ['2019--P1Y/5/5', /the set has no task 2019--P1Y\/5\/5/],
    ['2019--P1Y/a/5', /not a task: "2019--P1Y\/a\/5"; wanted period\/x\/y/],
    ['2019--P1Y', /not a task: "2019--P1Y"; wanted period\/x\/y, an index from 0, or a slice/],
    ['::0', /the slice ::0 has a step of 0/],
    ['', /not a task: ""/],
    ['../../x/1/2', /not a task/],
  ])('refuses %j', (text, message) => {
    expect(() => ids(text)).toThrow(message);
  });

  it('reads a file of them', () => {
    expect(selectionLines('2019--P1Y/1/2\r\n\n# all\n 0:3 # some\n')).toEqual(['2019--P1Y/1/2', '0:3']);
  });
});

/** By what Python's documentation says of s[i:j:k]. */
function pythonSlice<T>(list: readonly T[], start: number | undefined, stop: number | undefined, step: number): T[] {
  const n = list.length;
  const place = (value: number, low: number, high: number) =>
    Math.max(low, Math.min(high, value < 0 ? value + n : value));
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const from = start === undefined ? (step > 0 ? 0 : n - 1) : place(start, low, high);
  const to = stop === undefined ? (step > 0 ? n : -1) : place(stop, low, high);
  const taken: T[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) taken.push(list[i]!);
  return taken;
}

describe('a task', () => {
  it('lies at a place that its id says', () => {
    expect(taskPath({ period: '2019--P1Y', x: 5, y: -6 })).toBe('tasks/2019--P1Y/+0005/-0006.json');
    expect(taskLocation('x08y23', '2019--P1Y')).toBe('x08/y23/2019--P1Y');
    expect(parseTaskKey('only/two')).toBeNull();
  });
});
