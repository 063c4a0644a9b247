import { describe, expect, it } from 'vitest';
import { formatMask, parseMask, parseMasks } from '../../build/stats/mask-recipe.js';

describe('parseMask', () => {
  it('reads a recipe with steps', () => {
    expect(parseMask('SCL drop 10,3, 8 9 | opening 2|dilation 5')).toEqual({
      band: 'SCL',
      mode: 'drop',
      values: [3, 8, 9, 10],
      steps: [
        { op: 'opening', radiusPx: 2 },
        { op: 'dilation', radiusPx: 5 },
      ],
    });
    expect(parseMask('none')).toBeNull();
    expect(parseMasks(['none'])).toEqual([]);
  });
  it('writes what it reads', () => {
    for (const text of ['QA_PIXEL anybit 1,3,4', 'cfmask keep 0,1 | erosion 1 | closing 3'])
      expect(formatMask(parseMask(text)!)).toBe(text);
  });
  it.each([
    ['', /mask band is missing at character 1/],
    ['SCL', /one of drop, keep, anybit is missing/],
    ['SCL dorp 3', /unknown "dorp"; did you mean "drop"\? at character 5/],
    ['SCL drop', /list of numbers is missing/],
    ['SCL drop ,', /list of numbers is missing/],
    ['SCL drop 3,x', /"x" is not a class/],
    ['QA anybit 32', /"32" is not a bit from 0 to 31/],
    ['SCL drop 3 |', /after \| one of/],
    ['SCL drop 3 | dilate 2', /did you mean "dilation"/],
    ['SCL drop 3 | dilation', /needs a radius/],
    ['SCL drop 3 | dilation -1', /not a whole number of px/],
    ['SCL drop 3 | dilation 1 2', /unexpected "2"/],
  ])('says where %j is wrong', (text, message) => {
    expect(() => parseMask(text)).toThrow(message);
  });
  it('refuses none beside others', () => {
    expect(() => parseMasks(['none', 'SCL drop 3'])).toThrow(/none/);
  });
});
