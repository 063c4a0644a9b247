import { describe, expect, it } from 'vitest';
import { InputError } from '../../build/errors.js';
import { type MorphologyStep, morphologyInto } from '../../build/kernels/mask.js';
import { Kernels } from '../../build/kernels/memory.js';
import { seeded } from '../random.ts';
import { morphologyOf } from '../reference/mask.ts';

const k = new Kernels();

/** Filters a copy; what lies behind the mask must stay as it was. */
function filtered(mask: ArrayLike<number>, width: number, height: number, steps: readonly MorphologyStep[]): number[] {
  return k.scope(() => {
    const n = width * height;
    const ptr = k.alloc(n + 64);
    k.u8(ptr, n + 64).fill(9);
    k.u8(ptr, n).set(Array.from(mask));
    morphologyInto(k, { ptr, width, height }, steps);
    expect(Array.from(k.u8(ptr + n, 64))).toEqual(new Array(64).fill(9));
    return Array.from(k.u8(ptr, n));
  });
}

const step = (op: MorphologyStep['op'], radiusPx: number): MorphologyStep => ({ op, radiusPx });

/** Blobs of random size, many of them across an edge, and some lone pixels. */
function blobs(width: number, height: number, random: () => number): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (let n = Math.ceil((width * height) / 150); n > 0; n--) {
    const [cx, cy, r] = [random() * width, random() * height, random() ** 2 * 8];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) if ((x - cx) ** 2 + (y - cy) ** 2 <= r * r) mask[y * width + x] = 1;
    }
  }
  for (let i = 0; i < mask.length; i++) if (random() < 0.02) mask[i]! ^= 1;
  return mask;
}

const RUNS: readonly MorphologyStep[][] = [
  [step('dilation', 1)],
  [step('erosion', 1)],
  [step('dilation', 2.5)],
  [step('erosion', 2.9)],
  [step('opening', 2), step('dilation', 5)],
  [step('closing', 3)],
  [step('opening', 3), step('closing', 1.5), step('dilation', 6), step('erosion', 2)],
  [step('dilation', 17)],
  [step('closing', 9)],
];

