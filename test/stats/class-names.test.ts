import { describe, expect, it } from 'vitest';
import { InputError } from '../../build/errors.js';
import { classValues } from '../../build/stats/class-names.js';

describe('classes of mask bands', () => {
  it.each([
    // Sentinel-2's scene classification, as Open Data Cube's definition of s2_l2a names it.
    ['SCL', ['no data'], [0]],
    ['SCL', ['cloud shadows', 'cloud medium probability', 'cloud high probability', 'thin cirrus'], [3, 8, 9, 10]],
    ['SCL', ['cloud high probability|cloud shadows'], [3, 9]],
    ['SCL', ['Cloud_High-Probability', '  SNOW or ice '], [9, 11]],
    [
      'scl',
      ['saturated or defective', 'dark area pixels', 'vegetation', 'bare soils', 'water', 'unclassified'],
      [1, 2, 4, 5, 6, 7],
    ],
    // Fmask of ga_ls*_ard_3.
    ['oa_fmask', ['nodata', 'valid', 'cloud', 'shadow', 'snow', 'water'], [0, 1, 2, 3, 4, 5]],
    ['fmask', ['cloud|shadow'], [2, 3]],
    // Numbers are taken for any band, and each value once.
    ['cfmask', [255, '2', '4|2'], [2, 4, 255]],
    ['SCL', ['cloud shadows', 3, 'no data|3'], [0, 3]],
    ['SCL', [], []],
  ] as [string, (string | number)[], number[]][])('of %s: %j are %j', (band, classes, values) => {
    expect(classValues(band, classes)).toEqual(values);
  });

  it.each([
    ['SCL', ['clouds'], /^SCL has no class "clouds".*; it has no data, saturated or defective,.*snow or ice$/],
    ['SCL', ['cloud shadow'], /did you mean "cloud shadows"\?/],
    ['oa_fmask', ['cluod'], /oa_fmask has no class "cluod"; did you mean "cloud"\?; it has nodata, valid/],
    ['oa_fmask', ['cloud|'], /has no class ""/],
    ['SCL', [-1], /SCL has no class "-1"/],
    ['SCL', [2.5], /SCL has no class "2.5"/],
    ['cfmask', ['cloud'], /^the classes of cfmask have no names here: give numbers in place of "cloud"$/],
    ['my_scl', ['water'], /the classes of my_scl have no names here/],
  ] as [string, (string | number)[], RegExp][])('of %s: %j is refused', (band, classes, message) => {
    const of = () => classValues(band, classes);
    expect(of).toThrow(message);
    expect(of).toThrow(InputError);
  });
});
