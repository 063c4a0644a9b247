import { describe, expect, it } from 'vitest';
import { parseCrs } from '../../build/geo/crs.js';
import type { Grid } from '../../build/geo/grid.js';
import type { Raster } from '../../build/io/raster.js';
import { Kernels } from '../../build/kernels/memory.js';
import { compositeBlock, samplesOf } from '../../build/stats/composite.js';
import type { CompositeSpec, SourceScene } from '../../build/stats/spec.js';
import { memoryRaster } from '../fixture/memory-raster.js';
import { blocksOf } from '../fixture/scenes.js';
import { zoneStack } from '../fixture/zones.js';

const SIZE = 20;

/** Two scenes of one day side by side, all valid but for a cloud in the second, right behind the seam; with their footprints or without. */
function neighbours({ footprints }: { footprints: boolean }) {
  const rasters = new Map<string, Raster>();
  const crs = parseCrs('EPSG:32631');
  const scenes = [0, 1].map((i): SourceScene => {
    const own: Grid = { crs, affine: [10, 0, 500_000 + i * SIZE * 10, 0, -10, 5_600_000], width: SIZE, height: SIZE };
    const make = (name: string, data: Uint8Array | Uint16Array) => {
      const url = `${i}/${name}`;
      const dtype = name === 'cls' ? 'u8' : 'u16';
      rasters.set(url, memoryRaster({ url, grid: own, dtype, nodata: 0, tileSize: 16, bands: [data] }));
      return { href: url, bandIndex: 0, grid: own, nodata: null };
    };
    const classes = new Uint8Array(SIZE * SIZE).fill(4);
    if (i === 1) classes[10 * SIZE] = 8;
    const sources = { a: make('a', new Uint16Array(SIZE * SIZE).fill(100 + i)), cls: make('cls', classes) };
    const footprint = { col: i * SIZE, row: 0, width: SIZE, height: SIZE };
    return { id: `scene-${i}`, timeMs: 0, sources, ...(footprints && { footprint }) };
  });
  const { spec } = zoneStack({ statistics: 'first' });
  const change: Partial<CompositeSpec> = {
    grid: { crs, affine: [10, 0, 500_000, 0, -10, 5_600_000], width: 2 * SIZE, height: SIZE },
    bands: ['a'],
    outputs: [{ ...spec.outputs[0]!, bands: ['a'] }],
    bandDtypes: ['u16'],
    observations: [{ timeMs: 0, scenes }],
    masks: [{ band: 'cls', mode: 'drop', values: [8], steps: [{ op: 'dilation', radiusPx: 3 }] }],
    maskWhen: 'after-fuse',
  };
  const cache = { open: async (href: string) => rasters.get(href)!, close: async () => {} };
  return { spec: { ...spec, ...change }, cache };
}

describe('a mask of a whole day', () => {
  it.each([true, false])(
    'reaches from one scene into the next, whatever the block (footprints known: %s)',
    async (footprints) => {
      const { spec, cache } = neighbours({ footprints });
      for (const width of [2 * SIZE, SIZE, 7]) {
        const missing: number[] = [];
        for (const block of blocksOf(spec, { width, height: SIZE, stripRows: 4, hold: 'memory' })) {
          const { planes } = await compositeBlock({ k: new Kernels(), spec, cache }, block);
          const samples = samplesOf('u16', planes[0]![0]!);
          for (const [i, value] of samples.entries()) {
            const [x, y] = [block.col + (i % block.width), Math.floor(i / block.width)];
            if (value === 0) missing.push(y * 2 * SIZE + x);
            else expect(value).toBe(x < SIZE ? 100 : 101);
          }
        }
        const disk: number[] = [];
        for (let y = 0; y < SIZE; y++) {
          for (let x = 0; x < 2 * SIZE; x++) if ((x - SIZE) ** 2 + (y - 10) ** 2 <= 9) disk.push(y * 2 * SIZE + x);
        }
        expect(missing.sort((a, b) => a - b)).toEqual(disk);
      }
    },
  );
});
