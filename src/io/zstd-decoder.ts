import { ZSTDDecoder } from 'zstddec';
import { FormatError } from '../errors.js';

let ready: Promise<ZSTDDecoder> | null = null;

/** One zstd frame → at most `rawBytes`; a shorter frame gives a shorter array. */
export async function unzstd(bytes: Uint8Array, rawBytes: number): Promise<Uint8Array> {
  ready ??= (async () => {
    const decoder = new ZSTDDecoder();
    await decoder.init();
    return decoder;
  })();
  const decoder = await ready;
  try {
    return decoder.decode(bytes, rawBytes);
  } catch (cause) {
    throw new FormatError(`zstd data is corrupt: ${(cause as Error).message}`, {}, { cause });
  }
}
