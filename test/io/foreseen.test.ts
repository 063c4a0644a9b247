import { describe, expect, it } from 'vitest';
import { openByteSource } from '../../build/io/byte-source.js';
import type { ByteRange, Store, StoreOptions } from '../../build/io/store.js';

/** A far store of 100 000 bytes that tells what was read after the file's head. */
async function far(fail?: (range: ByteRange) => Error | undefined) {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const reads: string[] = [];
  const read = async (_: string, range?: ByteRange, options: StoreOptions = {}) => {
    const { offset, length } = range!;
    reads.push(`${offset}+${length}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    options.signal?.throwIfAborted();
    const error = fail?.(range!);
    if (error) throw error;
    return bytes.slice(offset, offset + length);
  };
  const store = { isFar: true, read, stat: async () => ({ bytes: bytes.length, tag: null }) } as unknown as Store;
  const source = await openByteSource('https://example.org/a', store);
  reads.length = 0;
  const lend = (range: ByteRange, signal?: AbortSignal) => source.lend(range, async (lent) => lent.slice(), signal);
  return { source, reads, bytes, lend };
}

const RANGE = { offset: 50_000, length: 1000 };

describe('a read that is foreseen', () => {
  it('is begun before, lent once, and read anew the second time', async () => {
    const { source, reads, bytes, lend } = await far();
    const read = source.foresee!(RANGE);
    expect(read.bytes).toBe(1000);
    const settled = read.start();
    expect(reads).toEqual(['50000+1000']);
    expect(await lend(RANGE)).toEqual(bytes.slice(50_000, 51_000));
    await settled;
    expect(reads).toHaveLength(1);
    expect(await lend(RANGE)).toEqual(bytes.slice(50_000, 51_000));
    expect(reads).toHaveLength(2);
  });

  it('that is not begun at its turn is read there, and not again', async () => {
    const { source, reads, lend } = await far();
    const read = source.foresee!(RANGE);
    await lend(RANGE);
    await read.start();
    read.drop();
    expect(reads).toHaveLength(1);
  });

  it('fails where it is lent, and is not tried twice', async () => {
    const { source, reads, lend } = await far(({ offset }) => (offset > 0 ? new Error('gone') : undefined));
    const settled = source.foresee!(RANGE).start();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(lend(RANGE)).rejects.toThrow('gone');
    await settled;
    expect(reads).toHaveLength(1);
  });

  it('ends when it is dropped, and leaves who waits alone with his own signal', async () => {
    const { source, reads, lend } = await far();
    const read = source.foresee!(RANGE);
    const settled = read.start();
    read.drop();
    await settled;
    await lend(RANGE);
    expect(reads).toHaveLength(2);

    const stop = new AbortController();
    const other = source.foresee!(RANGE);
    const over = other.start();
    const waiting = lend(RANGE, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await over;
  });

  it('is one of several of the same range', async () => {
    const { source, reads, lend } = await far();
    const both = [source.foresee!(RANGE), source.foresee!(RANGE)];
    const settled = both.map((read) => read.start());
    await lend(RANGE);
    await lend(RANGE);
    await Promise.all(settled);
    expect(reads).toHaveLength(2);
  });

  it('is not for files at hand', async () => {
    const store = { read: async () => new Uint8Array(10), stat: async () => ({ bytes: 10, tag: null }) };
    expect((await openByteSource('/a', store as unknown as Store)).foresee).toBeNull();
  });
});
