/** A hash that takes its message in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void;
  /** The digest in hexadecimal; ends the hash. */
  hex(): string;
}

/**
 * What SHA-1 and SHA-256 share (FIPS 180-4 §5): a message is cut into blocks of 64 bytes, the last of which carries its length.
 * @param initial the state's first words
 * @param mix mixes the block at a place of some bytes into the state
 */
export function blockHash(
  initial: readonly number[],
  mix: (state: Uint32Array, bytes: Uint8Array, at: number) => void,
): Hash {
  const state = Uint32Array.from(initial);
  const rest = new Uint8Array(64);
  let restBytes = 0;
  let totalBytes = 0;

  const update = (bytes: Uint8Array): void => {
    totalBytes += bytes.length;
    let at = 0;
    if (restBytes > 0) {
      at = Math.min(64 - restBytes, bytes.length);
      rest.set(bytes.subarray(0, at), restBytes);
      restBytes += at;
      if (restBytes < 64) return;
      mix(state, rest, 0);
      restBytes = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) mix(state, bytes, at);
    rest.set(bytes.subarray(at));
    restBytes = bytes.length - at;
  };

  return {
    update,
    hex() {
      const bits = totalBytes * 8;
      const padding = new Uint8Array(72 - ((totalBytes + 8) % 64));
      padding[0] = 0x80;
      const view = new DataView(padding.buffer);
      view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
      view.setUint32(padding.length - 4, bits >>> 0);
      update(padding);
      return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
    },
  };
}
