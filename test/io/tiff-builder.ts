import { deflateSync } from 'node:zlib';

/** A TIFF made by hand for tests: whatever the writer of the package does not write. */
export interface BuiltTiff {
  width: number;
  height: number;
  /** Values by [band][px], row-major. */
  bands: readonly (readonly number[])[];
  bits?: number;
  /** 1 unsigned, 2 signed, 3 float */
  format?: number;
  little?: boolean;
  big?: boolean;
  planar?: boolean;
  predictor?: 1 | 2 | 3;
  compression?: 1 | 8;
  /** Tile size; strips of this many rows when it has one number. */
  tile?: [number, number] | [number];
  /** Blocks that are left out (offset 0). */
  sparse?: readonly number[];
  /** Further tags: [id, type, values]; a text for ASCII. */
  tags?: readonly [number, number, readonly number[] | string][];
}

const TYPE_BYTES: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 11: 4, 12: 8, 16: 8 };

/** Samples of one row, [px][band], as bytes, with the predictor applied: the naive way. */
function rowBytes(t: Required<BuiltTiff>, samples: number[], nSample: number): number[] {
  const { bits, format, little, predictor } = t;
  const size = bits / 8;
  if (bits % 8 !== 0) {
    const stream = samples.map((s) => s.toString(2).padStart(bits, '0')).join('');
    const bytes = stream.match(/.{1,8}/g) ?? [];
    return bytes.map((b) => Number.parseInt(b.padEnd(8, '0'), 2));
  }
  const encode = (value: number, order: boolean): number[] => {
    const view = new DataView(new ArrayBuffer(8));
    if (format === 3 && size === 4) view.setFloat32(0, value, order);
    else if (format === 3) view.setFloat64(0, value, order);
    else if (size === 1) view.setUint8(0, value);
    else if (size === 2) view.setUint16(0, value, order);
    else if (size === 4) view.setUint32(0, value, order);
    else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), order);
    return [...new Uint8Array(view.buffer, 0, size)];
  };
  if (predictor === 3) {
    const all = samples.map((s) => encode(s, false));
    const planes = Array.from({ length: size }, (_, byte) => all.map((b) => b[byte]!)).flat();
    return planes.map((b, i) => (i < nSample ? b : (b - planes[i - nSample]!) & 255));
  }
  const asBits = (value: number): bigint => {
    const bytes = encode(value, false);
    return bytes.reduce((sum, b) => (sum << 8n) | BigInt(b), 0n);
  };
  const values = samples.map((s, i) =>
    predictor === 2 && i >= nSample ? BigInt.asUintN(bits, asBits(s) - asBits(samples[i - nSample]!)) : asBits(s),
  );
  return values.flatMap((v) => {
    const bytes = Array.from({ length: size }, (_, i) => Number((v >> BigInt(8 * i)) & 255n));
    return little ? bytes : bytes.reverse();
  });
}

function blocksOf(t: Required<BuiltTiff>): Uint8Array[] {
  const { width, height, bands, planar, tile } = t;
  const [tileWidth, tileHeight] = tile.length === 2 ? tile : [width, tile[0]];
  const groups = planar ? bands.map((band) => [band]) : [bands];
  const blocks: Uint8Array[] = [];
  for (const group of groups) {
    for (let top = 0; top < height; top += tileHeight) {
      for (let left = 0; left < width; left += tileWidth) {
        const rows = tile.length === 2 ? tileHeight : Math.min(tileHeight, height - top);
        const bytes = Array.from({ length: rows }, (_, y) => {
          const samples = Array.from({ length: tileWidth }, (_, x) =>
            group.map((band) => (left + x < width && top + y < height ? band[(top + y) * width + left + x]! : 0)),
          ).flat();
          return rowBytes(t, samples, group.length);
        }).flat();
        blocks.push(t.compression === 8 ? deflateSync(new Uint8Array(bytes)) : new Uint8Array(bytes));
      }
    }
  }
  return blocks;
}