describe('morphologyInto', () => {
  for (const [width, height] of [
    [1, 1],
    [1, 40],
    [40, 1],
    [7, 5],
    [15, 16],
    [16, 15],
    [17, 33],
    [63, 9],
    [64, 20],
    [65, 3],
    [129, 31],
  ] as const) {
    it(`equals disks pixel by pixel on ${width} × ${height}`, () => {
      const random = seeded(width * 1000 + height);
      const mask = blobs(width, height, random);
      for (const steps of RUNS) {
        expect(filtered(mask, width, height, steps)).toEqual(morphologyOf(mask, width, height, steps));
      }
    });
  }

  it('goes far beyond the image with a great radius', () => {
    const mask = new Uint8Array(9 * 6);
    mask[30] = 1;
    for (const radius of [64, 65.5, 128, 200]) {
      expect(filtered(mask, 9, 6, [step('dilation', radius)])).toEqual(new Array(54).fill(1));
      expect(filtered(mask, 9, 6, [step('closing', radius)])).toEqual(Array.from(mask));
      expect(filtered(new Uint8Array(54).fill(1), 9, 6, [step('erosion', radius)])).toEqual(new Array(54).fill(0));
    }
  });

  it('counts the outside as clear: empty masks stay empty, full ones shrink and come back', () => {
    const [width, height] = [37, 21];
    const [none, all] = [new Uint8Array(width * height), new Uint8Array(width * height).fill(1)];
    for (const steps of RUNS) {
      expect(filtered(none, width, height, steps)).toEqual(Array.from(none));
      expect(filtered(all, width, height, steps)).toEqual(morphologyOf(all, width, height, steps));
    }
    expect(filtered(all, width, height, [step('closing', 10)])).toEqual(Array.from(all));
  });

  it('takes any value but 0 as marked and gives 1', () => {
    expect(filtered([0, 255, 0, 0, 2, 0], 6, 1, [step('dilation', 1)])).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('does nothing below a radius of one pixel, and refuses what is no radius', () => {
    const mask = [1, 0, 1, 0];
    expect(filtered(mask, 2, 2, [step('erosion', 0), step('dilation', 0.9), step('opening', 0)])).toEqual(mask);
    for (const radius of [-1, Number.NaN, 5000]) {
      expect(() => filtered(mask, 2, 2, [step('dilation', radius)])).toThrow(InputError);
    }
  });
});

/** scipy.ndimage.binary_*(numpy.pad(mask, sum of radii), structure=disk)[crop] of scipy 1, # = masked out. */
const SCIPY: readonly { steps: MorphologyStep[]; rows: readonly string[] }[] = [
  {
    steps: [step('opening', 2)],
    rows: [
      '..................................',
      '..................................',
      '..................................',
      '..................................',
      '..................................',
      '.............................#....',
      '.....................##.....###...',
      '....................####...#####..',
      '...................######...###...',
      '...................#####.....#....',
      '....................###...........',
      '.....................#............',
      '..................................',
      '..................................',
    ],
  },
  {
    steps: [step('opening', 2), step('dilation', 5)],
    rows: [
      '.............................#....',
      '.....................##...#######.',
      '..................################',
      '.................#################',
      '................##################',
      '...............###################',
      '...............###################',
      '...............###################',
      '..............####################',
      '..............####################',
      '...............###################',
      '...............###################',
      '...............###################',
      '................#################.',
    ],
  },
  {
    steps: [step('erosion', 1)],
    rows: [
      '..................................',
      '.......########...................',
      '.......#.####.....................',
      '..................................',
      '..................................',
      '.........................###....#.',
      '.......................##..######.',
      '.#..................####....#####.',
      '.#..................####.....#..#.',
      '.##...........##....###...........',
      '.##...........##.....##...........',
      '.##..........#....................',
      '.###....####......................',
      '..................................',
    ],
  },
  {
    steps: [step('dilation', 2.5)],
    rows: [
      '##################...######.....##',
      '##################...########..###',
      '##################...#############',
      '##################...#############',
      '#################..###############',
      '####.#########....################',
      '#####........#####################',
      '#####.......######################',
      '######.....#######################',
      '##################################',
      '##################################',
      '##################################',
      '#################################.',
      '#################################.',
    ],
  },
  {
    steps: [step('closing', 3)],
    rows: [
      '#.....##########.......#..........',
      '#.....##########.......##.........',
      '###.############.......###.......#',
      '#####.##.#####.........#####...###',
      '###........###........############',
      '###...................############',
      '##...........#......##############',
      '###................###############',
      '###..........###.#################',
      '####.........#####################',
      '######.....#####################..',
      '################..#..##.#######...',
      '##############............###.#...',
      '#####..#####..............#.......',
    ],
  },
  {
    steps: [step('closing', 2), step('erosion', 1)],
    rows: [
      '..................................',
      '......#########...................',
      '.#....##.####...........#.........',
      '.##......................#........',
      '.#......................####....#.',
      '.......................######..##.',
      '......................####.######.',
      '.#..................#####...#####.',
      '.#.................#####.....####.',
      '.##...........##..#####.......###.',
      '.###.........###..#..##......###..',
      '.####.......##................#...',
      '.####..#####......................',
      '..................................',
    ],
  },
];

const SCIPY_INPUT = [
  '#.....##########.......#..........',
  '#.....##########.......##.........',
  '#...#.##########.......##........#',
  '#.....##.####............#.#....##',
  '##.......................###....##',
  '##.....................###########',
  '##..................##############',
  '###................######..#######',
  '###...........##...######...######',
  '####.........####..#####.....#..##',
  '####.........####...####..........',
  '####..##########..#..##..#.#......',
  '#####..#######................#...',
  '#####..#####..............#.......',
];

describe('morphologyInto beside scipy.ndimage', () => {
  const bits = (rows: readonly string[]) => Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0));
  const width = SCIPY_INPUT[0]!.length;
  for (const { steps, rows } of SCIPY) {
    it(steps.map(({ op, radiusPx }) => `${op} ${radiusPx}`).join(', '), () => {
      expect(filtered(bits(SCIPY_INPUT), width, SCIPY_INPUT.length, steps)).toEqual(bits(rows));
    });
  }
});
