/** An RGB picture that is being drawn: [height][width][3]. */
export interface Canvas {
  width: number;
  height: number;
  data: Uint8Array;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** 5 × 7 px letters: a byte per column, the lowest bit on top. */
const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '0000000000',
  '-': '0808080808',
  '.': '0060600000',
  '/': '2010080402',
  ':': '0036360000',
  '%': '2313086462',
  _: '4040404040',
  0: '3e5149453e',
  1: '00427f4000',
  2: '4261514946',
  3: '2141454b31',
  4: '1814127f10',
  5: '2745454539',
  6: '3c4a494930',
  7: '0171090503',
  8: '3649494936',
  9: '064949291e',
  A: '7c1211127c',
  B: '7f49494936',
  C: '3e41414122',
  D: '7f4141413e',
  E: '7f49494941',
  F: '7f09090901',
  G: '3e41415173',
  H: '7f0808087f',
  I: '00417f4100',
  J: '2040413f01',
  K: '7f08142241',
  L: '7f40404040',
  M: '7f021c027f',
  N: '7f0408107f',
  O: '3e4141413e',
  P: '7f09090906',
  Q: '3e4151215e',
  R: '7f09192946',
  S: '2649494932',
  T: '01017f0101',
  U: '3f4040403f',
  V: '1f2040201f',
  W: '3f4038403f',
  X: '6314081463',
  Y: '0304780403',
  Z: '6151494543',
};

const ADVANCE_PX = 6;

/** px that a text takes. */
export function textWidth(text: string, scale = 1): number {
  return Math.max(0, text.length * ADVANCE_PX - 1) * scale;
}

/** Fills a rectangle, as far as it lies on the canvas. */
export function fillRect(
  canvas: Canvas,
  at: { col: number; row: number; width: number; height: number },
  colour: Colour,
) {
  for (let y = Math.max(0, at.row); y < Math.min(canvas.height, at.row + at.height); y++) {
    for (let x = Math.max(0, at.col); x < Math.min(canvas.width, at.col + at.width); x++) {
      canvas.data.set(colour, (y * canvas.width + x) * 3);
    }
  }
}

/** Writes capital letters, digits and some signs; others are left blank. */
export function drawText(
  canvas: Canvas,
  text: string,
  { col, row, colour, scale = 1 }: { col: number; row: number; colour: Colour; scale?: number },
): void {
  [...text.toUpperCase()].forEach((letter, i) => {
    const glyph = GLYPHS[letter] ?? GLYPHS[' ']!;
    for (let x = 0; x < 5; x++) {
      const column = Number.parseInt(glyph.slice(2 * x, 2 * x + 2), 16);
      for (let y = 0; y < 7; y++) {
        if ((column & (1 << y)) === 0) continue;
        const at = { col: col + (i * ADVANCE_PX + x) * scale, row: row + y * scale, width: scale, height: scale };
        fillRect(canvas, at, colour);
      }
    }
  });
}