export function buildTiff(options: BuiltTiff): Uint8Array {
  const t: Required<BuiltTiff> = {
    bits: 8,
    format: 1,
    little: true,
    big: false,
    planar: false,
    predictor: 1,
    compression: 1,
    tile: [options.height],
    sparse: [],
    tags: [],
    ...options,
  };
  const { little, big, bands, tile } = t;
  const blocks = blocksOf(t).map((block, i) => (t.sparse.includes(i) ? new Uint8Array(0) : block));
  let at = 16;
  const offsets = blocks.map((block) => {
    const offset = block.length > 0 ? at : 0;
    at += block.length + (block.length & 1);
    return offset;
  });
  const wide = big ? 16 : 4;
  const own: [number, number, readonly number[] | string][] = [
    [256, 4, [t.width]],
    [257, 4, [t.height]],
    [258, 3, bands.map(() => t.bits)],
    [259, 3, [t.compression]],
    [262, 3, [1]],
    [277, 3, [bands.length]],
    [284, 3, [t.planar ? 2 : 1]],
    ...(t.predictor > 1 ? ([[317, 3, [t.predictor]]] as [number, number, number[]][]) : []),
    ...(tile.length === 2
      ? ([
          [322, 3, [tile[0]]],
          [323, 3, [tile[1]]],
          [324, wide, offsets],
          [325, wide, blocks.map((b) => b.length)],
        ] as [number, number, number[]][])
      : ([
          [278, 4, [tile[0]]],
          [273, wide, offsets],
          [279, wide, blocks.map((b) => b.length)],
        ] as [number, number, number[]][])),
    [339, 3, bands.map(() => t.format)],
  ];
  const replaced = new Set(t.tags.map(([id]) => id));
  const tags = [...own.filter(([id]) => !replaced.has(id)), ...t.tags].sort((p, q) => p[0] - q[0]);
  const ifd = at;
  const values = tags.map(([, , v]) => (typeof v === 'string' ? [...new TextEncoder().encode(`${v}\0`)] : v));
  const entryBytes = big ? 20 : 12;
  let outside = ifd + (big ? 16 : 6) + tags.length * entryBytes;
  const end = outside + tags.reduce((sum, [, type], i) => sum + values[i]!.length * TYPE_BYTES[type]! + 8, 0);
  const out = new Uint8Array(end);
  const view = new DataView(out.buffer);
  const word = (p: number, v: number): void =>
    big ? view.setBigUint64(p, BigInt(v), little) : view.setUint32(p, v, little);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, big ? 43 : 42, little);
  if (big) view.setUint16(4, 8, little);
  word(big ? 8 : 4, ifd);
  blocks.forEach((block, i) => {
    out.set(block, offsets[i]);
  });
  if (big) view.setBigUint64(ifd, BigInt(tags.length), little);
  else view.setUint16(ifd, tags.length, little);
  tags.forEach(([id, type], i) => {
    const p = ifd + (big ? 8 : 2) + i * entryBytes;
    const size = TYPE_BYTES[type]!;
    view.setUint16(p, id, little);
    view.setUint16(p + 2, type, little);
    word(p + 4, values[i]!.length);
    const inside = values[i]!.length * size <= (big ? 8 : 4);
    const start = inside ? p + (big ? 12 : 8) : outside;
    if (!inside) {
      word(p + (big ? 12 : 8), outside);
      outside += values[i]!.length * size;
    }
    values[i]!.forEach((v, n) => {
      const q = start + n * size;
      if (type === 12) view.setFloat64(q, v, little);
      else if (type === 16) view.setBigUint64(q, BigInt(v), little);
      else if (size === 4) view.setUint32(q, v, little);
      else if (size === 2) view.setUint16(q, v, little);
      else view.setUint8(q, v);
    });
  });
  return out.subarray(0, outside);
}
