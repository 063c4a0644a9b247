// How the geomedian's bands are written: unrolled into locals when their count is known, in a loop over memory when it is not.

export const UNROLLED = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
/** Bands a loop: with more, sums or y would not fit the 16 registers beside what a row needs. */
const BANDS_A_LOOP = 6;
/**
 * Rows by which squares run ahead of their roots: sums do not wait for them, and while one unit takes roots the others add. For
 * the same reason the quotients are in another loop. Stores also keep V8 from loading more values than it has registers. So
 * many rows behind the last are read and written.
 */
export const AHEAD = 3;

export const FRAME_HEAD = 128;
export const FRAME_BAND = 256;
export const SLOTS = [
  'centre',
  'solution',
  'y',
  'yOld',
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
];

export const add = (a, b) => `f32x4.add(${a}, ${b})`;
export const sub = (a, b) => `f32x4.sub(${a}, ${b})`;
export const mul = (a, b) => `f32x4.mul(${a}, ${b})`;
export const div = (a, b) => `f32x4.div(${a}, ${b})`;
export const select = (a, b, mask) => `v128.bitselect(${a}, ${b}, ${mask})`;
export const load = (at) => `v128.load(${at})`;

/** v128.store wants (pointer, value, offset). */
export function storeAt(at, value) {
  const [pointer, offset] = at.split(', ');
  return offset ? `${pointer}, ${value}, ${offset}` : `${pointer}, ${value}`;
}

/** The distance of a row, whose square is d2. */
const ROOT = 'f32x4.sqrt(f32x4.pmax(d2, tiny2))';
/** The weight of row r, whose distance is at q; kept there, and in the sum. */
const weigh = (flagAt) => `const w = ${div(load(flagAt), 'v128.load(q)')};
v128.store(q, w);
sumW = ${add('sumW', 'w')};`;

const eachRow = (body) => `for (let r = rows, q = weights; r < end; r += rowBytes, q += 16) {\n${body}\n}`;

/** Stores the square of the distance of the row so many ahead of the row whose root is taken; see AHEAD. */
function ahead(square) {
  const first = Array.from({ length: AHEAD }, (_, row) => square(row));
  return `{ const r = rows, q = weights;
${first.join('\n')} }
${eachRow(`const d2 = v128.load(q);
${square(AHEAD)}
v128.store(q, ${ROOT});`)}`;
}

/** Two partial sums, so that the chain of additions is half as long. */
function halves(terms) {
  const total = (some) => some.reduce((a, b) => add(a, b));
  if (terms.length < 4) return total(terms);
  const half = (odd) => total(terms.filter((_, i) => i % 2 === odd));
  return add(half(0), half(1));
}

/** The way bands are written when their count is known: one local per band and name, straight-line code. */
export function unrolled(nBand) {
  const bands = Array.from({ length: nBand }, (_, b) => ({
    get: (name) => `${name}_${b}`,
    let: (name, value) => `let ${name}_${b} = ${value};`,
    set: (name, value) => `${name}_${b} = ${value};`,
    at: (pointer, stride, row = 0) => `${pointer}, ${b * stride + row * (nBand + 1) * stride}`,
    save: (name, value) => `v128.store(frame, ${value}, ${FRAME_HEAD + b * FRAME_BAND + SLOTS.indexOf(name) * 16});`,
    saved: (name) => `v128.load(frame, ${FRAME_HEAD + b * FRAME_BAND + SLOTS.indexOf(name) * 16})`,
  }));
  return {
    suffix: `${nBand}`,
    rowBytes: `${(nBand + 1) * 16}`,
    flagAt: (row) => `${row}, ${nBand * 16}`,
    rawBytes: `${nBand * 16}`,
    each: (write) => bands.map(write).join('\n'),
    /** `each` for as many bands at a time as a loop has registers for. */
    groups: grouped(bands).map((group) => (write) => group.map(write).join('\n')),
    sum: (name, write) => `const ${name} = ${halves(bands.map(write))};`,
    /** Distances of the rows from y. */
    distances() {
      const late = bands.slice(-BANDS_A_LOOP);
      const early = bands.slice(0, nBand - late.length);
      const terms = (some, row) => some.map((v) => `square(${sub(load(v.at('r', 16, row)), v.get('y'))})`);
      const later = (row) => halves([...(early.length ? [load(`q, ${row * 16}`)] : []), ...terms(late, row)]);
      return `${early.length ? eachRow(`v128.store(q, ${halves(terms(early, 0))});`) : ''}
${ahead((row) => `v128.store(q, ${later(row)}, ${row * 16});`)}`;
    },
    /** Takes the centre off the rows; their distances from it are the first. */
    centre: () => `${bands.map((v) => v.let('centre', v.saved('centre'))).join(' ')}
${ahead((row) => {
  const less = bands.map((v) => {
    const at = v.at('r', 16, row);
    return `${v.let('x', sub(load(at), v.get('centre')))} v128.store(${storeAt(at, v.get('x'))});`;
  });
  return `{ ${less.join('\n')} v128.store(q, ${halves(bands.map((v) => `square(${v.get('x')})`))}, ${row * 16}); }`;
})}`,
    /** Distances to weights, with their sum and the weighted sums of the bands. */
    weightedSums: () =>
      grouped(bands)
        .map((group, i) => {
          const sums = group.map((v) => v.set('z', add(v.get('z'), mul('w', load(v.at('r', 16))))));
          return `${group.map((v) => v.let('z', 'zero')).join(' ')}
${eachRow([i === 0 ? weigh(`r, ${nBand * 16}`) : 'const w = v128.load(q);', ...sums].join('\n'))}`;
        })
        .join('\n'),
  };
}

/** Equal groups of at most BANDS_A_LOOP bands. */
function grouped(bands) {
  const size = Math.ceil(bands.length / Math.ceil(bands.length / BANDS_A_LOOP));
  const groups = [];
  for (let from = 0; from < bands.length; from += size) groups.push(bands.slice(from, from + size));
  return groups;
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
    rawBytes: 'nBand * 16',
    each: (write) => loop(write(band)),
    groups: [(write) => loop(write(band))],
    sum: (name, write) => `let ${name} = zero;\n${loop(`${name} = ${add(name, write(band))};`)}`,
    distances: () =>
      eachRow(`let d2 = zero;
${loop(`d2 = ${add('d2', `square(${sub(load(band.at('r', 16)), band.get('y'))})`)};`)}
v128.store(q, ${ROOT});`),
    centre: () =>
      eachRow(`let d2 = zero;
${loop(`const at = ${band.at('r', 16)}, x = ${sub('v128.load(at)', band.saved('centre'))};
v128.store(at, x);
d2 = ${add('d2', 'square(x)')};`)}
v128.store(q, ${ROOT});`),
    weightedSums: () => `${eachRow(weigh('r + nBand * 16'))}
${loop(`let z = zero;
for (let r = rows + b * 16, q = weights; r < end; r += rowBytes, q += 16) z = ${add('z', mul(load('q'), load('r')))};
${band.set('z', 'z')}`)}`,
  };
}
