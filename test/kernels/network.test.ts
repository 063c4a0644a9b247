import { describe, expect, it } from 'vitest';
// @ts-expect-error: a generator in plain JavaScript
import * as generator from '../../assembly/gen/network.mjs';
import { seeded } from '../random.ts';

type Comparator = [a: number, b: number];
type Pruned = [a: number, b: number, low: 0 | 1, high: 0 | 1];
type Step =
  | { op: 'load'; wire: number; register: number }
  | { op: 'store'; wire: number; register: number }
  | { op: 'compare'; a: number; b: number; low: 0 | 1; high: 0 | 1 };

const { allocate, batcher, emitSelection, oddEvenMerge, operations, prune, schedule, selection } = generator as {
  batcher(n: number): Comparator[];
  oddEvenMerge(n: number): Comparator[];
  prune(n: number, net: Comparator[], ranks: number[]): Pruned[];
  schedule(n: number, net: Pruned[], registers?: number): Pruned[];
  selection(n: number, ranks: number[]): Pruned[];
  operations(net: Pruned[]): number;
  allocate(n: number, net: Pruned[], ranks: number[], registers?: number): Step[];
  emitSelection(request: { name: string; size: number; rowBytes: number; type: string; ranks: number[] }): string;
};

const all = (n: number) => Array.from({ length: n }, (_, i) => i);
const middle = (n: number) => (n % 2 ? [(n - 1) / 2] : [n / 2 - 1, n / 2]);

/** 0-1 inputs: every one up to 12 wires, else every number of ones in seeded random places. */
function* zeroOnes(n: number): Generator<number[]> {
  if (n <= 12) {
    for (let bits = 0; bits < 2 ** n; bits++) yield all(n).map((i) => (bits >> i) & 1);
    return;
  }
  const random = seeded(n);
  for (let round = 0; round < 4; round++) {
    for (let ones = 0; ones <= n; ones++) {
      const keys = all(n).map(() => random());
      const order = all(n).sort((a, b) => keys[a]! - keys[b]!);
      const input = new Array<number>(n).fill(0);
      for (const i of order.slice(0, ones)) input[i] = 1;
      yield input;
    }
  }
}

const sorted = (input: number[]) => input.slice().sort((a, b) => a - b);

/** A dropped output becomes NaN: whoever reads it spoils the result. */
function run(net: readonly Pruned[], input: number[]): number[] {
  const wires = input.slice();
  for (const [a, b, low, high] of net) {
    const [x, y] = [wires[a]!, wires[b]!];
    wires[a] = low ? Math.min(x, y) : Number.NaN;
    wires[b] = high ? Math.max(x, y) : Number.NaN;
  }
  return wires;
}

function runSteps(steps: readonly Step[], input: number[]): number[] {
  const memory = input.slice();
  const registers: number[] = [];
  for (const step of steps) {
    if (step.op === 'load') registers[step.register] = memory[step.wire]!;
    else if (step.op === 'store') memory[step.wire] = registers[step.register]!;
    else {
      const [x, y] = [registers[step.a]!, registers[step.b]!];
      registers[step.a] = step.low ? Math.min(x, y) : Number.NaN;
      registers[step.b] = step.high ? Math.max(x, y) : Number.NaN;
    }
  }
  return memory;
}

describe('networks, by the 0-1 principle', () => {
  for (const [name, make] of Object.entries({ batcher, oddEvenMerge })) {
    it(`${name} sorts 1 to 12 values, all inputs`, () => {
      for (let n = 1; n <= 12; n++) {
        const net = make(n).map(([a, b]): Pruned => [a, b, 1, 1]);
        for (const input of zeroOnes(n)) expect(run(net, input)).toEqual(sorted(input));
      }
    });
  }

  it.each([8, 16, 24, 32, 40, 48, 64, 80, 96, 128])(
    'selects and sorts %i values, as comparators and as register code',
    (n) => {
      for (const ranks of [middle(n), all(n)]) {
        const net = selection(n, ranks);
        const steps = allocate(n, net, ranks);
        for (const input of zeroOnes(n)) {
          const wanted = sorted(input);
          const wires = run(net, input);
          const memory = runSteps(steps, input);
          for (const rank of ranks) {
            if (wires[rank] !== wanted[rank] || memory[rank] !== wanted[rank]) {
              expect.fail(`rank ${rank} of ${input.join('')}: ${wires[rank]}, ${memory[rank]}`);
            }
          }
        }
      }
    },
  );

  it('selects one rank of an odd number', () => {
    for (const n of [1, 3, 5, 7, 9, 11]) {
      const ranks = middle(n);
      const steps = allocate(n, selection(n, ranks), ranks);
      for (const input of zeroOnes(n)) expect(runSteps(steps, input)[ranks[0]!]).toBe(sorted(input)[ranks[0]!]);
    }
  });
});

describe('the generator', () => {
  it('prunes to fewer operations', () => {
    expect([16, 32, 64, 128].map((n) => operations(selection(n, middle(n))))).toEqual([92, 284, 828, 2300]);
  });

  it('schedules every comparator once and keeps within the registers', () => {
    const net = prune(64, oddEvenMerge(64), middle(64));
    expect(schedule(64, net, 11).length).toBe(net.length);
    for (const registers of [4, 11]) {
      const steps = allocate(64, schedule(64, net, registers), middle(64), registers);
      const used = steps.flatMap((step) => (step.op === 'compare' ? [step.a, step.b] : [step.register]));
      expect(Math.max(...used)).toBeLessThan(registers);
      for (const input of zeroOnes(64)) expect(runSteps(steps, input)[31]).toBe(sorted(input)[31]);
    }
  });

  it('writes AssemblyScript', () => {
    const source = emitSelection({ name: 'middle3', size: 3, rowBytes: 16, type: 'f32', ranks: [1] });
    expect(source).toContain('function middle3(p: usize): void {');
    expect(source).toContain('f32x4.pmin');
    expect(source).toMatch(/v128\.store\(p, r\d+, 16\);/);
  });
});
