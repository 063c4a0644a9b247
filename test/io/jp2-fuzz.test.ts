// Seeded mutations of the fixtures: whatever a JPEG 2000 file says, reading it ends in values or in a tagged error, soon, and takes
// no more memory than its header lets the plan foresee.
import { expect, it } from 'vitest';
import { StackwiseError } from '../../build/errors.js';
import { readWindow } from '../../build/io/window.js';
import { JP2, jp2Bytes, openBytes } from '../fixture/jp2.js';
import { seeded } from '../random.js';

const MUTATIONS = 2000;
/** A wasm codec ends here, and so does what a header may ask for. */
const MOST_THREAD_BYTES = 2 ** 31;
/** Tiles that are forecast to take more are opened, and not decoded: time is for many mutations. */
const DECODED_THREAD_BYTES = 160 * 2 ** 20;
/** Much longer than the slowest mutation takes on a busy machine. */
const MOST_MS = 5000;
const EXTREMES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Random = () => number;
const below = (random: Random, end: number) => Math.floor(random() * end);

/** Where the segments of headers, of the main one and of the tiles, and the boxes begin. */
function landmarks(bytes: Uint8Array): number[] {
  const marks = [0xff4f, 0xff51, 0xff52, 0xff55, 0xff58, 0xff5c, 0xff90, 0xff93];
  const view = new DataView(bytes.buffer);
  const found: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const boxed = ['jp2h', 'ihdr', 'colr', 'uuid', 'jp2c'].includes(String.fromCharCode(...bytes.subarray(at, at + 4)));
    if (marks.includes(view.getUint16(at))) found.push(at);
    else if (boxed) found.push(at - 4);
  }
  return found;
}

/** One of the ways in which files are broken, or made to lie. */
function mutate(bytes: Uint8Array, marks: readonly number[], random: Random): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const near = Math.min(out.length - 8, marks[below(random, marks.length)]! + below(random, 48));
  const extreme = EXTREMES[below(random, EXTREMES.length)]!;
  switch (below(random, 8)) {
    case 0: // sizes, counts and lengths in headers
      view.setUint32(near, extreme);
      break;
    case 1:
      view.setUint16(near, extreme & 0xffff);
      break;
    case 2:
      for (let i = 0; i <= below(random, 4); i++) out[below(random, out.length)] = below(random, 256);
      break;
    case 3: // a bit
      out[near]! ^= 1 << below(random, 8);
      break;
    case 4: {
      const from = below(random, out.length);
      out.fill(0, from, from + 1 + below(random, 256));
      break;
    }
    case 5:
      return out.subarray(0, below(random, out.length));
    case 6: {
      // A piece of the file in another place.
      const [from, to] = [below(random, out.length), below(random, out.length)];
      out.copyWithin(to, from, from + 1 + below(random, 128));
      break;
    }
    default: {
      // Bytes more, or fewer.
      const added = Uint8Array.from({ length: below(random, 9) }, () => below(random, 256));
      return Uint8Array.from([...out.subarray(0, near), ...added, ...out.subarray(near + below(random, 9))]);
    }
  }
  return out;
}

/** Opens, reads a corner at every level and the far corner: what a composite and a preview do. */
async function read(bytes: Uint8Array): Promise<'values' | 'opened' | StackwiseError> {
  try {
    const raster = await openBytes(bytes);
    const { levels, codec, bands } = raster.header;
    expect(codec!.threadBytes).toBeLessThanOrEqual(MOST_THREAD_BYTES + 192 * 2 ** 20);
    if (codec!.threadBytes > DECODED_THREAD_BYTES) return 'opened';
    for (const [level, { width, height, tilesAcross, tilesDown }] of levels.entries()) {
      await raster.tileBytes({ level, col: tilesAcross - 1, row: tilesDown - 1 }, 0);
      for (const [col, row] of [
        [0, 0],
        [width - 1, height - 1],
      ] as const) {
        const window = { col, row, width: 1, height: 1 };
        const planes = await readWindow(raster, { level, window, bands: bands.map((_, i) => i) });
        for (const plane of planes) expect(plane.length).toBe(1);
      }
    }
    await raster.close();
    return 'values';
  } catch (error) {
    if (error instanceof StackwiseError) return error;
    throw error;
  }
}

it(`${MUTATIONS} mutations of JPEG 2000 files end in values or in an error of one line`, async () => {
  const random = seeded(20_001);
  const fixtures = Object.values(JP2).map((fixture) => jp2Bytes(fixture));
  const marks = fixtures.map(landmarks);
  const seen = { values: 0, opened: 0, errors: 0 };
  for (let round = 0; round < MUTATIONS; round++) {
    const i = round % fixtures.length;
    const bytes = mutate(fixtures[i]!, marks[i]!, random);
    const from = performance.now();
    const outcome = await read(bytes);
    expect(performance.now() - from, `mutation ${round}`).toBeLessThan(MOST_MS);
    if (outcome instanceof StackwiseError) {
      seen.errors++;
      expect(outcome.message, `mutation ${round}`).toMatch(/^[^\n]*memory\.jp2[^\n]*$/);
    } else seen[outcome]++;
  }
  // Both ends are met often: mutations that are all refused at the door would show nothing.
  expect(seen.values).toBeGreaterThan(MUTATIONS / 10);
  expect(seen.errors).toBeGreaterThan(MUTATIONS / 4);
}, 120_000);
