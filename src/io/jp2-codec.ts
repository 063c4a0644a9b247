// The only file that imports the JPEG 2000 codec: OpenJPEG, compiled to wasm by its package, which loads when the first tile is met.
// It does not throw on bad data: it says so in lines of text, gives fewer bytes, or what it had before. All of that is checked here.

import type { CodecModule } from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { codecWasm } from '#platform';
import { FormatError, KernelError, messageOf } from '../errors.js';

/** One tile to decode. */
export interface DecodeRequest {
  /** A codestream whose image is the tile, in pieces. */
  pieces: readonly Uint8Array[];
  /** Times that width and height are halved. */
  reduce: number;
  /** Samples that must come: px × components. */
  samples: number;
  /** Up to 8, or up to 16. */
  bits: number;
}

/** The codec with its memory, one a thread. */
interface Codec {
  module: CodecModule;
  /** What it said since the last look, without mere information. */
  complaints: string[];
}

/** Tiles decoded by this thread. */
export const codecMeter = { tiles: 0 };

/** The codec's memory never shrinks; one that a huge tile has made larger than this is given up. */
const MAX_KEPT_BYTES = 192 * 2 ** 20;
const MAX_COMPLAINTS = 4;

let loading: Promise<Codec> | null = null;

async function load(): Promise<Codec> {
  const [{ default: factory }, wasmBinary] = await Promise.all([
    import('@cornerstonejs/codec-openjpeg/decodewasmjs'),
    codecWasm(),
  ]);
  const complaints: string[] = [];
  const hear = (line: string) => {
    if (line.trim() && !line.startsWith('[INFO]') && complaints.length < MAX_COMPLAINTS) complaints.push(line.trim());
  };
  return { module: await factory({ wasmBinary, print: hear, printErr: hear }), complaints };
}

function openCodec(): Promise<Codec> {
  if (!loading) {
    loading = load();
    loading.catch(() => {
      loading = null;
    });
  }
  return loading;
}

function decodeWith({ module, complaints }: Codec, { pieces, reduce, samples, bits }: DecodeRequest): Uint8Array {
  complaints.length = 0;
  // A decoder that failed would give the samples of its last tile, so each tile has its own.
  const decoder = new module.J2KDecoder();
  try {
    const room = decoder.getEncodedBuffer(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      room.set(piece, at);
      at += piece.length;
    }
    codecMeter.tiles++;
    if (reduce > 0) decoder.decodeSubResolution(reduce, 0);
    else decoder.decode();
    if (complaints.length > 0) throw new FormatError(complaints.join(' '));
    const decoded = decoder.getDecodedBuffer();
    const bytes = samples * (bits > 8 ? 2 : 1);
    if (decoded.length !== bytes) throw new FormatError(`${bytes} bytes are wanted, and ${decoded.length} came`);
    return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
  } finally {
    decoder.delete();
  }
}

/**
 * Decodes a codestream of one or three components of up to 16 unsigned bits; samples come pixel by pixel.
 *
 * @throws FormatError when it is corrupt as far as the codec can tell, KernelError when its memory does not suffice
 */
export async function decodeJ2k(request: DecodeRequest): Promise<Uint8Array> {
  const codec = await openCodec();
  try {
    return decodeWith(codec, request);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    // It threw in the midst of its work, and is in no state to go on.
    loading = null;
    throw new KernelError(`the JPEG 2000 codec failed: ${messageOf(error)}`);
  } finally {
    if (codec.module.HEAPU8.length > MAX_KEPT_BYTES) loading = null;
  }
}
