import { createHash } from 'node:crypto';
import type { Hash } from './block-hash.js';

function systemHash(name: 'sha1' | 'sha256'): Hash {
  const hash = createHash(name);
  return {
    update(bytes) {
      hash.update(bytes);
    },
    hex: () => hash.digest('hex'),
  };
}

export const sha1 = (): Hash => systemHash('sha1');
export const sha256 = (): Hash => systemHash('sha256');
