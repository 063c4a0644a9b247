// Sequential Huffman JPEG of 8 bits (ITU-T T.81), as it stands in TIFF files: tables apart, one picture a block.
import { FormatError, UnsupportedError } from '../errors.js';
import { inverseDct, type JpegPlane, rgbOfYcbcr, upsampleRow } from './jpeg-samples.js';

// biome-ignore format: the zigzag as it runs
const ZIGZAG = new Uint8Array([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]);

/** Symbol and code length by the next 16 bits: length << 8 | symbol, 0 = no such code. */
type HuffmanTable = Uint16Array;

interface Component {
  id: number;
  h: number;
  v: number;
  quantization: number;
  plane: JpegPlane;
  dc: HuffmanTable | null;
  ac: HuffmanTable | null;
  before: number;
}

interface JpegState {
  quantizations: (Int32Array | undefined)[];
  huffman: (HuffmanTable | undefined)[];
  restartInterval: number;
  width: number;
  height: number;
  components: Component[];
}

const corrupt = (what: string): never => {
  throw new FormatError(`JPEG data is corrupt: ${what}`);
};

function readQuantizations(state: JpegState, segment: Uint8Array): void {
  for (let at = 0; at < segment.length; ) {
    const head = segment[at++]!;
    const wide = head >> 4 !== 0;
    if (at + (wide ? 128 : 64) > segment.length) corrupt('a quantization table is cut off');
    const table = new Int32Array(64);
    for (let i = 0; i < 64; i++) {
      table[ZIGZAG[i]!] = wide ? (segment[at]! << 8) | segment[at + 1]! : segment[at]!;
      at += wide ? 2 : 1;
    }
    state.quantizations[head & 15] = table;
  }
}

function readHuffman(state: JpegState, segment: Uint8Array): void {
  for (let at = 0; at + 17 <= segment.length; ) {
    const head = segment[at++]!;
    const counts = segment.subarray(at, at + 16);
    at += 16;
    const table = new Uint16Array(65536);
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      for (let i = 0; i < counts[length - 1]!; i++, code++) {
        if (at >= segment.length || code >= 1 << length) corrupt('a Huffman table');
        const first = code << (16 - length);
        table.fill((length << 8) | segment[at++]!, first, first + (1 << (16 - length)));
      }
      code <<= 1;
    }
    state.huffman[head & 31] = table;
  }
}

function readFrame(state: JpegState, segment: Uint8Array, most: number): void {
  if (segment.length < 6 || segment.length < 6 + 3 * segment[5]!) corrupt('the frame header is cut off');
  if (segment[0] !== 8) throw new UnsupportedError(`JPEG of ${segment[0]} bits is not read`);
  state.height = (segment[1]! << 8) | segment[2]!;
  state.width = (segment[3]! << 8) | segment[4]!;
  const nComponent = segment[5]!;
  if (state.width === 0 || state.height === 0 || nComponent === 0) corrupt('a picture of no size');
  if (nComponent > 4 || state.width * state.height * nComponent > most) corrupt('a picture larger than its block');
  const sizes = Array.from({ length: nComponent }, (_, i) => segment[7 + 3 * i]!).map((s) => [s >> 4, s & 15] as const);
  if (sizes.some(([h, v]) => h < 1 || h > 4 || v < 1 || v > 4)) corrupt('sampling factors');
  const maxH = Math.max(...sizes.map((s) => s[0]));
  const maxV = Math.max(...sizes.map((s) => s[1]));
  const across = Math.ceil(state.width / (8 * maxH));
  const down = Math.ceil(state.height / (8 * maxV));
  state.components = sizes.map(([h, v], i) => {
    const stride = across * h * 8;
    return {
      id: segment[6 + 3 * i]!,
      h,
      v,
      quantization: segment[8 + 3 * i]!,
      plane: {
        samples: new Uint8Array(stride * down * v * 8),
        stride,
        width: Math.ceil((state.width * h) / maxH),
        height: Math.ceil((state.height * v) / maxV),
      },
      dc: null,
      ac: null,
      before: 0,
    };
  });
}

/** Bits of the entropy-coded data, most significant first; a marker ends them, and zeros follow for ever. */
function bitReader(bytes: Uint8Array, start: number) {
  let at = start;
  let held = 0;
  let nHeld = 0;
  let missing = 0;
  const fill = (): void => {
    while (nHeld <= 16) {
      let next = 0;
      if (at < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0)) {
        next = bytes[at]!;
        at += next === 0xff ? 2 : 1;
      } else if (++missing > 4) {
        corrupt('the data ends early');
      }
      held = ((held << 8) | next) & 0xffffffff;
      nHeld += 8;
    }
  };
  return {
    symbol(table: HuffmanTable): number {
      fill();
      const entry = table[(held >>> (nHeld - 16)) & 0xffff]!;
      if (entry === 0) corrupt('a code that no table has');
      nHeld -= entry >> 8;
      return entry & 255;
    },
    /** A signed value of n bits, as T.81's EXTEND has it. */
    value(n: number): number {
      if (n === 0) return 0;
      fill();
      nHeld -= n;
      const bits = (held >>> nHeld) & ((1 << n) - 1);
      return bits < 1 << (n - 1) ? bits - (1 << n) + 1 : bits;
    },
    /** Passes over the restart marker and starts afresh behind it. */
    restart(): void {
      held = 0;
      nHeld = 0;
      missing = 0;
      while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1]! >= 0xd0 && bytes[at + 1]! <= 0xd7)) at++;
      at += 2;
    },
    position: (): number => at,
  };
}

