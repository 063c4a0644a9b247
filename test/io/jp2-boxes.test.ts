import { describe, expect, it } from 'vitest';
import { readGmlGrid } from '../../build/io/gml-grid.js';
import { copyTile } from '../fixture/copy-tile.js';
import { JP2, jp2Bytes, openBytes } from '../fixture/jp2.js';

/** A box of that type around parts. */
function box(type: string, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const body = parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
  const length = body.reduce((sum, part) => sum + part.length, 8);
  const out = new Uint8Array(length);
  new DataView(out.buffer).setUint32(0, length);
  out.set(new TextEncoder().encode(type), 4);
  let at = 8;
  for (const part of body) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const joined = (...boxes: readonly Uint8Array[]): Uint8Array => Uint8Array.from(boxes.flatMap((one) => [...one]));
const signature = box('jP  ', Uint8Array.of(0x0d, 0x0a, 0x87, 0x0a));
const codestream = jp2Bytes(JP2.codestream);
const header = (...more: readonly Uint8Array[]) =>
  box('jp2h', box('colr', Uint8Array.of(1, 0, 0, 0, 0, 0, 17)), ...more);

/** GML of a RectifiedGrid, in the words of different writers. */
function gml({
  srs = 'urn:ogc:def:crs:EPSG::32631',
  axes = ['x', 'y'],
  pos = '600005 5599995',
  vectors = ['10 0', '0 -10'],
} = {}) {
  const [col, row] = vectors;
  return `<?xml version="1.0"?><gml:FeatureCollection><gml:RectifiedGrid dimension="2">
    ${axes.map((axis) => `<gml:axisName>${axis}</gml:axisName>`).join('')}
    <gml:origin><gml:Point srsName="${srs}"><gml:pos>${pos}</gml:pos></gml:Point></gml:origin>
    <gml:offsetVector srsName="${srs}">${col}</gml:offsetVector><gml:offsetVector>${row}</gml:offsetVector>
    </gml:RectifiedGrid></gml:FeatureCollection>`;
}
const gmlBox = (text: string) =>
  box('asoc', box('lbl ', 'gml.data'), box('asoc', box('lbl ', 'gml.root-instance'), box('xml ', text)));

/** The GeoJP2 box of a fixture. */
function geoBox(): Uint8Array {
  const bytes = jp2Bytes(JP2.index);
  const at = Buffer.from(bytes).indexOf('uuid') - 4;
  return bytes.slice(at, at + new DataView(bytes.buffer).getUint32(at));
}

describe('the boxes of a JP2 file', () => {
  const place = [10, 0, 600_000, 0, -10, 5_600_000];

  it('say by GML where the picture lies', async () => {
    const raster = await openBytes(joined(signature, header(), gmlBox(gml()), box('jp2c', codestream)));
    expect(raster.header.grid).toMatchObject({ affine: place, crs: { epsg: 32631 }, width: 72 });
  });

  it('say it by GeoJP2 first, also behind the codestream', async () => {
    const other = gmlBox(gml({ pos: '5 5' }));
    const raster = await openBytes(joined(signature, other, geoBox(), box('jp2c', codestream)));
    expect(raster.header.grid!.affine).toEqual(place);
    const behind = await openBytes(joined(signature, header(), box('jp2c', codestream), geoBox()));
    expect(behind.header.grid!.affine).toEqual(place);
  });

  it('are passed over when nobody knows them, and no address in them is followed', async () => {
    const list = box('uinf', box('ulst', new Uint8Array(18)), box('url ', 'https://example.com/place.xml'));
    const raster = await openBytes(joined(signature, box('what', 'ever'), list, header(), box('jp2c', codestream)));
    expect(raster.header.grid).toBeNull();
    const [tile] = await copyTile(raster, { level: 0, col: 1, row: 0 }, [0]);
    expect(tile![0]).toBe(JP2.codestream.value(0, 32, 0));
  });

  it('may have a length of 64 bits, or reach to the end', async () => {
    const long = box('jp2c', new Uint8Array(8), codestream);
    new DataView(long.buffer).setUint32(0, 1);
    new DataView(long.buffer).setBigUint64(8, BigInt(long.length));
    const open = box('jp2c', codestream);
    new DataView(open.buffer).setUint32(0, 0);
    for (const last of [long, open]) {
      const [tile] = await copyTile(await openBytes(joined(signature, last)), { level: 0, col: 2, row: 1 }, [0]);
      expect(tile![0]).toBe(JP2.codestream.value(0, 64, 32));
    }
  });

  it.each([
    ['a palette', joined(signature, header(box('pclr', new Uint8Array(9))), box('jp2c', codestream)), /with a palette/],
    [
      'luma and chroma',
      joined(signature, box('jp2h', box('colr', Uint8Array.of(1, 0, 0, 0, 0, 0, 18))), box('jp2c', codestream)),
      /in YCbCr/,
    ],
  ])('are refused by name: %s', async (_, bytes, message) => {
    const error = await openBytes(bytes).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'UnsupportedError' });
    expect((error as Error).message).toMatch(message);
  });

  it.each([
    ['no codestream', joined(signature, header()), /no codestream/],
    [
      'a box that is longer than the file',
      joined(signature, header(), Uint8Array.of(0, 0, 9, 9, 65, 65, 65, 65)),
      /at byte 35 ends at 2348/,
    ],
    [
      'a box that is shorter than its header',
      joined(signature, Uint8Array.of(0, 0, 0, 7, 65, 65, 65, 65)),
      /"AAAA" at byte 12 has 7 bytes/,
    ],
    [
      'more boxes than any file has',
      joined(signature, ...Array.from({ length: 1100 }, () => box('free'))),
      /more than 1024 boxes/,
    ],
    [
      'a codestream that is none',
      joined(signature, box('jp2c', 'no codestream at all')),
      /no JPEG 2000 codestream begins at byte 20/,
    ],
  ])('are an error: %s', async (_, bytes, message) => {
    const error = await openBytes(bytes).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'FormatError' });
    expect((error as Error).message).toMatch(message);
  });
});

