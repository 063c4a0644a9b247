import { describe, expect, it } from 'vitest';
import { hrefMap } from '../../build/io/href-map.js';

describe('hrefMap', () => {
  it('takes files from where they are mirrored, by the longest beginning', () => {
    const map = hrefMap(['s3://bucket/=/data/all', 's3://bucket/new/=mirror/', 'https://host.org/a/=./web']);
    expect(map('s3://bucket/a/b.tif')).toBe('/data/all/a/b.tif');
    expect(map('s3://bucket/new/b.tif')).toBe('mirror/b.tif');
    expect(map('https://host.org/a/b.tif?sig=1')).toBe('web/b.tif');
    expect(map('s3://bucket2/a/b.tif')).toBe('s3://bucket2/a/b.tif');
    expect(hrefMap([])('x')).toBe('x');
  });

  it('never leads out of the folder', () => {
    const map = hrefMap(['s3://bucket/=/data']);
    for (const href of ['s3://bucket/../etc/passwd', 's3://bucket/a/../../b', 's3://bucket/a\\..\\b'])
      expect(() => map(href)).toThrow(/leads out of/);
  });

  it.each(['', 's3://bucket', 's3://bucket=/data', '/a/=/b', 's3://bucket/='])('refuses %j', (rule) => {
    expect(() => hrefMap([rule])).toThrow(/is like s3:\/\/bucket\/=DIR/);
  });
});
