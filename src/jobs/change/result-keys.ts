// Keys of the result store: kind, algorithm, row and column of the chip, pixel; their bytes are in the order of what they mean.
import type { Key } from './lmdb-file.js';

const KINDS = { store: 0, summary: 1, head: 2, row: 3, request: 4, queue: 5 } as const;
const CELL_BYTES = 8;
const PX_BYTES = 4;
/** Added to signed numbers, so that their bytes sort as they do. */
const SIGN = 2 ** 31;

/** The key under which the store says what it is. */
export const STORE_KEY: Key = Buffer.of(KINDS.store);

/** The key of a chip's records: kind, the algorithm's name and a zero byte, v, h. `extra` bytes are left at the end. */
export function prefixKey(
  kind: 'summary' | 'head' | 'row' | 'request',
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
  return atPixel(prefixKey('row', algorithm, at, PX_BYTES), px);
}

/** The key of another pixel of the same chip, in the same bytes: for who puts many. */
export function atPixel(key: Key, px: number): Key {
  key.writeUInt32BE(px, key.length - PX_BYTES);
  return key;
}

/** The chip that a summary's or a request's key names. */
export function cellOf(key: Key): { h: number; v: number } {
  const at = key.length - CELL_BYTES;
  return { v: key.readUInt32BE(at) - SIGN, h: key.readUInt32BE(at + 4) - SIGN };
}

/** The key of a place in the queue of requests; what is asked first has the lowest. */
export function queueKey(order: number): Key {
  const key = Buffer.alloc(1 + CELL_BYTES);
  key[0] = KINDS.queue;
  key.writeBigUInt64BE(BigInt(order), 1);
  return key;
}

/** All places of the queue: from the first key to before the second. */
export const QUEUE: readonly [Key, Key] = [queueKey(0), Buffer.of(KINDS.queue + 1)];

/** The place that a key of the queue names. */
export function queueOrder(key: Key): number {
  return Number(key.readBigUInt64BE(1));
}