describe('GML of a picture', () => {
  it('has latitude first where the registry has it so', () => {
    const text = gml({ srs: 'urn:ogc:def:crs:EPSG::4326', pos: '49.5 2.5', vectors: ['0 1', '-1 0'] });
    expect(readGmlGrid(text)).toMatchObject({ affine: [1, 0, 2, 0, -1, 50], crs: { epsg: 4326 } });
  });

  it('has the order of its axes where it names them, or is no name of the registry', () => {
    const easting = gml({ srs: 'urn:ogc:def:crs:EPSG::3035', axes: ['Easting', 'Northing'], pos: '1005 2995' });
    expect(readGmlGrid(easting)!.affine).toEqual([10, 0, 1000, 0, -10, 3000]);
    const northing = gml({
      srs: 'urn:ogc:def:crs:EPSG::3035',
      axes: ['Northing', 'Easting'],
      pos: '2995 1005',
      vectors: ['0 10', '-10 0'],
    });
    expect(readGmlGrid(northing)!.affine).toEqual([10, 0, 1000, 0, -10, 3000]);
    expect(readGmlGrid(gml({ srs: 'EPSG:4326', pos: '2.5 49.5', vectors: ['1 0', '0 -1'] }))!.affine).toEqual([
      1, 0, 2, 0, -1, 50,
    ]);
  });

  it('is nothing without an origin and two vectors, and unknown without a CRS', () => {
    expect(readGmlGrid('<a>RectifiedGrid</a>')).toBeNull();
    expect(readGmlGrid(gml({ pos: 'here there' }))).toBeNull();
    expect(readGmlGrid(gml({ vectors: ['1 0', ''] }))).toBeNull();
    expect(readGmlGrid(gml({ srs: 'nowhere' }))!.crs).toEqual({ epsg: null, definition: null, geoKeys: null });
  });
});
