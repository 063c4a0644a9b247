import { UnsupportedError } from '../errors.js';
import type { Packing } from '../kernels/codec.js';
import type { TiffImage } from './tiff-image.js';

/** Decompresses a block to at most `rawBytes` bytes; fewer when the data ends before. Throws when it is corrupt. */
export type Decompress = (bytes: Uint8Array, rawBytes: number, image: TiffImage) => Uint8Array | Promise<Uint8Array>;

/** Either the kernels decompress a block where they unpack it, or a decoder does before. */
type Codec = KernelCodec | DecoderCodec;

interface KernelCodec {
  packing: Packing;
  native?: false;
}

interface DecoderCodec {
  packing?: undefined;
  load: () => Promise<Decompress>;
  /** True when the result is the samples themselves, in the machine's byte order: a picture format inside the TIFF. */
  native?: boolean;
}

/** TIFF's compression codes that are read; decoders are loaded when a file needs them. */
const CODECS = new Map<number, Codec>([
  [1, { packing: 'none' }],
  [5, { packing: 'lzw' }],
  [7, { load: async () => (await import('./jpeg-block.js')).decodeJpegBlock, native: true }],
  [8, { packing: 'deflate' }],
  [32773, { packing: 'runs' }],
  [32946, { packing: 'deflate' }],
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
