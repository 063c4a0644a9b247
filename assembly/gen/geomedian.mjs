// Writes the geomedian's inner functions once per band count, bands unrolled into locals (V8 keeps them in registers),
// and once more with the bands in a loop and their state in memory, for any other count. Four pixels a vector.
//
// A block is 4 pixels. `rows` holds its valid dates, f32x4[nRow][nBand + 1]: the bands' values and then 1 or 0 per lane
// (an observation counts or not). `frame` holds what outlives a function: f32x4 count, and per band 16 vectors of which the
// first two are `centre` (the mean, whole for integers) and `solution` (relative to the centre).

import { add, div, load, looped, mul, select, sub, UNROLLED, unrolled } from './bands.mjs';

const SOURCES = {
  u16: { element: 8, value: (at) => `f32x4.convert_i32x4_s(v128.load16x4_u(${at}))`, valid: 'v128.load16x4_s(mask)' },
  f32: { element: 16, value: (at) => load(at), valid: 'v128.load(mask)' },
};

/** Copies the block's dates on which any lane is valid into rows, with the mean of the valid ones. */
function gather(bands, type) {
  const source = SOURCES[type];
  return `
// raw ${type}[nUsed][nBand] in lines of 64 bytes, masks likewise [nUsed] -> rows, frame; returns the rows' end
export function gather_${type}_${bands.suffix}(raw: usize, masks: usize, nUsed: i32, nBand: usize, rows: usize, frame: usize): usize {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1);
  let r = rows, count = zero;
  ${bands.each((b) => b.let('z', 'zero'))}
  for (let mask = masks, p = raw, stop = masks + (<usize>nUsed << 6); mask < stop; mask += 64, p += ${bands.rawBytes}) {
    const valid = ${source.valid}, flag = v128.and(valid, one);
    count = ${add('count', 'flag')};
    ${bands.each(
      (b) => `{
      const x = v128.and(${source.value(b.at('p', 64))}, valid);
      ${b.set('z', add(b.get('z'), 'x'))}
      v128.store(${storeAt(b.at('r', 16), 'x')});
    }`,
    )}
    v128.store(${storeAt(bands.flagAt('r'), 'flag')});
    r += rowBytes * <usize>(i8x16.bitmask(valid) != 0);
  }
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

/** v128.store wants (pointer, value, offset). */
function storeAt(at, value) {
  const [pointer, offset] = at.split(', ');
  return offset ? `${pointer}, ${value}, ${offset}` : `${pointer}, ${value}`;
}

/** Weight and distance of one row, whose squared distance is `d2`. */
const WEIGH = (
  bands,
) => `const d = f32x4.sqrt(f32x4.pmax(d2, tiny2)), flag = ${load(bands.flagAt('r'))}, w = ${div('flag', 'd')};
      sumW = ${add('sumW', 'w')};
      heaviest = f32x4.pmax(heaviest, w);
      objective = ${add('objective', mul('d', 'flag'))};
      v128.store(q, w);`;

/** Weiszfeld with Anderson mixing of memory 2; see src/kernels/geomedian.ts for the sources. */
function solve(bands) {
  const { each, sum } = bands;
  const dot = (name, a, b) => sum(name, (v) => mul(v.get(a), v.get(b)));
  return `
// rows -> rows less the centre, frame's solution; weights f32x4[nRow] is scratch; returns the lanes to be finished in f64
export function solve_${bands.suffix}(rows: usize, end: usize, nBand: usize, weights: usize, frame: usize, eps: f32): i32 {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1);
  const eps2 = f32x4.splat(eps * eps), perEps2 = f32x4.splat(<f32>1 / (eps * eps)), tiny2 = f32x4.splat(eps * eps * TINY * TINY);
  const near = f32x4.splat(<f32>1 / (eps * NEAR));
  const least = f32x4.splat(eps * eps * <f32>1e-6);
  const slack = f32x4.splat(<f32>1 + F_SLACK + F_SLACK_PER_ROW * <f32>((end - rows) / rowBytes));
  const count = v128.load(frame), several = f32x4.gt(count, f32x4.splat(2));
  let active = several, unsure = zero, stretch2 = zero, p11Old = zero, errorOld2 = least, lowest = f32x4.splat(Infinity);
  ${each((v) => ['y', 'fOld', 'gOld', 'df', 'dg', 'dfOld', 'dgOld'].map((name) => v.let(name, 'zero')).join(' '))}
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    let sumW = zero, objective = zero, heaviest = zero;
    if (pass == 0) {
      for (let r = rows, q = weights; r < end; r += rowBytes, q += 16) {
      ${each((v) => `{ const x = ${sub(load(v.at('r', 16)), v.saved('centre'))}; v128.store(${storeAt(v.at('r', 16), 'x')}); }`)}
      ${sum('d2', (v) => mul(load(v.at('r', 16)), load(v.at('r', 16))))}
      ${WEIGH(bands)}
      }
    } else {
      ${bands.distances(WEIGH(bands))}
    }
    ${bands.weightedSums()}
    const share = ${div('one', 'f32x4.pmax(sumW, f32x4.splat(1e-30))')};
    ${each((v) => `${v.let('g', mul(v.get('z'), 'share'))}\n${v.let('f', sub(v.get('g'), v.get('y')))}`)}
    // An objective that grew: go back to the plain step from the best point, and forget the history.
    const worse = f32x4.gt(objective, ${mul('lowest', 'slack')});
    lowest = ${select('lowest', 'objective', 'worse')};
    ${each((v) => `${v.set('dfOld', v.get('df'))} ${v.set('dgOld', v.get('dg'))}`)}
    if (pass > 0) {
      ${each((v) => `${v.set('df', sub(v.get('f'), v.get('fOld')))} ${v.set('dg', sub(v.get('g'), v.get('gOld')))}`)}
    }
    // Least squares of f on the last two differences, in units of eps, so that f32 neither overflows nor underflows.
    ${dot('f2', 'f', 'f')}
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
    if (pass > 0) stretch2 = f32x4.pmax(stretch2, ${div('step2', 'f32x4.pmax(f2, least)')});
    const error2 = f32x4.pmax(step2, ${mul('f2', 'stretch2')});
    const shrink2 = f32x4.pmax(${div('error2', 'errorOld2')}, f32x4.splat(LEAST_SHRINK * LEAST_SHRINK));
    const done = f32x4.lt(${mul('error2', 'shrink2')}, ${mul('eps2', 'f32x4.splat(SHARE * SHARE)')});
    errorOld2 = f32x4.pmax(error2, least);
    // Close to an observation the objective has a kink, and a long stretch is a flat valley, as is (between
    // two clusters) a start that hardly moves: f32 is not trusted there.
    const early = i32x4.splat(pass < 3 ? -1 : 0);
    const kink = v128.or(f32x4.gt(heaviest, near), f32x4.gt(heaviest, ${mul('sumW', 'f32x4.splat(0.5)')}));
    unsure = ${select('v128.or(v128.or(kink, early), f32x4.gt(stretch2, f32x4.splat(VALLEY * VALLEY)))', 'unsure', 'active')};
    active = v128.and(active, v128.or(v128.not(done), worse));
    if (i8x16.bitmask(active) == 0) break;
  }
  ${each((v) => v.save('solution', select(v.get('y'), v.saved('solution'), 'several')))}
  return i32x4.bitmask(v128.or(active, unsure));
}
`;
}

/** Distances, cosine and Bray-Curtis distances of every observation to the solution, for their medians. */
function deviations(bands) {
  const { each, sum } = bands;
  const absolute = (x) => `v128.andnot(${x}, sign)`;
  const x = (v) => load(v.at('r', 16));
  return `
