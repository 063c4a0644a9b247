import { describe, expect, it } from 'vitest';
import { StoreError, withoutSecrets } from '../build/errors.js';

describe('messages', () => {
  it.each([
    [
      'https://a.blob.core.windows.net/c/x.tif?se=2026&sp=r&sig=AB%2Fc=',
      'https://a.blob.core.windows.net/c/x.tif?se=2026&sp=r&sig=…',
    ],
    [
      'https://h/x?X-Amz-Credential=AKIA/2&X-Amz-Signature=00ff&X-Amz-Date=1',
      'https://h/x?X-Amz-Credential=…&X-Amz-Signature=…&X-Amz-Date=1',
    ],
    ['https://h/x?X-Amz-Security-Token=abc: HTTP 403', 'https://h/x?X-Amz-Security-Token=… HTTP 403'],
    ['https://h/x?api_key=abc&page=2', 'https://h/x?api_key=…&page=2'],
    ['https://h/x?subscription-key=abc', 'https://h/x?subscription-key=…'],
    ['https://h/x?key=abc', 'https://h/x?key=…'],
    ['https://me:word@h/x.tif', 'https://…@h/x.tif'],
    ['https://h/x?monkey=1&design=2&tokens=3', 'https://h/x?monkey=1&design=2&tokens=3'],
    ['s3://bucket/key=1/x.tif', 's3://bucket/key=1/x.tif'],
  ])('%s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
    expect(new StoreError(`cannot read ${text}`).message).toBe(`cannot read ${shown}`);
  });
});
