// Writes the geomedian's inner functions once per band count, bands unrolled into locals (V8 keeps them in registers),
// and once more with the bands in a loop and their state in memory, for any other count. Four pixels a vector.
//
// A block is 4 pixels. `rows` holds its valid dates, f32x4[nRow][nBand + 1]: the bands' values and then 1 or 0 per lane
// (an observation counts or not). `frame` holds what outlives a function: f32x4 count (and, behind it, what a loop does not
// keep in registers), and per band 16 vectors of which the first two are `centre` (the mean, whole for integers) and `solution` (relative to the centre).

import {
  AHEAD,
  add,
  div,
  FRAME_BAND,
  FRAME_HEAD,
  load,
  looped,
  mul,
  select,
  storeAt,
  sub,
  UNROLLED,
  unrolled,
} from './bands.mjs';

const SOURCES = {
  u16: { value: (at) => `f32x4.convert_i32x4_s(v128.load16x4_u(${at}))`, valid: 'v128.load16x4_s(mask)' },
  f32: { value: (at) => load(at), valid: 'v128.load(mask)' },
};

/** Copies the block's dates on which any lane is valid into rows, with the mean of the valid ones. */
function gather(bands, type) {
  const source = SOURCES[type];
  return `
// raw ${type}[nUsed][nBand] in steps of 16 bytes, masks likewise [nUsed] -> rows, frame; returns the rows' end
export function gather_${type}_${bands.suffix}(raw: usize, masks: usize, nUsed: i32, nBand: usize, rows: usize, frame: usize): usize {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1);
  let r = rows, count = zero;
  ${bands.each((b) => b.let('z', 'zero'))}
  ${bands.groups
    .map(
      (each, i) => `r = rows;
  for (let mask = masks, p = raw, stop = masks + (<usize>nUsed << 4); mask < stop; mask += 16, p += ${bands.rawBytes}) {
    const valid = ${source.valid};
    ${each(
      (b) => `{
      const x = v128.and(${source.value(b.at('p', 16))}, valid);
      ${b.set('z', add(b.get('z'), 'x'))}
      v128.store(${storeAt(b.at('r', 16), 'x')});
    }`,
    )}
    ${
      i > 0
        ? ''
        : `const flag = v128.and(valid, one);
    count = ${add('count', 'flag')};
    v128.store(${storeAt(bands.flagAt('r'), 'flag')});`
    }
    r += rowBytes * <usize>(i8x16.bitmask(valid) != 0);
  }`,
    )
    .join('\n')}
  const share = f32x4.div(one, f32x4.pmax(count, one));
  v128.store(frame, count);
  ${bands.each((b) => {
    const mean = mul(b.get('z'), 'share');
    const centre = type === 'u16' ? 'f32x4.nearest(mean)' : 'mean';
    return `{
    const mean = ${mean}, centre = ${centre};
    ${b.save('centre', 'centre')}
    ${b.save('solution', sub('mean', 'centre'))}
  }`;
  })}
  return r;
}
`;
}

/** Whether the sum of distances grew from the point before, for the lanes that ask: a descent that mixing overshot. */
function grew(bands) {
  return `
// rows, frame's y and yOld -> a mask of the lanes in which the sum of distances to y is larger by more than rounding
function grew_${bands.suffix}(rows: usize, end: usize, nBand: usize, frame: usize): v128 {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0);
  let sum = zero, growth = zero;
  for (let r = rows; r < end; r += rowBytes) {
    const flag = ${load(bands.flagAt('r'))};
    ${bands.sum('new2', (v) => `square(${sub(load(v.at('r', 16)), v.saved('y'))})`)}
    ${bands.sum('old2', (v) => `square(${sub(load(v.at('r', 16)), v.saved('yOld'))})`)}
    const dNew = f32x4.sqrt(new2), dOld = f32x4.sqrt(old2);
    sum = ${add('sum', mul('dOld', 'flag'))};
    growth = ${add('growth', mul(sub('dNew', 'dOld'), 'flag'))};
  }
  return f32x4.gt(growth, ${mul('sum', 'f32x4.splat(F_SLACK)')});
}
`;
}

