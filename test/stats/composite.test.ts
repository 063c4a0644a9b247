import { describe, expect, it } from 'vitest';
import { SAMPLE_BYTES } from '../../build/io/raster.js';
import { Kernels } from '../../build/kernels/memory.js';
import { compositeBlock } from '../../build/stats/composite.js';
import type { Block, CompositeSpec } from '../../build/stats/spec.js';
import { blocksOf, memoryStack, type StackOptions } from '../fixture/scenes.js';

type Stack = ReturnType<typeof memoryStack>;

/** All results of a spec, each band as the bytes of the whole grid. */
async function results({ spec, cache }: Stack, blocks: readonly Block[]): Promise<Record<string, Uint8Array>> {
  const k = new Kernels();
  const { width, height } = spec.grid;
  const whole: Record<string, Uint8Array> = {};
  for (const block of blocks) {
    const { planes } = await compositeBlock({ k, spec, cache }, block);
    for (const [i, output] of spec.outputs.entries()) {
      for (const [band, name] of output.bands.entries()) {
        const key = `${output.statistic.key} ${name}`;
        const size = SAMPLE_BYTES[output.dtype];
        whole[key] ??= new Uint8Array(width * height * size);
        for (let y = 0; y < block.height; y++) {
          const line = planes[i]![band]!.subarray(y * block.width * size, (y + 1) * block.width * size);
          whole[key].set(line, ((block.row + y) * width + block.col) * size);
        }
      }
    }
  }
  return whole;
}

const CUTS = [
  { width: 70, height: 53, stripRows: 53, hold: 'memory' },
  { width: 70, height: 53, stripRows: 1, hold: 'memory' },
  { width: 32, height: 16, stripRows: 7, hold: 'memory' },
  { width: 13, height: 11, stripRows: 4, hold: 'memory' },
  { width: 64, height: 64, stripRows: 5, hold: 'spill' },
  { width: 17, height: 53, stripRows: 3, hold: 'spill' },
] as const;

const twins = ({ scenes }: Stack): Partial<CompositeSpec> => ({
  observations: [
    { timeMs: scenes[0]!.timeMs, scenes: scenes.slice(0, 3) },
    ...scenes.slice(3).map((scene) => ({ timeMs: scene.timeMs, scenes: [scene] })),
  ],
});

describe('a composite does not depend on how it is cut', () => {
  const cases: [string, StackOptions, ((stack: Stack) => Partial<CompositeSpec>)?][] = [
    ['u16', { dtype: 'u16' }],
    ['i16 with −9999', { dtype: 'i16', nodata: -9999 }],
    ['f32', { dtype: 'f32', nodata: null }],
    ['same-day twins', {}, twins],
    ['masks after fusing', { change: { maskWhen: 'after-fuse' } }, twins],
    ['bilinear', { change: { resampling: 'bilinear' } }],
    ['average onto a coarser grid', { change: { resampling: 'average' } }, coarser],
    ['compat odc', { change: { compat: 'odc' } }],
  ];
  it.each(cases)('%s', async (_name, options, change) => {
    const stack = memoryStack(options);
    Object.assign(stack.spec, change?.(stack));
    const [first, ...others] = CUTS;
    const expected = await results(stack, blocksOf(stack.spec, first));
    expect(Object.values(expected).some((bytes) => bytes.some((b) => b !== 0))).toBe(true);
    for (const cut of others) {
      const got = await results(stack, blocksOf(stack.spec, cut));
      for (const key of Object.keys(expected)) {
        expect(Buffer.compare(got[key]!, expected[key]!), `${key}, cut ${JSON.stringify(cut)}`).toBe(0);
      }
    }
  });
});

function coarser({ spec }: Stack): Partial<CompositeSpec> {
  const [, , x, , , y] = spec.grid.affine;
  return { grid: { ...spec.grid, affine: [25, 0, x, 0, -25, y], width: 28, height: 21 } };
}
