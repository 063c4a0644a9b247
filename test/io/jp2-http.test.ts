import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRaster } from '../../build/io/open-raster.js';
import { copyTile } from '../fixture/copy-tile.js';
import { type FaultServer, startFaultServer } from '../fixture/fault-server.js';
import { JP2, type Jp2Fixture, jp2Bytes } from '../fixture/jp2.js';

/** Bytes by which each tile-part grows, so that its neighbours are not read with it. */
const PADDING = 100_000;

/** A picture whose tiles lie far apart: each tile-part has a comment of its own in front of its data. */
function spread(fixture: Jp2Fixture): Uint8Array {
  const bytes = jp2Bytes(fixture);
  const view = new DataView(bytes.buffer);
  const first = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0x90);
  const comments = Array.from({ length: PADDING / 50_000 }, () => {
    const segment = new Uint8Array(50_000).fill(32);
    new DataView(segment.buffer).setUint32(0, 0xff640000 + segment.length - 2);
    return segment;
  });
  const pieces: Uint8Array[] = [bytes.slice(0, first)];
  let at = first;
  while (view.getUint16(at) === 0xff90) {
    const length = view.getUint32(at + 6);
    const sot = bytes.slice(at, at + 12);
    new DataView(sot.buffer).setUint32(6, length + PADDING);
    pieces.push(sot, ...comments, bytes.slice(at + 12, at + length));
    at += length;
  }
  // The codestream's box, and the index of tiles, grow with them.
  const head = pieces[0]!;
  const headView = new DataView(head.buffer);
  const box = Buffer.from(head).indexOf('jp2c') - 4;
  const tiles = (pieces.length - 1) / (comments.length + 2);
  if (box >= 0) headView.setUint32(box, headView.getUint32(box) + tiles * PADDING);
  const tlm = head.findIndex((byte, i) => byte === 0xff && head[i + 1] === 0x55 && i > 85);
  for (let i = 0; tlm > 0 && i < tiles; i++) {
    const entry = tlm + 6 + i * 5 + 1;
    headView.setUint32(entry, headView.getUint32(entry) + PADDING);
  }
  return Buffer.concat([...pieces, Uint8Array.of(0xff, 0xd9)]);
}

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
  for (const name of ['index', 'bytes'] as const) server.files.set(`${name}.jp2`, spread(JP2[name]));
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests = [];
  server.faults = [];
});

describe('JPEG 2000 over HTTP', () => {
  const last = { level: 0, col: 2, row: 1 };

  it('takes a request for a tile where there is an index', async () => {
    const raster = await openRaster(`${server.root}/index.jp2`);
    const opening = server.requests.length;
    const [tile] = await copyTile(raster, last, [0]);
    expect(tile![0]).toBe(JP2.index.value(0, 64, 32));
    expect(server.requests.length - opening).toBe(1);
    expect(opening).toBeLessThanOrEqual(2);
  });

  it('takes a small request more for each tile before it where there is none', async () => {
    const raster = await openRaster(`${server.root}/bytes.jp2`);
    const begin = server.requests.length;
    const [tile] = await copyTile(raster, last, [0]);
    expect(tile![0]).toBe(JP2.bytes.value(0, 64, 32));
    // The walk looks at six tiles, twelve bytes each, and reads one.
    const walk = server.requests.slice(begin);
    expect(walk).toHaveLength(7);
    const sizes = walk
      .map((request) => /bytes=(\d+)-(\d+)/.exec(request)!)
      .map(([, a, b]) => Number(b) - Number(a) + 1);
    expect(sizes.slice(0, 6)).toEqual(Array(6).fill(12));
    // The next tile needs no walk.
    server.requests = [];
    await copyTile(raster, { level: 0, col: 1, row: 0 }, [0]);
    expect(server.requests).toHaveLength(1);
  });

  it('foresees a tile once, and not what it has decoded', async () => {
    server.files.set('again.jp2', server.files.get('index.jp2')!);
    const raster = await openRaster(`${server.root}/again.jp2`);
    const reads = await raster.foresee!(last, [0]);
    expect(reads).toHaveLength(1);
    expect(await raster.foresee!(last, [0])).toEqual([]);
    expect(await raster.foresee!({ level: 1, col: 2, row: 1 }, [0])).toEqual([]);
    const begin = server.requests.length;
    const settled = reads[0]!.start();
    const [tile] = await copyTile(raster, last, [0]);
    expect(tile![0]).toBe(JP2.index.value(0, 64, 32));
    await settled;
    expect(server.requests.length - begin).toBe(1);
    expect(await raster.foresee!(last, [0])).toEqual([]);
  });

  it('survives a server that drops the connection, is busy, or answers wrongly', async () => {
    const raster = await openRaster(`${server.root}/index.jp2`);
    server.faults = [{ kind: 'drop', part: 0.6 }, { kind: 'status', status: 503 }, { kind: 'shifted' }];
    const [tile] = await copyTile(raster, { level: 0, col: 1, row: 1 }, [0]);
    expect(tile![0]).toBe(JP2.index.value(0, 32, 32));
    expect(server.requests.length).toBeGreaterThanOrEqual(4);
  });
});