/** Weiszfeld with Anderson mixing of memory 2; see src/kernels/geomedian.ts for the sources. */
function solve(bands) {
  const { each, sum } = bands;
  const dot = (name, a, b) => sum(name, (v) => mul(v.get(a), v.get(b)));
  return `
// rows -> rows less the centre, frame's solution; weights f32x4[nRow] is scratch; returns the lanes to be finished in f64
export function solve_${bands.suffix}(rows: usize, end: usize, nBand: usize, weights: usize, frame: usize, eps: f32): i32 {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1);
  const eps2 = f32x4.splat(eps * eps), perEps2 = f32x4.splat(<f32>1 / (eps * eps)), tiny2 = f32x4.splat(eps * eps * TINY * TINY);
  const near = f32x4.splat(<f32>1 / (eps * NEAR)), weightBytes = (end - rows) / rowBytes * 16;
  const least = f32x4.splat(eps * eps * <f32>1e-6);
  const count = v128.load(frame), several = f32x4.gt(count, f32x4.splat(2));
  let active = several, unsure = zero, stretch2 = zero, p11Old = zero, errorOld2 = least, f2Old = f32x4.splat(Infinity);
  ${each((v) => ['y', 'fOld', 'gOld', 'df', 'dg', 'dfOld', 'dgOld'].map((name) => v.let(name, 'zero')).join(' '))}
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    let sumW = zero;
    if (pass == 0) {
      ${bands.centre()}
    } else {
      ${bands.distances()}
    }
    ${bands.weightedSums()}
    const share = ${div('one', 'f32x4.pmax(sumW, f32x4.splat(1e-30))')};
    ${each((v) => `${v.let('g', mul(v.get('z'), 'share'))}\n${v.let('f', sub(v.get('g'), v.get('y')))}`)}
    ${dot('f2', 'f', 'f')}
    if (pass == 0) { // The plain step is all there is.
      ${each((v) => `${v.set('y', select(v.get('g'), v.get('y'), 'active'))} ${v.set('fOld', v.get('f'))} ${v.set('gOld', v.get('g'))}`)}
      f2Old = f2;
      errorOld2 = f32x4.pmax(f2, least);
      continue;
    }
    // A plain step that grew asks whether the sum of distances did too. Then: back to the step before, and forget the history.
    let worse = v128.and(f32x4.gt(f2, f2Old), active);
    if (i8x16.bitmask(worse)) {
      ${each((v) => `${v.save('y', v.get('y'))} ${v.save('yOld', sub(v.get('gOld'), v.get('fOld')))}`)}
      worse = v128.and(grew_${bands.suffix}(rows, end, nBand, frame), worse);
    }
    f2Old = ${select('f2Old', 'f2', 'worse')};
    ${each((v) => `${v.set('dfOld', v.get('df'))} ${v.set('dgOld', v.get('dg'))}`)}
    ${each((v) => `${v.set('df', sub(v.get('f'), v.get('fOld')))} ${v.set('dg', sub(v.get('g'), v.get('gOld')))}`)}
    // Least squares of f on the last two differences, in units of eps, so that f32 neither overflows nor underflows.
    ${dot('s11', 'df', 'df')}
    ${dot('s12', 'df', 'dfOld')}
    ${dot('s1', 'f', 'df')}
    ${dot('s2', 'f', 'dfOld')}
    const p11 = ${mul('s11', 'perEps2')}, p12 = ${mul('s12', 'perEps2')}, p22 = p11Old;
    p11Old = v128.andnot(p11, worse);
    const p1 = ${mul('s1', 'perEps2')}, p2 = ${mul('s2', 'perEps2')};
    const ridge = ${add(mul(add('p11', 'p22'), 'f32x4.splat(1e-6)'), 'f32x4.splat(1e-8)')};
    const a11 = ${add('p11', 'ridge')}, a22 = ${add('p22', 'ridge')};
    const perDet = ${div('one', sub(mul('a11', 'a22'), mul('p12', 'p12')))};
    const t1 = ${mul(sub(mul('p1', 'a22'), mul('p2', 'p12')), 'perDet')}, t2 = ${mul(sub(mul('a11', 'p2'), mul('p12', 'p1')), 'perDet')};
    ${each((v) => v.let('next', sub(v.get('g'), add(mul('t1', v.get('dg')), mul('t2', v.get('dgOld'))))))}
    if (i8x16.bitmask(worse)) {
      ${each(
        (v) => `${v.set('next', select(v.get('gOld'), v.get('next'), 'worse'))}
      ${v.set('df', `v128.andnot(${v.get('df')}, worse)`)} ${v.set('dg', `v128.andnot(${v.get('dg')}, worse)`)}`,
      )}
    }
    ${sum('step2', (v) => `square(${sub(v.get('next'), v.get('y'))})`)}
    ${each((v) => `${v.set('y', select(v.get('next'), v.get('y'), 'active'))} ${v.set('fOld', v.get('f'))} ${v.set('gOld', v.get('g'))}`)}
    // The error is estimated from the least contraction seen: it is about stretch times as long as the plain step f.
    stretch2 = f32x4.pmax(stretch2, ${div('step2', 'f32x4.pmax(f2, least)')});
    const error2 = f32x4.pmax(step2, ${mul('f2', 'stretch2')});
    const shrink2 = f32x4.pmax(${div('error2', 'errorOld2')}, f32x4.splat(LEAST_SHRINK * LEAST_SHRINK));
    const done = f32x4.lt(${mul('error2', 'shrink2')}, ${mul('eps2', 'f32x4.splat(SHARE * SHARE)')});
    errorOld2 = f32x4.pmax(error2, least);
    const settled = v128.andnot(v128.and(done, active), worse);
    if (i8x16.bitmask(settled)) {
      // Close to an observation the objective has a kink, and a long stretch is a flat valley, as is (between
      // two clusters) a start that hardly moves: f32 is not trusted there.
      let heaviest = zero;
      for (let q = weights, stop = weights + weightBytes; q < stop; q += 16) heaviest = f32x4.pmax(heaviest, v128.load(q));
      const early = i32x4.splat(pass < 3 ? -1 : 0);
      const kink = v128.or(f32x4.gt(heaviest, near), f32x4.gt(heaviest, ${mul('sumW', 'f32x4.splat(0.5)')}));
      const valley = f32x4.gt(stretch2, f32x4.splat(VALLEY * VALLEY));
      unsure = ${select('v128.or(v128.or(kink, early), valley)', 'unsure', 'settled')};
    }
    active = v128.andnot(active, settled);
    if (i8x16.bitmask(active) == 0) break;
  }
  ${each((v) => v.save('solution', select(v.get('y'), v.saved('solution'), 'several')))}
  return i32x4.bitmask(v128.or(active, unsure));
}
`;
}

