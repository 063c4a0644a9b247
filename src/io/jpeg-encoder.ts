// Baseline JPEG (ITU-T T.81) of small pictures: colours in full resolution, Huffman tables as its Annex K suggests.
import { InputError } from '../errors.js';
import { ZIGZAG } from './jpeg.js';

/** A picture of 8 bits a colour. */
export interface JpegPicture {
  /** px */
  width: number;
  /** px */
  height: number;
  /** [height][width][3]: red, green, blue */
  data: Uint8Array;
}

/** Annex K.1 and K.2, row by row; at quality 50 a coefficient is divided by this. */
// biome-ignore format: blocks as they lie
const LUMA_STEPS = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMA_STEPS = LUMA_STEPS.map((_, i) => {
  const [col, row] = [i % 8, i >> 3];
  if (col > 3 || row > 3) return 99;
  return [17, 18, 24, 47, 18, 21, 26, 66, 24, 26, 56, 99, 47, 66, 99, 99][row * 4 + col]!;
});

/** Codes of each length from 1 to 16 bits, and the symbols in the order of their codes. */
interface CodeLengths {
  counts: readonly number[];
  symbols: readonly number[];
}

const CATEGORIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/** The frequent symbols first, then the others: run of zeros × 16 + bits of the value behind it. */
function coefficientSymbols(frequent: readonly number[]): number[] {
  const all = Array.from({ length: 160 }, (_, i) => Math.floor(i / 10) * 16 + (i % 10) + 1);
  return [...frequent, ...all.filter((symbol) => !frequent.includes(symbol))];
}

const LUMA_DC: CodeLengths = { counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], symbols: CATEGORIES };
const CHROMA_DC: CodeLengths = { counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], symbols: CATEGORIES };
// biome-ignore format: codes of one length follow each other
const LUMA_AC: CodeLengths = {
  counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
  symbols: coefficientSymbols([
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32,
    0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82,
  ]),
};
// biome-ignore format: codes of one length follow each other
const CHROMA_AC: CodeLengths = {
  counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
  symbols: coefficientSymbols([
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32, 0x81,
    0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34,
    0xe1, 0x25, 0xf1,
  ]),
};

/** cos(kπ/16), k = 0–8. */
const COSINES = [
  1,
  0.9807852804032304,
  0.9238795325112867,
  0.8314696123025452,
  Math.SQRT1_2,
  0.5555702330196022,
  0.3826834323650898,
  0.19509032201612825,
  0,
];

/** f64[8][8]: the k-th cosine at the n-th sample, scaled so that the transform keeps lengths. */
const BASIS = Float64Array.from({ length: 64 }, (_, i) => {
  const [k, n] = [i >> 3, i & 7];
  const turn = ((2 * n + 1) * k) % 32;
  const half = turn > 16 ? 32 - turn : turn;
  const cosine = half > 8 ? -COSINES[16 - half]! : COSINES[half]!;
  return (cosine * (k === 0 ? COSINES[4]! : 1)) / 2;
});

/** Code and length of each symbol. */
function codesOf({ counts, symbols }: CodeLengths): { code: Uint16Array; length: Uint8Array } {
  const [code, length] = [new Uint16Array(256), new Uint8Array(256)];
  let next = 0;
  let at = 0;
  counts.forEach((count, i) => {
    for (let k = 0; k < count; k++, at++, next++) {
      code[symbols[at]!] = next;
      length[symbols[at]!] = i + 1;
    }
    next <<= 1;
  });
  return { code, length };
}

/** Bits one after the other; a byte of ones is followed by one of zeros, so that it is no marker. */
class BitWriter {
  readonly bytes: number[] = [];
  #held = 0;
  #bits = 0;