// rows less the centre, frame -> columns f32x4[3][columnBytes / 16], missing lanes filled for medianOfRows; returns the next fill
export function deviations_${bands.suffix}(rows: usize, end: usize, nBand: usize, frame: usize, columns: usize, columnBytes: usize, shift: v128): v128 {
  const rowBytes: usize = ${bands.rowBytes}, zero = f32x4.splat(0), one = f32x4.splat(1), sign = i32x4.splat(SIGN);
  const least = f32x4.splat(1e-37);
  // g is the solution as it is measured, and z what turns x less the centre into x + g.
  ${each(
    (v) => `${v.let('y', v.saved('solution'))} ${v.let('f', add(v.saved('centre'), 'shift'))}
  ${v.let('g', add(v.get('y'), v.get('f')))} ${v.let('z', add(v.get('f'), v.get('g')))}`,
  )}
  ${sum('g2', (v) => mul(v.get('g'), v.get('g')))}
  const perG = ${div('one', 'f32x4.sqrt(f32x4.pmax(g2, least))')}, noG = f32x4.eq(g2, zero);
  ${each((v) => `${v.save('f', v.get('f'))} ${v.save('unit', mul(v.get('g'), 'perG'))}`)}
  let fill = firstFill(), to = columns;
  for (let r = rows; r < end; r += rowBytes, to += 16) {
    const valid = f32x4.gt(${load(bands.flagAt('r'))}, zero);
    ${sum('d2', (v) => `square(${sub(x(v), v.get('y'))})`)}
    ${sum('apart', (v) => absolute(sub(x(v), v.get('y'))))}
    ${sum('together', (v) => absolute(add(x(v), v.get('z'))))}
    v128.store(to, ${select('f32x4.sqrt(d2)', 'fill', 'valid')});
    v128.store(to + 2 * columnBytes, ${select(div('apart', 'f32x4.pmax(together, least)'), 'fill', 'valid')});
    fill = nextFill(fill, valid);
  }
  fill = firstFill();
  to = columns + columnBytes;
  for (let r = rows; r < end; r += rowBytes, to += 16) {
    const valid = f32x4.gt(${load(bands.flagAt('r'))}, zero);
    ${sum('x2', (v) => `square(${add(x(v), v.saved('f'))})`)}
    const perX = ${div('one', 'f32x4.sqrt(f32x4.pmax(x2, least))')};
    // 1 - cos is half the squared distance of the unit vectors, which f32 can hold.
    ${sum('apart2', (v) => `square(${sub(mul(add(x(v), v.saved('f')), 'perX'), v.saved('unit'))})`)}
    const onlyOneIsZero = v128.xor(f32x4.eq(x2, zero), noG);
    v128.store(to, ${select(select('one', mul('apart2', 'f32x4.splat(0.5)'), 'onlyOneIsZero'), 'fill', 'valid')});
    fill = nextFill(fill, valid);
  }
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
import { firstFill, nextFill } from '../../assembly/mad';

// In units of eps: the least distance, and the distance to an observation below which f64 decides.
const TINY: f32 = 0.1, NEAR: f32 = 10;
/** Steps so many times as long as Weiszfeld's betray a flat valley. */
const VALLEY: f32 = 5;
/** Growth of the objective that is rounding: relative, and for each row. */
const F_SLACK: f32 = 2e-6, F_SLACK_PER_ROW: f32 = 1e-8;
const MOST_PASSES: i32 = 40;
/**
 * A step times its share of the one before estimates the error after it: done when that is less than SHARE of eps. No share
 * below LEAST_SHRINK is believed.
 */
const LEAST_SHRINK: f32 = 0.3, SHARE: f32 = 0.3;
const SIGN: i32 = -0x80000000;

// @ts-ignore: decorator
@inline
function square(v: v128): v128 {
  return f32x4.mul(v, v);
}

${BODIES.map((bands) => gather(bands, 'u16') + gather(bands, 'f32') + solve(bands) + deviations(bands)).join('')}
${dispatch('gather_u16', GATHER, 'usize')}${dispatch('gather_f32', GATHER, 'usize')}${dispatch('solve', SOLVE, 'i32')}${dispatch('deviations', DEVIATIONS, 'v128')}`;
}