/** What V8 would compute anew for each row, kept in the frame behind the count. */
const KEPT = ['lengthG', 'twiceG', 'noG', 'one'];
const keep = (name) => `v128.store(frame, ${name}, ${16 + 16 * KEPT.indexOf(name)});`;
const kept = (name) => load(`frame, ${16 + 16 * KEPT.indexOf(name)}`);

/** Squared distances, cosine and Bray-Curtis distances of every observation to the solution, for their medians. */
function deviations(bands) {
  const { each, sum } = bands;
  const absolute = (x) => `v128.andnot(${x}, sign)`;
  const x = (v) => load(v.at('r', 16));
  // Each loop has the bands of one vector in registers, from memory, or V8 would compute them anew for each row; and sums
  // are stored before more is loaded, or the registers would not do.
  const eachRow = (name, body) => `{
  ${each((v) => v.let(name, v.saved(name)))}
  fill = firstFill();
  for (let r = rows, to = columns; r < end; r += rowBytes, to += 16) {
    ${body}
    fill = v128.xor(fill, v128.andnot(sign, valid));
  }
  }`;
  const valid = `const valid = f32x4.gt(${load(bands.flagAt('r'))}, zero);`;
  return `
// rows less the centre, frame -> columns f32x4[3][columnBytes / 16], missing lanes filled for medianOfRows; returns the next fill
export function deviations_${bands.suffix}(rows: usize, end: usize, nBand: usize, frame: usize, columns: usize, columnBytes: usize, shift: v128): v128 {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1);
  // f turns x less the centre into x as it is measured, g is the solution as it is measured, and z turns x less the centre into x + g.
  let g2 = zero;
  ${each(
    (v) => `{ const f = ${add(v.saved('centre'), 'shift')}, g = ${add(v.saved('solution'), 'f')};
  ${v.save('f', 'f')} ${v.save('z', add('f', 'g'))} g2 = ${add('g2', 'square(g)')}; }`,
  )}
  // Made of g2, so that V8 takes them for values and keeps them: constants it would make anew for each row, which also is why
  // eachRow flips the fill itself and does not call nextFill.
  const sign = i32x4.shl(i32x4.eq(g2, g2), 31), least = v128.and(f32x4.splat(1e-37), i32x4.shr_s(sign, 31));
  const lengthG = f32x4.sqrt(f32x4.pmax(g2, least)), twiceG = f32x4.add(lengthG, lengthG), noG = f32x4.eq(g2, zero);
  ${KEPT.map(keep).join(' ')}
  let fill: v128;
  ${eachRow(
    'solution',
    `${sum('d2', (v) => `square(${sub(x(v), v.get('solution'))})`)}
    ${sum('apart', (v) => absolute(sub(x(v), v.get('solution'))))}
    v128.store(to + 2 * columnBytes, apart);
    ${valid}
    v128.store(to, ${select('d2', 'fill', 'valid')});`,
  )}
  ${eachRow(
    'z',
    `${sum('together', (v) => absolute(add(x(v), v.get('z'))))}
    v128.store(to + columnBytes, together);
    ${valid}
    const share = ${div('v128.load(to + 2 * columnBytes)', 'f32x4.pmax(together, least)')};
    v128.store(to + 2 * columnBytes, ${select('share', 'fill', 'valid')});`,
  )}
  ${eachRow(
    'f',
    `${sum('x2', (v) => `square(${add(x(v), v.get('f'))})`)}
    v128.store(to + columnBytes, x2);
    ${valid}
    const lengthX = f32x4.sqrt(f32x4.pmax(x2, least)), longer = ${sub('lengthX', kept('lengthG'))};
    // |x - g|² = (|x| - |g|)² + 2 |x| |g| (1 - cos): of the left side, which f32 holds, the part that is not length.
    const across = f32x4.pmax(${sub('v128.load(to)', mul('longer', 'longer'))}, zero);
    const cosine = ${div('across', mul('lengthX', kept('twiceG')))};
    const onlyOneIsZero = v128.xor(f32x4.eq(x2, zero), ${kept('noG')});
    v128.store(to + columnBytes, ${select(select(kept('one'), 'cosine', 'onlyOneIsZero'), 'fill', 'valid')});`,
  )}
  return fill;
}
`;
}

