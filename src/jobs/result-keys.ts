// Keys of the result store: kind, algorithm, row and column of the chip, pixel; their bytes are in the order of what they mean.
import type { Key } from './lmdb-file.js';

const KINDS = { store: 0, summary: 1, head: 2, row: 3 } as const;
const CELL_BYTES = 8;
const PX_BYTES = 4;
/** Added to signed numbers, so that their bytes sort as they do. */
const SIGN = 2 ** 31;

/** The key under which the store says what it is. */
export const STORE_KEY: Key = Buffer.of(KINDS.store);

/** The key of a chip's records: kind, the algorithm's name and a zero byte, v, h. `extra` bytes are left at the end. */
export function prefixKey(
  kind: 'summary' | 'head' | 'row',
  algorithm: string,
  { h, v }: { h: number; v: number },
  extra = 0,
): Key {
  const at = algorithm.length + 2;
  const key = Buffer.alloc(at + CELL_BYTES + extra);
  key[0] = KINDS[kind];
  key.write(algorithm, 1, 'latin1');
  key.writeUInt32BE(v + SIGN, at);
  key.writeUInt32BE(h + SIGN, at + 4);
  return key;
}

export function summaryKey(algorithm: string, at: { h: number; v: number }): Key {
  return prefixKey('summary', algorithm, at);
}

export function rowKey(algorithm: string, at: { h: number; v: number }, px: number): Key {
  const key = prefixKey('row', algorithm, at, PX_BYTES);
  key.writeUInt32BE(px, key.length - PX_BYTES);
  return key;
}

/** The chip that a summary's key names. */
export function summaryCell(key: Key): { h: number; v: number } {
  const at = key.length - CELL_BYTES;
  return { v: key.readUInt32BE(at) - SIGN, h: key.readUInt32BE(at + 4) - SIGN };
}
