import { describe, expect, it } from 'vitest';
import { StackwiseError } from '../../build/errors.js';
import { decodeJ2k } from '../../build/io/jp2-codec.js';
import { readWindow } from '../../build/io/window.js';
import { HEIGHT, JP2, type Jp2Fixture, jp2Bytes, openBytes, WIDTH } from '../fixture/jp2.js';
import { seeded } from '../random.ts';

/** Reads a whole picture: its error, or whether it has the true values. */
async function outcome(bytes: Uint8Array, fixture: Jp2Fixture): Promise<StackwiseError | 'equal' | 'different'> {
  try {
    const raster = await openBytes(bytes);
    const { width, height } = raster.header;
    if (width * height > 1e6) return 'different';
    const window = { col: 0, row: 0, width, height };
    const [got] = await readWindow(raster, { level: 0, window, bands: [0] });
    if (width !== WIDTH || height !== HEIGHT) return 'different';
    const equal = got!.every((value, i) => Number(value) === fixture.value(0, i % WIDTH, Math.floor(i / WIDTH)));
    return equal ? 'equal' : 'different';
  } catch (error) {
    if (error instanceof StackwiseError) return error;
    throw error;
  }
}

/** Where the first tile-part begins. */
const firstPart = (bytes: Uint8Array) => bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0x90);

const view16 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer).getUint16(at);

/** A copy with some bytes changed. */
function changed(bytes: Uint8Array, change: (copy: Uint8Array, view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy, new DataView(copy.buffer));
  return copy;
}