const BODIES = [...UNROLLED.map(unrolled), looped()];

/** An exported function that calls the right body; its signature is the bodies' own. */
function dispatch(name, parameters, result) {
  const types = parameters.map(([p, type]) => `${p}: ${type}`).join(', ');
  const args = parameters.map(([p]) => p).join(', ');
  const cases = UNROLLED.map((n) => `    case ${n}: return ${name}_${n}(${args});`).join('\n');
  return `
export function ${name}(${types}): ${result} {
  switch (<i32>nBand) {
${cases}
    default: return ${name}_Any(${args});
  }
}
`;
}

const GATHER = [
  ['raw', 'usize'],
  ['masks', 'usize'],
  ['nUsed', 'i32'],
  ['nBand', 'usize'],
  ['rows', 'usize'],
  ['frame', 'usize'],
];
const SOLVE = [
  ['rows', 'usize'],
  ['end', 'usize'],
  ['nBand', 'usize'],
  ['weights', 'usize'],
  ['frame', 'usize'],
  ['eps', 'f32'],
];
const DEVIATIONS = [
  ['rows', 'usize'],
  ['end', 'usize'],
  ['nBand', 'usize'],
  ['frame', 'usize'],
  ['columns', 'usize'],
  ['columnBytes', 'usize'],
  ['shift', 'v128'],
];

export function generate() {
  return `// Generated by assembly/gen/geomedian.mjs.
import { firstFill } from '../../assembly/mad';

/** Bytes of a frame before the bands, and for each band. */
export const FRAME_HEAD: usize = ${FRAME_HEAD}, FRAME_BAND: usize = ${FRAME_BAND};
/** Rows behind the last that solve() may read and write. */
export const AHEAD: usize = ${AHEAD};

// In units of eps: the least distance, and the distance to an observation below which f64 decides.
const TINY: f32 = 0.1, NEAR: f32 = 10;
/** Steps so many times as long as Weiszfeld's betray a flat valley. */
const VALLEY: f32 = 5;
/** Growth of the sum of distances that is rounding, relative. */
const F_SLACK: f32 = 2e-6;
const MOST_PASSES: i32 = 40;
/**
 * A step times its share of the one before estimates the error after it: done when that is less than SHARE of eps. No share
 * below LEAST_SHRINK is believed.
 */
const LEAST_SHRINK: f32 = 0.3, SHARE: f32 = 0.3;

// @ts-ignore: decorator
@inline
function square(v: v128): v128 {
  return f32x4.mul(v, v);
}

${BODIES.map((bands) => gather(bands, 'u16') + gather(bands, 'f32') + grew(bands) + solve(bands) + deviations(bands)).join('')}
${dispatch('gather_u16', GATHER, 'usize')}${dispatch('gather_f32', GATHER, 'usize')}${dispatch('solve', SOLVE, 'i32')}${dispatch('deviations', DEVIATIONS, 'v128')}`;
}