  put(value: number, length: number): void {
    for (let bit = length - 1; bit >= 0; bit--) {
      this.#held = (this.#held << 1) | ((value >> bit) & 1);
      if (++this.#bits < 8) continue;
      this.bytes.push(this.#held);
      if (this.#held === 255) this.bytes.push(0);
      this.#held = 0;
      this.#bits = 0;
    }
  }

  /** Fills the last byte with ones. */
  end(): void {
    if (this.#bits > 0) this.put(255, 8 - this.#bits);
  }
}

interface Component {
  /** f32[height][width], about 0 */
  plane: Float32Array;
  steps: readonly number[];
  dc: ReturnType<typeof codesOf>;
  ac: ReturnType<typeof codesOf>;
  before: number;
}

/** Luma and both differences of colour (JFIF), less 128. */
function planesOf({ width, height, data }: JpegPicture): [Float32Array, Float32Array, Float32Array] {
  const n = width * height;
  const planes: [Float32Array, Float32Array, Float32Array] = [
    new Float32Array(n),
    new Float32Array(n),
    new Float32Array(n),
  ];
  for (let i = 0; i < n; i++) {
    const [r, g, b] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    planes[0][i] = 0.299 * r + 0.587 * g + 0.114 * b - 128;
    planes[1][i] = -0.168735892 * r - 0.331264108 * g + 0.5 * b;
    planes[2][i] = 0.5 * r - 0.418687589 * g - 0.081312411 * b;
  }
  return planes;
}

const samples = new Float64Array(64);
const half = new Float64Array(64);

/** A block of a plane, edges repeated, → quantized coefficients in the order of the stream. */
function transform(component: Component, size: { width: number; height: number }, at: { col: number; row: number }) {
  const { plane, steps } = component;
  for (let i = 0; i < 64; i++) {
    const col = Math.min(at.col + (i & 7), size.width - 1);
    const row = Math.min(at.row + (i >> 3), size.height - 1);
    samples[i] = plane[row * size.width + col]!;
  }
  const product = (from: Float64Array, k: number, start: number, step: number): number => {
    let sum = 0;
    for (let n = 0; n < 8; n++) sum += BASIS[k * 8 + n]! * from[start + n * step]!;
    return sum;
  };
  for (let i = 0; i < 64; i++) half[i] = product(samples, i & 7, i & ~7, 1);
  return Int32Array.from(ZIGZAG, (place) => Math.round(product(half, place >> 3, place & 7, 8) / steps[place]!));
}

/** Bits of a value's size, and the value in so many: negative ones less one. */
function putValue(bits: BitWriter, value: number, length: number): void {
  bits.put(value < 0 ? value + 2 ** length - 1 : value, length);
}

function putBlock(bits: BitWriter, component: Component, block: Int32Array): void {
  const { dc, ac } = component;
  const sizeOf = (value: number): number => 32 - Math.clz32(Math.abs(value));
  const change = block[0]! - component.before;
  component.before = block[0]!;
  const category = sizeOf(change);
  bits.put(dc.code[category]!, dc.length[category]!);
  putValue(bits, change, category);
  let run = 0;
  for (let k = 1; k < 64; k++) {
    const value = block[k]!;
    if (value === 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) bits.put(ac.code[0xf0]!, ac.length[0xf0]!);
    const symbol = run * 16 + sizeOf(value);
    bits.put(ac.code[symbol]!, ac.length[symbol]!);
    putValue(bits, value, symbol & 15);
    run = 0;
  }
  if (run > 0) bits.put(ac.code[0]!, ac.length[0]!);
}

const segment = (marker: number, ...bytes: number[]): number[] => [
  0xff,
  marker,
  (bytes.length + 2) >> 8,
  (bytes.length + 2) & 255,
  ...bytes,
];

function headOf({ width, height }: JpegPicture, luma: readonly number[], chroma: readonly number[]): number[] {
  const table = (id: number, { counts, symbols }: CodeLengths) => segment(0xc4, id, ...counts, ...symbols);
  const steps = (id: number, values: readonly number[]) => segment(0xdb, id, ...Array.from(ZIGZAG, (i) => values[i]!));
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  return [
    ...[0xff, 0xd8],
    ...segment(0xe0, ...new TextEncoder().encode('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0),
    ...steps(0, luma),
    ...steps(1, chroma),
    ...segment(0xc0, 8, ...size, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1),
    ...table(0x00, LUMA_DC),
    ...table(0x10, LUMA_AC),
    ...table(0x01, CHROMA_DC),
    ...table(0x11, CHROMA_AC),
    ...segment(0xda, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0),
  ];
}

/**
 * Encodes a picture as JPEG.
 * @param quality 1–100, as libjpeg counts it
 */
export function encodeJpeg(picture: JpegPicture, quality = 75): Uint8Array {
  const { width, height, data } = picture;
  if (!(width > 0 && height > 0 && width < 65536 && height < 65536) || data.length !== width * height * 3)
    throw new InputError(`a JPEG of ${width} × ${height} × 3 does not fit ${data.length} bytes of data`);
  if (!(quality >= 1 && quality <= 100)) throw new InputError(`the quality of a JPEG is 1 to 100, not ${quality}`);
  const percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  const scaled = (steps: readonly number[]) =>
    steps.map((step) => Math.min(255, Math.max(1, Math.floor((step * percent + 50) / 100))));
  const [luma, chroma] = [scaled(LUMA_STEPS), scaled(CHROMA_STEPS)];
  const components = planesOf(picture).map((plane, i): Component => {
    const [steps, dc, ac] = i === 0 ? ([luma, LUMA_DC, LUMA_AC] as const) : ([chroma, CHROMA_DC, CHROMA_AC] as const);
    return { plane, steps, dc: codesOf(dc), ac: codesOf(ac), before: 0 };
  });
  const bits = new BitWriter();
  for (let row = 0; row < height; row += 8)
    for (let col = 0; col < width; col += 8)
      for (const component of components) putBlock(bits, component, transform(component, picture, { col, row }));
  bits.end();
  return Uint8Array.from([...headOf(picture, luma, chroma), ...bits.bytes, 0xff, 0xd9]);
}
