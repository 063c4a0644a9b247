import { inflate } from '#platform';
import { UnsupportedError } from '../errors.js';
import type { TiffImage } from './tiff-image.js';

/** Decompresses a block to at most `rawBytes` bytes; fewer when the data ends before. Throws when it is corrupt. */
export type Decompress = (bytes: Uint8Array, rawBytes: number, image: TiffImage) => Uint8Array | Promise<Uint8Array>;

interface Codec {
  load: () => Promise<Decompress> | Decompress;
  /** True when the result is the samples themselves, in the machine's byte order: a picture format inside the TIFF. */
  native?: boolean;
}

const deflate: Codec = { load: () => inflate };

/** TIFF's compression codes that are read, each loaded when a file needs it. */
const CODECS = new Map<number, Codec>([
  [1, { load: () => (bytes, rawBytes) => bytes.subarray(0, rawBytes) }],
  [5, { load: async () => (await import('../kernels/codec.js')).unlzw }],
  [7, { load: async () => (await import('./jpeg-block.js')).decodeJpegBlock, native: true }],
  [8, deflate],
  [32773, { load: async () => (await import('../kernels/codec.js')).unpackRuns }],
  [32946, deflate],
  [34887, { load: async () => (await import('./geotiff-codec.js')).decodeLerc, native: true }],
  [50000, { load: async () => (await import('./zstd-decoder.js')).unzstd }],
]);

/** Names of the compressions that are not read, for the refusal. */
const NAMES: Record<number, string> = {
  2: 'CCITT RLE',
  3: 'CCITT fax 3',
  4: 'CCITT fax 4',
  6: 'old-style JPEG',
  32766: 'NeXT',
  32771: 'CCITT RLEW',
  32809: 'ThunderScan',
  34661: 'JBIG',
  34676: 'SGI log',
  34677: 'SGI log 24-bit',
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50001: 'WebP',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};

/** The codec of a compression; one that is not read is refused by name. */
export function codecOf(url: string, compression: number): Codec {
  const codec = CODECS.get(compression);
  if (codec) return codec;
  const name = NAMES[compression];
  throw new UnsupportedError(`${url}: ${name ? `${name} compression` : `compression ${compression}`} is not read`, {
    url,
  });
}