describe('damaged JPEG 2000', () => {
  it.each(Object.entries(JP2))('is an error wherever it is cut off: %s', async (_, fixture) => {
    const bytes = jp2Bytes(fixture);
    // The end marker, and what fills the last byte, are not missed.
    for (let length = 0; length < bytes.length - 4; length += 7) {
      const error = await outcome(bytes.subarray(0, length), fixture);
      expect(error, `${length} bytes`).toBeInstanceOf(StackwiseError);
      expect((error as StackwiseError).message).toMatch(/memory\.jp2/);
      expect((error as StackwiseError).message).toMatch(/byte|bytes/);
    }
  });

  it.each(Object.entries(JP2))('is an error where a tile is zeroed: %s', async (_, fixture) => {
    const bytes = jp2Bytes(fixture);
    const sod = bytes.findIndex((byte, i) => i > firstPart(bytes) && byte === 0xff && bytes[i + 1] === 0x93);
    const end = firstPart(bytes) + new DataView(bytes.buffer).getUint32(firstPart(bytes) + 6);
    for (const from of [firstPart(bytes), sod + 2]) {
      const error = await outcome(
        changed(bytes, (copy) => copy.fill(0, from, end)),
        fixture,
      );
      expect(error, `from byte ${from}`).toMatchObject({ name: 'FormatError' });
      expect((error as Error).message).toMatch(/memory\.jp2.*byte \d+/);
    }
  });

  it('is an error where a packet is zeroed of which the length is known', async () => {
    const bytes = jp2Bytes(JP2.lengths);
    const sod = bytes.findIndex((byte, i) => i > firstPart(bytes) && byte === 0xff && bytes[i + 1] === 0x93);
    const error = await outcome(
      changed(bytes, (copy) => copy.fill(0, sod + 2, sod + 4)),
      JP2.lengths,
    );
    expect((error as Error).message).toMatch(/an empty packet of \d+ bytes: the data is corrupt/);
  });

  it('is an error where it is garbage', async () => {
    const random = seeded(3);
    const bytes = jp2Bytes(JP2.bytes);
    const garbage = bytes.map(() => Math.floor(random() * 256));
    expect(await outcome(garbage, JP2.bytes)).toMatchObject({ name: 'FormatError' });
    const behind = changed(bytes, (copy) => copy.set(garbage.subarray(85), 85));
    expect(await outcome(behind, JP2.bytes)).toMatchObject({ name: 'FormatError' });
    const tiles = changed(bytes, (copy) => copy.set(garbage.subarray(firstPart(bytes)), firstPart(bytes)));
    expect(await outcome(tiles, JP2.bytes)).toMatchObject({ name: 'FormatError' });
  });

  it.each([0, 3, 5000])('is called by its name where nothing of it is left: %d bytes of garbage', async (length) => {
    const error = await outcome(new Uint8Array(length).fill(65), JP2.bytes);
    expect(error).toMatchObject({ name: 'FormatError' });
    expect((error as Error).message).toBe(`memory.jp2: neither JPEG 2000, as its name says, nor TIFF: ${length} bytes`);
  });

  it.each(Object.entries(JP2))('never ends in anything but values or an error: %s', async (name, fixture) => {
    const random = seeded(name.length);
    const bytes = jp2Bytes(fixture);
    for (let round = 0; round < 150; round++) {
      const damaged = changed(bytes, (copy) => {
        for (let i = 0; i <= round % 4; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      });
      await outcome(damaged, fixture);
    }
  });

  it('is an error where lengths of tiles and packets contradict', async () => {
    const bytes = jp2Bytes(JP2.lengths);
    const sot = firstPart(bytes);
    const wrong = (change: (copy: Uint8Array, view: DataView) => void) => outcome(changed(bytes, change), JP2.lengths);
    expect(await wrong((_, view) => view.setUint32(sot + 6, 3))).toMatchObject({ name: 'FormatError' });
    expect(await wrong((_, view) => view.setUint16(sot + 4, 9))).toMatchObject({ name: 'FormatError' });
    const plt = bytes.findIndex((byte, i) => i > sot && byte === 0xff && bytes[i + 1] === 0x58);
    const error = await wrong((copy) => {
      copy[plt + 5]! += 1;
    });
    expect(error).toMatchObject({ name: 'FormatError' });
    expect((error as Error).message).toMatch(/tile 0, byte \d+/);
  });
});

describe('JPEG 2000 that is not read', () => {
  const codestream = () => jp2Bytes(JP2.codestream);
  it.each([
    ['subsampled components', (copy: Uint8Array) => copy.fill(2, 43, 44), /subsampled components/],
    ['more than 16 bits', (copy: Uint8Array) => copy.fill(19, 42, 43), /20 bits/],
    ['images off their tiles', (copy: Uint8Array) => copy.fill(1, 19, 20), /begins inside of a tile/],
  ])('is refused by name: %s', async (_, change, message) => {
    const error = await outcome(changed(codestream(), change), JP2.codestream);
    expect(error).toMatchObject({ name: 'UnsupportedError' });
    expect((error as Error).message).toMatch(message);
  });

  it.each([
    ['no area', (view: DataView) => view.setUint32(8, 0)],
    ['tiles of no width', (view: DataView) => view.setUint32(24, 0)],
    ['too many tiles', (view: DataView) => view.setBigUint64(8, 0x4000_0000_4000_0000n)],
    ['no components', (view: DataView) => view.setUint16(40, 0)],
    ['more components than the segment holds', (view: DataView) => view.setUint16(40, 16384)],
    ['an impossible code block', (view: DataView) => view.setUint8(55, 15)],
  ])('is refused before memory is taken: %s', async (_, change) => {
    const error = await outcome(
      changed(codestream(), (__, view) => change(view)),
      JP2.codestream,
    );
    expect(error).toMatchObject({ name: 'FormatError' });
    expect((error as Error).message).toMatch(/at byte \d+/);
  });

  it('is refused where a tile is too large for the codec, whatever its bytes', async () => {
    const large = changed(codestream(), (_, view) => {
      for (const at of [8, 12, 24, 28]) view.setUint32(at, 20_000);
    });
    expect(await outcome(large, JP2.codestream)).toMatchObject({ name: 'UnsupportedError' });
  });

  it('is refused where a tile has more code blocks or packets than its bytes can fill', async () => {
    const huge = (change: (view: DataView) => void) =>
      changed(codestream(), (_, view) => {
        for (const at of [8, 12, 24, 28]) view.setUint32(at, 8000);
        change(view);
      });
    const cod = 2 + 2 + 41;
    expect(view16(codestream(), cod)).toBe(0xff52);
    const blocks = huge((view) => view.setUint16(cod + 10, 0));
    expect(await outcome(blocks, JP2.codestream)).toMatchObject({ name: 'UnsupportedError' });
    // Precincts of 4 × 4 px, and many layers.
    const packets = changed(codestream(), (copy, view) => {
      for (const at of [8, 12, 24, 28]) view.setUint32(at, 1000);
      view.setUint16(cod + 6, 60000);
      copy.fill(0x22, cod + 14, cod + 17);
    });
    const error = await outcome(packets, JP2.codestream);
    expect((error as Error).message).toMatch(/has \d+ packets in \d+ bytes/);
  });
});

it('goes on with a new codec after one that broke down', async () => {
  const bytes = jp2Bytes(JP2.codestream);
  // A second component in the header, which the codec's package cannot give.
  const two = Uint8Array.from([...bytes.subarray(0, 45), 15, 1, 1, ...bytes.subarray(45)]);
  const view = new DataView(two.buffer);
  view.setUint16(4, view.getUint16(4) + 3);
  view.setUint16(40, 2);
  const request = { pieces: [two], reduce: 0, samples: 2 * WIDTH * HEIGHT, bits: 16 };
  const error = await decodeJ2k(request).catch((e: Error) => e);
  expect(['KernelError', 'FormatError']).toContain((error as Error).name);
  expect(await outcome(bytes, JP2.codestream)).toBe('equal');
});

it('takes a last tile that reaches to the end without saying so', async () => {
  for (const fixture of [JP2.signed, JP2.codestream]) {
    const bytes = jp2Bytes(fixture);
    let at = firstPart(bytes);
    const view = new DataView(bytes.buffer);
    while (view.getUint16(at + view.getUint32(at + 6)) === 0xff90) at += view.getUint32(at + 6);
    view.setUint32(at + 6, 0);
    expect(await outcome(bytes, fixture)).toBe('equal');
  }
});
