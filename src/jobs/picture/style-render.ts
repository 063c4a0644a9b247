import { InputError } from '../../errors.js';
import type { NumericArray } from '../../io/raster.js';
import type { ClassStyle, ComponentStyle, OwsStyle, RampNode, RampStyle } from './ows-style.js';
import type { ClassRule } from './ows-value-map.js';

/** Values of a band, [height][width]. */
export interface StylePlane {
  data: NumericArray;
  /** NaN is missing whatever this says. */
  nodata: number | null;
}

/** Where none of the bands misses a value. */
function validity(planes: readonly StylePlane[], n: number): Uint8Array {
  const valid = new Uint8Array(n).fill(1);
  for (const { data, nodata } of planes)
    for (let i = 0; i < n; i++) if (data[i] === nodata || Number.isNaN(data[i])) valid[i] = 0;
  return valid;
}

function paintSums({ channels }: ComponentStyle, planes: readonly StylePlane[], out: Uint8Array): void {
  const n = out.length / 4;
  const valid = validity(planes, n);
  channels.forEach(({ weights, range: [low, high] }, channel) => {
    const parts = weights.map(({ band, weight }) => ({ data: planes[band]!.data, weight }));
    for (let i = 0; i < n; i++) {
      if (!valid[i]) continue;
      let sum = 0;
      for (const { data, weight } of parts) sum += data[i]! * weight;
      out[4 * i + channel] = ((Math.min(Math.max(sum, low), high) - low) / (high - low)) * 255;
    }
  });
  for (let i = 0; i < n; i++) if (valid[i]) out[4 * i + 3] = 255;
}

/** The colour at a value, between those of its neighbours; beyond the ends theirs. Truncated to bytes as datacube-ows does. */
function paintAt(nodes: readonly RampNode[], value: number, out: Uint8Array, at: number): void {
  const last = nodes.length - 1;
  let k = 0;
  while (k < last && nodes[k + 1]!.value <= value) k++;
  const [p, q] = [nodes[k]!, nodes[Math.min(last, k + 1)]!];
  const span = q.value - p.value;
  const beyond = value - p.value;
  for (let c = 0; c < 4; c++) {
    const from = p.rgba[c]!;
    out[at + c] = 255 * (beyond > 0 && span > 0 ? ((q.rgba[c]! - from) / span) * beyond + from : from);
  }
}

function paintRamp({ index, nodes }: RampStyle, planes: readonly StylePlane[], out: Uint8Array): void {
  const n = out.length / 4;
  const valid = validity(planes, n);
  const values = new Float64Array(planes.length);
  for (let i = 0; i < n; i++) {
    if (!valid[i]) continue;
    planes.forEach(({ data }, band) => {
      values[band] = data[i]!;
    });
    const value = index(values);
    if (!Number.isNaN(value)) paintAt(nodes, value, out, 4 * i);
  }
}

/** Whether a whole number is of a rule's class. */
function testFor({ test, invert }: ClassRule): (value: number) => boolean {
  if ('values' in test) {
    const values = new Set(test.values);
    return (value) => values.has(value) !== invert;
  }
  if ('some' in test) return (value) => test.some.some(({ mask, value: bits }) => (value & mask) === bits) !== invert;
  return (value) => test.every.every(({ mask, value: bits }) => (value & mask) === bits) !== invert;
}

/** Missing values are classes like others: a rule may name them, and all others leave them alone. */
function paintClasses({ rules }: ClassStyle, planes: readonly StylePlane[], out: Uint8Array): void {
  const n = out.length / 4;
  for (const rule of rules) {
    const { data, nodata } = planes[rule.band]!;
    const isOf = testFor(rule);
    const named = 'values' in rule.test && !rule.invert;
    for (let i = 0; i < n; i++) {
      const value = data[i]!;
      if (Number.isNaN(value) || (value === nodata && !named)) continue;
      if (isOf(Math.trunc(value))) out.set(rule.rgba, 4 * i);
    }
  }
}

/**
 * Draws a style.
 * @param planes of all bands of the style, of one size
 * @returns u8[n][4]: red, green, blue, alpha; all 0 where there is no value, or no class
 */
export function renderStyle(style: OwsStyle, planes: ReadonlyMap<string, StylePlane>): Uint8Array {
  const used = style.bands.map((band) => {
    const plane = planes.get(band);
    if (!plane)
      throw new InputError(
        `preview_image_ows_style: there is no band "${band}": there are ${[...planes.keys()].join(', ')}`,
        { option: 'preview_image_ows_style', band },
      );
    return plane;
  });
  const n = used[0]?.data.length ?? 0;
  if (used.some(({ data }) => data.length !== n))
    throw new InputError(`the planes of a picture have ${used.map(({ data }) => data.length).join(', ')} px`);
  const out = new Uint8Array(4 * n);
  if (style.kind === 'components') paintSums(style, used, out);
  else if (style.kind === 'ramp') paintRamp(style, used, out);
  else paintClasses(style, used, out);
  return out;
}
