import { blockHash, type Hash } from './block-hash.js';

/** The message schedule. */
const words = new Int32Array(80);

/** Mixes one block of 64 bytes into the state (FIPS 180-4 §6.1.2). */
function mix(state: Uint32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const p = at + i * 4;
    words[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 80; i++) {
    const w = words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!;
    words[i] = (w << 1) | (w >>> 31);
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let i = 0; i < 80; i++) {
    let round = 0;
    if (i < 20) round = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) round = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) round = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else round = (b ^ c ^ d) + 0xca62c1d6;
    const t = (((a << 5) | (a >>> 27)) + round + e + words[i]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = t;
  }
  [a, b, c, d, e].forEach((value, i) => {
    state[i] = state[i]! + value;
  });
}

/** SHA-1 of FIPS 180-4 in plain code, for pages: the checksum that lists beside published files hold, and no protection. */
export function sha1(): Hash {
  return blockHash([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0], mix);
}
