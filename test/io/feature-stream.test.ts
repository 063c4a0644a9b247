import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamFeatures } from '../../build/io/feature-stream.js';
import { fileStore } from '../../build/io/file.js';
import type { Store } from '../../build/io/store.js';

/** Text that comes in pieces of some bytes, whatever is asked for. */
function pieces(text: string, sizes: readonly number[]): Store {
  const bytes = new TextEncoder().encode(text);
  let n = 0;
  return {
    ...fileStore(),
    read: async (_, range) => bytes.slice(range!.offset, range!.offset + sizes[n++ % sizes.length]!),
  };
}

async function read(
  text: string,
  { sizes = [64], lines = false } = {},
): Promise<{ features: unknown[]; isList: boolean }> {
  const stream = streamFeatures('x.json', { store: pieces(text, sizes), lines });
  const features: unknown[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { features, isList: value === true };
    features.push(value);
  }
}

const object = fc.dictionary(fc.string(), fc.jsonValue());

describe('streamFeatures', () => {
  it('finds what JSON.parse finds, however the bytes come', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(object, { maxLength: 6 }),
        object,
        sizes,
        fc.boolean(),
        async (features, more, few, wide) => {
          const { features: _, ...rest } = more;
          const text = JSON.stringify({ type: 'features', ...rest, features, links: [{ a: 1 }] }, null, wide ? 1 : 0);
          expect(await read(text, { sizes: few })).toEqual({ features: JSON.parse(text).features, isList: true });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads lists that are the whole, and one object a line', async () => {
    expect(await read('[{"a":[{"b":1}]}, {"a":"}\\\\"}]')).toEqual({
      features: [{ a: [{ b: 1 }] }, { a: '}\\' }],
      isList: true,
    });
    const lines = await read('{"a":1}\n\n{"a":"\\"{"}\r\n', { lines: true, sizes: [3] });
    expect(lines).toEqual({ features: [{ a: 1 }, { a: '"{' }], isList: true });
    expect(await read('{"features":[]}')).toEqual({ features: [], isList: true });
  });

  it('says where there is no list', async () => {
    expect(await read('{"type":"Feature","assets":{"features":[{"a":1}]}}')).toEqual({ features: [], isList: false });
    expect(await read('{"links":[{"href":"features"}]}')).toEqual({ features: [], isList: false });
  });

  it.each([
    ['{"features":[{"a":1},{"a":', /x.json ends in the middle of item 2/],
    ['{"features":[{"a":1}', /ends in the middle of item 2/],
    ['{"features":[{"a":1},{a:2}]}', /x.json: item 2 is not JSON/],
  ])('refuses %j', async (text, message) => {
    await expect(read(text, { sizes: [7] })).rejects.toThrow(message);
  });
});
