// Marks of observations: a shape and a colour a state, told apart without colour and by the colour-blind.
import type { ObservationState } from '../../stats/change-figure.js';
import { element } from './svg.js';

interface MarkStyle {
  /** A mark around the current point, in tenths of a pixel, that ends where it began. */
  shape: string;
  style: Readonly<Record<string, string>>;
  label: string;
}

const outline = (colour: string, width: string) => ({ fill: 'none', stroke: colour, 'stroke-width': width });

/** Colours of Okabe and Ito, and greys. */
export const MARKS: Readonly<Record<ObservationState, MarkStyle>> = {
  cloud: { shape: 'm-20-20l40 40m0-40l-40 40m20-20', style: outline('#b4bac1', '9'), label: 'cloud' },
  shadow: { shape: 'm-24-16h48l-24 40zm24 16', style: outline('#8b939c', '9'), label: 'cloud shadow' },
  snow: { shape: 'm0-27v54m-23-40l46 26m0-26l-46 26m23-13', style: outline('#56b4e9', '9'), label: 'snow' },
  'left-out': {
    shape: 'm-24 0a24 24 0 1 0 48 0a24 24 0 1 0-48 0m24 0',
    style: outline('#cc79a7', '11'),
    label: 'clear, left out',
  },
  used: {
    shape: 'h0',
    style: {
      fill: 'none',
      stroke: '#0b5a8f',
      'stroke-width': '46',
      'stroke-linecap': 'round',
      'stroke-opacity': '.72',
    },
    label: 'used',
  },
};

/** From the back to the front. */
export const DRAWING_ORDER: readonly ObservationState[] = ['cloud', 'shadow', 'snow', 'left-out', 'used'];

/** Marks at points (px), as one path; positions are written as steps in tenths of a pixel, which is short. */
export function marksPath(state: ObservationState, points: readonly (readonly [x: number, y: number])[]): string {
  if (points.length === 0) return '';
  const { shape, style } = MARKS[state];
  let [atX, atY] = [0, 0];
  const steps = points.map(([x, y]) => {
    const [ownX, ownY] = [Math.round(10 * x), Math.round(10 * y)];
    const [dx, dy] = [ownX - atX, ownY - atY];
    [atX, atY] = [ownX, ownY];
    return `m${dx}${dy < 0 ? '' : ' '}${dy}${shape}`;
  });
  return element('path', { d: steps.join(''), transform: 'scale(.1)', ...style });
}
