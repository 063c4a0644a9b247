import { openByteSource } from './byte-source.js';
import type { Store } from './store.js';
import { readDirectory, readTiffOrder, tagReader } from './tiff-directory.js';

/** How a TIFF is laid out, for people who ask why it is slow. */
export interface TiffDescription {
  compression: string;
  predictor: 'none' | 'horizontal' | 'floating point';
  tiled: boolean;
  bigTiff: boolean;
  byteOrder: 'little' | 'big';
  /** Null for a cloud-optimised GeoTIFF; else what it lacks. */
  notCogBecause: string | null;
}

const COMPRESSIONS: Record<number, string> = {
  1: 'none',
  5: 'LZW',
  7: 'JPEG',
  8: 'deflate',
  32773: 'PackBits',
  32946: 'deflate',
  34887: 'LERC',
  50000: 'zstd',
};
const PREDICTORS: Record<number, TiffDescription['predictor']> = { 2: 'horizontal', 3: 'floating point' };
const MAX_DIRECTORIES = 64;
/** Images up to this side (px) need neither tiles nor overviews to be read fast. */
const SMALL_PX = 512;

/** Compression, tiles, and whether the file is a COG: tiled, with overviews, and all directories before the pixels. */
export async function describeTiff(
  url: string,
  { store, signal }: { store: Store; signal?: AbortSignal },
): Promise<TiffDescription> {
  const source = await openByteSource(url, store, signal);
  try {
    const order = await readTiffOrder(source);
    const directory = await readDirectory(source, order, order.first, signal);
    const tags = tagReader(source, order, directory, signal);
    const [width, height] = [await tags.number(256, 0), await tags.number(257, 0)];
    const tiled = tags.has(324);
    const offsets = await tags.numbers(tiled ? 324 : 273);
    const firstPixel = (offsets ?? new Float64Array(0)).reduce(
      (least, at) => (at > 0 && at < least ? at : least),
      Infinity,
    );
    let [lastDirectory, reduced] = [order.first, 0];
    const seen = new Set([order.first]);
    for (let at = directory.next; at !== 0 && !seen.has(at) && seen.size < MAX_DIRECTORIES; ) {
      seen.add(at);
      lastDirectory = Math.max(lastDirectory, at);
      const next = await readDirectory(source, order, at, signal);
      if ((await tagReader(source, order, next, signal).number(254, 0)) & 1) reduced++;
      at = next.next;
    }
    const small = width <= SMALL_PX && height <= SMALL_PX;
    const notCogBecause =
      !tiled && !small
        ? 'it is not tiled'
        : !small && reduced === 0
          ? 'it has no overviews'
          : lastDirectory > firstPixel
            ? 'directories stand behind pixels'
            : null;
    const compression = await tags.number(259, 1);
    return {
      compression: COMPRESSIONS[compression] ?? `number ${compression}`,
      predictor: PREDICTORS[await tags.number(317, 1)] ?? 'none',
      tiled,
      bigTiff: order.big,
      byteOrder: order.little ? 'little' : 'big',
      notCogBecause,
    };
  } finally {
    source.drop();
  }
}
