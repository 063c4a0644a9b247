import { describe, expect, it } from 'vitest';
import { parseProductList } from '../../../build/jobs/task/product-list.js';

describe('parseProductList', () => {
  it.each([
    ['ga_ls8c_ard_3', [['ga_ls8c_ard_3']]],
    ['ga_ls8c_ard_3-ga_ls9c_ard_3', [['ga_ls8c_ard_3'], ['ga_ls9c_ard_3']]],
    ['ga_ls_wo_3+ga_ls_fc_3', [['ga_ls_wo_3', 'ga_ls_fc_3']]],
    ['a_1+b_2-c_3', [['a_1', 'b_2'], ['c_3']]],
    ['-a_1--b_2-', [['a_1'], ['b_2']]],
    ['sentinel-2-l2a', [['sentinel-2-l2a']]],
    ['sentinel-2-l2a,landsat-c2-l2', [['sentinel-2-l2a'], ['landsat-c2-l2']]],
  ])('%s', (text, groups) => {
    expect(parseProductList(text)).toEqual({ text, groups, folders: [] });
  });

  it('takes folders that no index knows', () => {
    const tc = 's3://dea-public-data-dev/derivative/ga_ls_tc_pc_cyear_3/2-0-0/';
    expect(parseProductList(`ga_ls8-ga_ls7_x-${tc}`)).toMatchObject({ folders: [tc] });
    expect(parseProductList(tc)).toMatchObject({ groups: [], folders: [tc] });
  });

  it.each([
    ['', /products are names/],
    ['a_1+a_1', /fuses a product with itself/],
    ['a b', /products are names/],
    ['s3://bucket/folder', /ends with a slash/],
    ['a_1+s3://bucket/folder/', /not fused/],
  ])('refuses %j', (text, message) => {
    expect(() => parseProductList(text)).toThrow(message);
  });
});
