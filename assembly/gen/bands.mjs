// How the geomedian's bands are written: unrolled into locals when their count is known, in a loop over memory when it is not.

export const UNROLLED = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/** Weighted sums of so many bands a loop: more would not fit the 16 registers beside weight and product. */
const SUMS_A_LOOP = 6;

export const FRAME_HEAD = 64;
export const FRAME_BAND = 256;
export const SLOTS = [
  'centre',
  'solution',
  'y',
  'z',
  'g',
  'f',
  'fOld',
  'gOld',
  'df',
  'dg',
  'dfOld',
  'dgOld',
  'next',
  'unit',
];

export const add = (a, b) => `f32x4.add(${a}, ${b})`;
export const sub = (a, b) => `f32x4.sub(${a}, ${b})`;
export const mul = (a, b) => `f32x4.mul(${a}, ${b})`;
export const div = (a, b) => `f32x4.div(${a}, ${b})`;
export const select = (a, b, mask) => `v128.bitselect(${a}, ${b}, ${mask})`;
export const load = (at) => `v128.load(${at})`;

/** The way bands are written when their count is known: one local per band and name, straight-line code. */
export function unrolled(nBand) {
  const bands = Array.from({ length: nBand }, (_, b) => ({
    get: (name) => `${name}_${b}`,
    let: (name, value) => `let ${name}_${b} = ${value};`,
    set: (name, value) => `${name}_${b} = ${value};`,
    at: (pointer, stride) => `${pointer}, ${b * stride}`,
    save: (name, value) => `v128.store(frame, ${value}, ${FRAME_HEAD + b * FRAME_BAND + SLOTS.indexOf(name) * 16});`,
    saved: (name) => `v128.load(frame, ${FRAME_HEAD + b * FRAME_BAND + SLOTS.indexOf(name) * 16})`,
  }));
  const total = (values) => values.reduce((a, b) => add(a, b));
  return {
    suffix: `${nBand}`,
    rowBytes: `${(nBand + 1) * 16}`,
    flagAt: (row) => `${row}, ${nBand * 16}`,
    rawBytes: `${nBand * 64}`,
    each: (write) => bands.map(write).join('\n'),
    /** Two partial sums, so that the chain of additions is half as long. */
    sum(name, write) {
      const terms = bands.map(write);
      if (nBand < 4) return `const ${name} = ${total(terms)};`;
      const half = (odd) => total(terms.filter((_, b) => b % 2 === odd));
      return `const ${name} = ${add(half(0), half(1))};`;
    },
    /**
     * Squared distances to y, the weights at the end of them. V8 moves loads up to the last store before them: without the stores
     * of partial sums all of a row's values would take registers at a time, and the sums would live in memory.
     */
    distances(weigh) {
      const groups = [];
      for (let b = 0; b < nBand; b += 3) groups.push(bands.slice(b, b + 3));
      const loops = [];
      for (let i = 0; i < groups.length; i += 2) loops.push(groups.slice(i, i + 2));
      const term = (v) => `square(${sub(load(v.at('r', 16)), v.get('y'))})`;
      return loops
        .map((parts, i) => {
          const body = parts.map((group, j) => {
            const first = i === 0 && j === 0;
            const before = first ? [] : [j === 0 ? 'v128.load(q)' : 'part'];
            const value = total([...before, ...group.map(term)]);
            const last = i === loops.length - 1 && j === parts.length - 1;
            if (last) return `const d2 = ${value};\n${weigh}`;
            return j === parts.length - 1 ? `v128.store(q, ${value});` : `const part = ${value};\nv128.store(q, part);`;
          });
          return `for (let r = rows, q = weights; r < end; r += rowBytes, q += 16) {\n${body.join('\n')}\n}`;
        })
        .join('\n');
    },
    weightedSums() {
      let text = '';
      for (let from = 0; from < nBand; from += groupSize(nBand)) {
        const group = bands.slice(from, from + groupSize(nBand));
        text += `${group.map((b) => b.let('z', 'zero')).join(' ')}
for (let r = rows, q = weights; r < end; r += rowBytes, q += 16) {
  const w = v128.load(q);
  ${group.map((b) => b.set('z', add(b.get('z'), mul('w', load(b.at('r', 16)))))).join('\n  ')}
}\n`;
      }
      return text;
    },
  };
}

/** Equal groups of at most SUMS_A_LOOP bands. */
function groupSize(nBand) {
  return Math.ceil(nBand / Math.ceil(nBand / SUMS_A_LOOP));
}

/** The way bands are written when their count is a variable: a loop, and every name a vector of the band's frame. */
export function looped() {
  const place = (name) => SLOTS.indexOf(name) * 16;
  const store = (name, value) => `v128.store(own, ${value}, ${place(name)});`;
  const band = {
    get: (name) => `v128.load(own, ${place(name)})`,
    let: store,
    set: store,
    save: store,
    saved: (name) => `v128.load(own, ${place(name)})`,
    at: (pointer, stride) => `${pointer} + b * ${stride}`,
  };
  const loop = (body) => `for (let b: usize = 0, own = frame + ${FRAME_HEAD}; b < nBand; b++, own += ${FRAME_BAND}) {
${body}
}`;
  return {
    suffix: 'Any',
    rowBytes: '(nBand + 1) * 16',
    flagAt: (row) => `${row} + nBand * 16`,
    rawBytes: 'nBand * 64',
    each: (write) => loop(write(band)),
    sum: (name, write) => `let ${name} = zero;\n${loop(`${name} = ${add(name, write(band))};`)}`,
    distances: (weigh) => `for (let r = rows, q = weights; r < end; r += rowBytes, q += 16) {
let d2 = zero;
${loop(`d2 = ${add('d2', `square(${sub(load(band.at('r', 16)), band.get('y'))})`)};`)}
${weigh}
}`,
    weightedSums: () =>
      loop(`let z = zero;
for (let r = rows + b * 16, q = weights; r < end; r += rowBytes, q += 16) z = ${add('z', mul(load('q'), load('r')))};
${band.set('z', 'z')}`),
  };
}
