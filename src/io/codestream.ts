// The main header of a JPEG 2000 codestream (ITU-T T.800, annex A). Marker segments are read one by one where they stand; nothing is
// taken on trust that decides how much is read or allocated.

import { FormatError, UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { joinBytes } from './join-bytes.js';
import type { ByteRange } from './store.js';

/** Marker codes by their names in the standard. */
export const MARKER = {
  SOC: 0xff4f,
  CAP: 0xff50,
  SIZ: 0xff51,
  COD: 0xff52,
  COC: 0xff53,
  TLM: 0xff55,
  PLM: 0xff57,
  PLT: 0xff58,
  POC: 0xff5f,
  PPM: 0xff60,
  PPT: 0xff61,
  COM: 0xff64,
  SOT: 0xff90,
  SOP: 0xff91,
  SOD: 0xff93,
  EOC: 0xffd9,
} as const;

export type Progression = 'LRCP' | 'RLCP' | 'RPCL' | 'PCRL' | 'CPRL';
const PROGRESSIONS: readonly Progression[] = ['LRCP', 'RLCP', 'RPCL', 'PCRL', 'CPRL'];

/** Where the image and its tiles lie on the reference grid, px; ends are exclusive. */
export interface ImageFrame {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  tileX0: number;
  tileY0: number;
  tileWidth: number;
  tileHeight: number;
  tilesAcross: number;
  tilesDown: number;
}

/** How the tiles are coded, from COD. */
export interface CodingStyle {
  progression: Progression;
  layers: number;
  /** Times that width and height were halved. */
  decompositions: number;
  /** px, powers of two */
  blockWidth: number;
  blockHeight: number;
  /** log₂ of width and height of the precincts, by resolution from the coarsest on. */
  precincts: readonly (readonly [number, number])[];
  reversible: boolean;
  /** Packets may begin with a marker of their own (SOP). */
  startMarkers: boolean;
  /** Packet headers end with a marker of their own (EPH). */
  endMarkers: boolean;
}

export interface Codestream {
  /** Where it stands in the file. */
  range: ByteRange;
  frame: ImageFrame;
  /** The same for all components: others are refused. */
  components: number;
  bits: number;
  signed: boolean;
  coding: CodingStyle;
  /** True where components or packets may be coded in other ways than COD says (COC, POC, PPM). */
  irregular: boolean;
  /** What a decoder needs of the main header: SIZ first, without indexes and comments. */
  header: Uint8Array;
  /** Payloads of the TLM segments in their order, or none. */
  tlm: readonly Uint8Array[];
  /** Offset of the first tile-part in the file. */
  firstPart: number;
}

/** The main headers of real files have about ten segments; one with an index of all tiles has 64 KiB a segment. */
const MAX_SEGMENTS = 2048;
const MAX_HEADER_BYTES = 8 * 2 ** 20;
/** The standard's limits. */
const MAX_TILES = 65535;
const MAX_COMPONENTS = 16384;

const hex = (marker: number): string => marker.toString(16).padStart(4, '0');

function readSiz(url: string, at: number, p: DataView): Pick<Codestream, 'frame' | 'components' | 'bits' | 'signed'> {
  const refuse = (what: string): never => {
    throw new FormatError(`${url}: the image size (SIZ) at byte ${at} ${what}`, { url });
  };
  if (p.byteLength < 36) refuse(`has ${p.byteLength} bytes`);
  const [x1, y1, x0, y0, tileWidth, tileHeight, tileX0, tileY0] = Array.from({ length: 8 }, (_, i) =>
    p.getUint32(2 + 4 * i),
  ) as [number, number, number, number, number, number, number, number];
  const components = p.getUint16(34);
  if (!(x0 < x1 && y0 < y1)) refuse(`gives an image of ${x1 - x0} × ${y1 - y0} px`);
  const holds = tileX0 <= x0 && tileY0 <= y0 && tileX0 + tileWidth > x0 && tileY0 + tileHeight > y0;
  if (!(tileWidth > 0 && tileHeight > 0 && holds))
    refuse(`gives tiles of ${tileWidth} × ${tileHeight} px off the image`);
  if (x1 > 2 ** 31 - 1 || y1 > 2 ** 31 - 1) refuse(`gives an image that ends at ${x1}, ${y1}`);
  const tilesAcross = Math.ceil((x1 - tileX0) / tileWidth);
  const tilesDown = Math.ceil((y1 - tileY0) / tileHeight);
  if (tilesAcross * tilesDown > MAX_TILES) refuse(`gives ${tilesAcross} × ${tilesDown} tiles, more than ${MAX_TILES}`);
  if (components < 1 || components > MAX_COMPONENTS || p.byteLength < 36 + 3 * components) {
    refuse(`gives ${components} components in ${p.byteLength} bytes`);
  }
  const depth = p.getUint8(36);
  for (let i = 0; i < components; i++) {
    const [own, dx, dy] = [p.getUint8(36 + 3 * i), p.getUint8(37 + 3 * i), p.getUint8(38 + 3 * i)];
    if (dx === 0 || dy === 0) refuse(`gives component ${i + 1} a step of ${dx} × ${dy}`);
    if (dx !== 1 || dy !== 1) {
      throw new UnsupportedError(`${url}: subsampled components (${i + 1}: ${dx} × ${dy}) are not read`, { url });
    }
    if (own !== depth) {
      const kind = (ssiz: number) => `${(ssiz & 127) + 1} bits ${ssiz & 128 ? 'signed' : 'unsigned'}`;
      throw new UnsupportedError(`${url}: components of different kinds (${kind(depth)}, ${kind(own)}) are not read`, {
        url,
      });
    }
  }
  const frame = { x0, y0, x1, y1, tileX0, tileY0, tileWidth, tileHeight, tilesAcross, tilesDown };
  return { frame, components, bits: (depth & 127) + 1, signed: (depth & 128) !== 0 };
}

function readCod(url: string, at: number, p: DataView): CodingStyle {
  const refuse = (what: string): never => {
    throw new FormatError(`${url}: the coding style (COD) at byte ${at} ${what}`, { url });
  };
  if (p.byteLength < 10) refuse(`has ${p.byteLength} bytes`);
  const decompositions = p.getUint8(5);
  const own = (p.getUint8(0) & 1) !== 0;
  if (decompositions > 32) refuse(`gives ${decompositions} decompositions`);
  if (own && p.byteLength < 11 + decompositions) refuse(`lacks the sizes of precincts`);
  const progression = PROGRESSIONS[p.getUint8(1)] ?? refuse(`gives progression ${p.getUint8(1)}`);
  const layers = p.getUint16(2);
  if (layers < 1) refuse('gives no layer');
  const [blockX, blockY] = [(p.getUint8(6) & 15) + 2, (p.getUint8(7) & 15) + 2];
  if (blockX > 10 || blockY > 10 || blockX + blockY > 12)
    refuse(`gives code blocks of ${2 ** blockX} × ${2 ** blockY}`);
  if (p.getUint8(8) & 64) throw new UnsupportedError(`${url}: high-throughput JPEG 2000 is not read`, { url });
  return {
    progression,
    layers,
    decompositions,
    blockWidth: 2 ** blockX,
    blockHeight: 2 ** blockY,
    precincts: Array.from({ length: decompositions + 1 }, (_, i) => {
      const byte = own ? p.getUint8(10 + i) : 0xff;
      return [byte & 15, byte >> 4] as const;
    }),
    reversible: p.getUint8(9) === 1,
    startMarkers: (p.getUint8(0) & 2) !== 0,
    endMarkers: (p.getUint8(0) & 4) !== 0,
  };
}

/** The segments of the main header, each with its payload, up to the first tile-part. */
async function* segments(source: ByteSource, { offset, length }: ByteRange, signal?: AbortSignal) {
  const { url } = source;
  const end = offset + length;
  let at = offset + 2;
  for (let n = 0; n < MAX_SEGMENTS && at - offset <= MAX_HEADER_BYTES; n++) {
    const marker = (await source.view({ offset: at, length: 2 }, signal)).getUint16(0);
    if (marker === MARKER.SOT) {
      yield { marker, at, bytes: new Uint8Array(0) };
      return;
    }
    const bytes = marker < 0xff4f ? 0 : (await source.view({ offset: at + 2, length: 2 }, signal)).getUint16(0);
    if (bytes < 2 || at + 2 + bytes > end) {
      throw new FormatError(`${url}: no marker segment at byte ${at}: ${hex(marker)} of ${bytes} bytes`, { url });
    }
    const view = await source.view({ offset: at, length: 2 + bytes }, signal);
    // What was read is dropped when the file is open; the header stays.
    yield { marker, at, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice() };
    at += 2 + bytes;
  }
  throw new FormatError(`${url}: no tile begins within ${at - offset} bytes of header`, { url });
}

/**
 * Reads the main header of the codestream in a range of the file.
 *
 * @throws FormatError when it is none or contradicts itself, UnsupportedError (by name) for kinds that are not read
 */
export async function readCodestream(source: ByteSource, range: ByteRange, signal?: AbortSignal): Promise<Codestream> {
  const { url } = source;
  const start = await source.view({ offset: range.offset, length: Math.min(2, range.length) }, signal);
  if (start.byteLength < 2 || start.getUint16(0) !== MARKER.SOC) {
    throw new FormatError(`${url}: no JPEG 2000 codestream begins at byte ${range.offset}`, { url });
  }
  let size: ReturnType<typeof readSiz> | null = null;
  let coding: CodingStyle | null = null;
  let irregular = false;
  let firstPart = 0;
  const kept: Uint8Array[] = [Uint8Array.of(0xff, 0x4f)];
  const tlm: Uint8Array[] = [];
  for await (const { marker, at, bytes } of segments(source, range, signal)) {
    const payload = new DataView(bytes.buffer, 4 * Math.sign(bytes.length));
    if (!size && marker !== MARKER.SIZ) {
      throw new FormatError(`${url}: the image size (SIZ) is wanted at byte ${at}, got ${hex(marker)}`, { url });
    }
    if (marker === MARKER.SOT) firstPart = at;
    else if (marker === MARKER.SIZ) size = readSiz(url, at, payload);
    else if (marker === MARKER.COD) coding = readCod(url, at, payload);
    else if (marker === MARKER.TLM) tlm.push(bytes.subarray(4));
    else if (marker === MARKER.CAP)
      throw new UnsupportedError(`${url}: high-throughput JPEG 2000 is not read`, { url });
    else if (marker === MARKER.PPM) {
      throw new UnsupportedError(`${url}: packet headers in the main header (PPM) are not read`, { url });
    }
    irregular ||= marker === MARKER.COC || marker === MARKER.POC;
    const indexOnly = marker === MARKER.TLM || marker === MARKER.PLM || marker === MARKER.COM;
    if (!indexOnly && marker !== MARKER.SOT) kept.push(bytes);
  }
  if (!coding)
    throw new FormatError(`${url}: no coding style (COD) before the first tile at byte ${firstPart}`, { url });
  return { range, ...size!, coding, irregular, header: joinBytes(kept), tlm, firstPart };
}