const block = new Int32Array(64);

function readBlock(bits: ReturnType<typeof bitReader>, c: Component, table: Int32Array, at: number): void {
  block.fill(0);
  c.before += bits.value(bits.symbol(c.dc!) & 15);
  block[0] = c.before * table[0]!;
  for (let k = 1; k < 64; k++) {
    const symbol = bits.symbol(c.ac!);
    const size = symbol & 15;
    if (size === 0 && symbol !== 0xf0) break;
    k += symbol >> 4;
    if (size === 0) continue;
    if (k > 63) corrupt('a block of more than 64 coefficients');
    const where = ZIGZAG[k]!;
    block[where] = bits.value(size) * table[where]!;
  }
  inverseDct(block, c.plane.samples, at, c.plane.stride);
}

/** One scan; returns where it ended. */
function readScan(state: JpegState, segment: Uint8Array, bytes: Uint8Array, start: number): number {
  const n = segment[0]!;
  if (segment.length < 4 + 2 * n) corrupt('the scan header is cut off');
  const scanned = Array.from({ length: n }, (_, i) => {
    const c = state.components.find((c) => c.id === segment[1 + 2 * i]) ?? corrupt('a scan of no component');
    const tables = segment[2 + 2 * i]!;
    c.dc = state.huffman[tables >> 4] ?? corrupt('a Huffman table is missing');
    c.ac = state.huffman[16 | (tables & 15)] ?? corrupt('a Huffman table is missing');
    c.before = 0;
    return { c, table: state.quantizations[c.quantization] ?? corrupt('a quantization table is missing') };
  });
  const bits = bitReader(bytes, start);
  const alone = n === 1;
  const only = scanned[0]!.c;
  const first = state.components[0]!;
  const across = alone ? Math.ceil(only.plane.width / 8) : first.plane.stride / (8 * first.h);
  const down = alone
    ? Math.ceil(only.plane.height / 8)
    : first.plane.samples.length / first.plane.stride / (8 * first.v);
  for (let unit = 0; unit < across * down; unit++) {
    if (state.restartInterval > 0 && unit > 0 && unit % state.restartInterval === 0) {
      bits.restart();
      for (const { c } of scanned) c.before = 0;
    }
    const [col, row] = [unit % across, Math.floor(unit / across)];
    for (const { c, table } of scanned) {
      const [h, v] = alone ? [1, 1] : [c.h, c.v];
      for (let y = 0; y < v; y++) {
        for (let x = 0; x < h; x++) {
          readBlock(bits, c, table, (row * v + y) * 8 * c.plane.stride + (col * h + x) * 8);
        }
      }
    }
  }
  return bits.position();
}

function readSegments(state: JpegState, bytes: Uint8Array, most: number): void {
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff || marker === 0 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === 0xd9) return;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length < 2 || at + 2 + length > bytes.length) corrupt('a segment is cut off');
    const segment = bytes.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === 0xdb) readQuantizations(state, segment);
    else if (marker === 0xc4) readHuffman(state, segment);
    else if (marker === 0xdd) state.restartInterval = (segment[0]! << 8) | segment[1]!;
    else if (marker === 0xc0 || marker === 0xc1) readFrame(state, segment, most);
    else if (marker === 0xda) at = readScan(state, segment, bytes, at);
    else if (marker >= 0xc2 && marker <= 0xcf && marker !== 0xcc) {
      throw new UnsupportedError(
        `JPEG of kind ${marker.toString(16)} (progressive, lossless or arithmetic) is not read`,
      );
    }
  }
}

/**
 * Decodes one JPEG picture → pixel-interleaved samples, [height][width][component].
 *
 * @param tables an abbreviated stream with tables that the picture uses, or null
 * @param toRgb converts YCbCr to RGB
 * @param most components × pixels that are accepted
 */
export function decodeJpeg(
  bytes: Uint8Array,
  { tables, toRgb, most }: { tables: Uint8Array | null; toRgb: boolean; most: number },
): { samples: Uint8Array; width: number; height: number; nComponent: number } {
  const state: JpegState = { quantizations: [], huffman: [], restartInterval: 0, width: 0, height: 0, components: [] };
  if (tables) readSegments(state, tables, most);
  readSegments(state, bytes, most);
  const { width, height, components } = state;
  const nComponent = components.length;
  if (nComponent === 0 || components.some((c) => !c.dc)) corrupt('there is no picture in it');
  const maxH = Math.max(...components.map((c) => c.h));
  const maxV = Math.max(...components.map((c) => c.v));
  const samples = new Uint8Array(width * height * nComponent);
  const line = new Uint8Array(components[0]!.plane.stride * 4 + 8);
  for (let y = 0; y < height; y++) {
    components.forEach(({ plane, h, v }, i) => {
      upsampleRow(plane, y, maxH / h, maxV / v, line);
      for (let x = 0, at = y * width * nComponent + i; x < width; x++, at += nComponent) samples[at] = line[x]!;
    });
  }
  if (toRgb && nComponent === 3) rgbOfYcbcr(samples);
  return { samples, width, height, nComponent };
}
