import { compress, createDCtx, decompressUsingDict, init } from '@bokuweb/zstd-wasm';
import { FormatError } from '../errors.js';

let ready: Promise<void> | null = null;
let decoder: number | null = null;

/** Compresses to one zstd frame in WebAssembly, level 1–22; the encoder (250 kB) is loaded at the first call. */
export async function zstdEncode(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  ready ??= init();
  await ready;
  return compress(bytes, level);
}

/** What a frame's header says of its content (RFC 8878, 3.1.1.1), or null where it says nothing. */
function contentBytes(frame: Uint8Array): number | null {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new FormatError('data is no zstd frame');
  const descriptor = frame[4]!;
  const single = (descriptor & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (sizeBytes === 0) return null;
  if (at + sizeBytes > frame.length) throw new FormatError('a zstd frame ends in its header');
  if (sizeBytes === 1) return frame[at]!;
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  return sizeBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

/**
 * One zstd frame that was made with a dictionary (empty: without one) → its content of at most `mostBytes`.
 * @throws FormatError for corrupt frames, and before memory is taken for those that promise more
 */
export async function unzstdWith(dictionary: Uint8Array, frame: Uint8Array, mostBytes: number): Promise<Uint8Array> {
  const bytes = contentBytes(frame) ?? mostBytes;
  if (bytes > mostBytes) throw new FormatError(`a zstd frame of ${bytes} bytes is over the limit of ${mostBytes}`);
  ready ??= init();
  await ready;
  decoder ??= createDCtx() as number;
  try {
    return decompressUsingDict(decoder, frame, dictionary, { defaultHeapSize: mostBytes });
  } catch (cause) {
    throw new FormatError(`zstd data is corrupt: ${(cause as Error).message}`, {}, { cause });
  }
}
