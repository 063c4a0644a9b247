// Cuts one tile out of a codestream, as a small codestream of its own: the main header with an image that is just this tile, and
// the tile's parts, renumbered. Canvas coordinates stay, so that wavelets and precincts fall as they did. At a reduced resolution
// only the packets up to it are read, where the file tells their lengths (PLT) and their order puts them first.
import { FormatError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Codestream, type ImageFrame, MARKER } from './codestream.js';
import { SOT_BYTES } from './codestream-index.js';
import type { ByteRange } from './store.js';

/** Where SIZ lies in a kept main header: behind SOC, its marker and length, and the capabilities. */
const SIZ_AT = 8;
const SSIZ_AT = 42;
/** Read first of a tile-part of which only the first packets are wanted: more than a usual header takes. */
const HEAD_BYTES = 4096;
/** The number of a part is a byte. */
const MAX_PARTS = 255;
/** PLT of a tile of 255 layers and many precincts stays below it. */
const MAX_PART_HEADER_BYTES = 2 ** 22;
/** Packet lengths have at most five groups of seven bits: 2³² − 1. */
const MAX_LENGTH_GROUPS = 5;

/** The part of the reference grid that a tile covers, clipped to the image. */
export function tileRect(frame: ImageFrame, tile: number): { x0: number; y0: number; x1: number; y1: number } {
  const left = frame.tileX0 + (tile % frame.tilesAcross) * frame.tileWidth;
  const top = frame.tileY0 + Math.floor(tile / frame.tilesAcross) * frame.tileHeight;
  return {
    x0: Math.max(frame.x0, left),
    y0: Math.max(frame.y0, top),
    x1: Math.min(frame.x1, left + frame.tileWidth),
    y1: Math.min(frame.y1, top + frame.tileHeight),
  };
}

/** The main header of a codestream that is one tile; all samples unsigned, as the decoder wants them. */
function tileHeader({ header, frame, components }: Codestream, tile: number): Uint8Array {
  const out = header.slice();
  const view = new DataView(out.buffer);
  const { x0, y0, x1, y1 } = tileRect(frame, tile);
  const left = frame.tileX0 + (tile % frame.tilesAcross) * frame.tileWidth;
  const top = frame.tileY0 + Math.floor(tile / frame.tilesAcross) * frame.tileHeight;
  for (const [i, value] of [x1, y1, x0, y0, frame.tileWidth, frame.tileHeight, left, top].entries()) {
    view.setUint32(SIZ_AT + 4 * i, value);
  }
  for (let i = 0; i < components; i++) out[SSIZ_AT + 3 * i]! &= 127;
  return out;
}

/**
 * Packets of a tile up to a resolution that is halved `reduce` times, or null where they do not come first: that takes an order by
 * resolution, of one layer or before the layers (T.800, B.12).
 */
export function leadingPackets(codestream: Codestream, tile: number, reduce: number): number | null {
  const { coding, frame, components, irregular } = codestream;
  const { progression, layers, decompositions, precincts } = coding;
  const ordered = progression === 'RLCP' || progression === 'RPCL' || (progression === 'LRCP' && layers === 1);
  if (irregular || !ordered || reduce > decompositions) return null;
  const rect = tileRect(frame, tile);
  let count = 0;
  for (let resolution = 0; resolution <= decompositions - reduce; resolution++) {
    const step = 2 ** (decompositions - resolution);
    const [px, py] = precincts[resolution]!;
    const along = (from: number, to: number, log2: number): number => {
      const [begin, end] = [Math.ceil(from / step), Math.ceil(to / step)];
      return end > begin ? Math.ceil(end / 2 ** log2) - Math.floor(begin / 2 ** log2) : 0;
    };
    count += along(rect.x0, rect.x1, px) * along(rect.y0, rect.y1, py) * components * layers;
  }
  return count;
}

/** The header of a tile-part as far as it matters here. */
interface PartHeader {
  /** Bytes from SOT to the first packet. */
  bytes: number;
  /** Lengths of the packets in it, or null where the file does not tell. */
  packets: readonly number[] | null;
  /** Segments that a decoder needs, without SOT, PLT and SOD. */
  kept: readonly Uint8Array[];
  /** True when the order of packets is changed or their headers are elsewhere (POC, PPT). */
  irregular: boolean;
  /** Bytes that the part gives as its own; 0 means that it reaches to the end of the codestream. */
  stated: number;
}

/** Where a tile-part stands, for errors. */
interface Place {
  url: string;
  tile: number;
  part: ByteRange;
}

function packetLengths(payload: Uint8Array, out: number[], { url, tile }: Place): void {
  let value = 0;
  let groups = 0;
  for (const byte of payload.subarray(1)) {
    value = value * 128 + (byte & 127);
    if (++groups > MAX_LENGTH_GROUPS) throw new FormatError(`${url}: packet lengths (PLT) of tile ${tile}`, { url });
    if (byte & 128) continue;
    out.push(value);
    value = groups = 0;
  }
}

/** Reads the header of a tile-part from its first bytes; null when they end before it does. */
function readPartHeader(bytes: Uint8Array, place: Place): PartHeader | null {
  const { url, tile, part } = place;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrong = (at: number, what: string) =>
    new FormatError(`${url}: tile ${tile}, byte ${part.offset + at}: ${what}`, { url });
  if (view.getUint16(0) !== MARKER.SOT || view.getUint16(4) !== tile) {
    throw wrong(0, 'the tile does not begin where it should');
  }
  const stated = view.getUint32(6);
  if (stated !== 0 && stated !== part.length) throw wrong(6, `a part of ${stated} bytes, and not ${part.length}`);
  const packets: number[] = [];
  const kept: Uint8Array[] = [];
  let [listed, irregular] = [false, false];
  for (let at = SOT_BYTES; at + 4 <= bytes.length; ) {
    const marker = view.getUint16(at);
    if (marker === MARKER.SOD) {
      return { bytes: at + 2, packets: listed ? packets : null, kept, irregular, stated };
    }
    const length = view.getUint16(at + 2);
    if (marker < 0xff4f || length < 2) throw wrong(at, 'no marker segment in the header of the tile');
    if (at + 2 + length > bytes.length) break;
    const segment = bytes.subarray(at, at + 2 + length);
    if (marker === MARKER.PLT) {
      listed = true;
      packetLengths(segment.subarray(4), packets, place);
    } else if (marker !== MARKER.COM) kept.push(segment);
    // A tile can have a style of its own, so its packets cannot be counted by the main header.
    irregular ||= [MARKER.POC, MARKER.PPT, MARKER.COD, MARKER.COC].some((other) => other === marker);
    at += 2 + length;
  }
  if (bytes.length >= part.length) throw wrong(SOT_BYTES, 'the header of the tile has no end');
  return null;
}

/** A changed SOT: the only tile, of so many bytes and parts. */
function sotOf(bytes: Uint8Array, { length, index, parts }: { length: number; index: number; parts: number }) {
  const out = bytes.slice(0, SOT_BYTES);
  const view = new DataView(out.buffer);
  view.setUint16(4, 0);
  view.setUint32(6, length);
  view.setUint8(10, index);
  view.setUint8(11, parts);
  return out;
}

/** A tile that is wanted, `reduce` times halved. */
export interface TileRequest {
  tile: number;
  parts: readonly ByteRange[];
  reduce: number;
}

type Use = (pieces: readonly Uint8Array[]) => Promise<void>;

const EOC = Uint8Array.of(0xff, 0xd9);
const SOD = Uint8Array.of(0xff, 0x93);

/** Lends the codestream of one tile, in pieces, until `use` has settled. */
export async function lendTile(
  source: ByteSource,
  codestream: Codestream,
  request: TileRequest,
  { use, signal }: { use: Use; signal?: AbortSignal | undefined },
): Promise<void> {
  const { tile, parts, reduce } = request;
  if (parts.length > MAX_PARTS) {
    throw new FormatError(`${source.url}: tile ${tile} has ${parts.length} parts, more than ${MAX_PARTS}`, {
      url: source.url,
    });
  }
  const packets = reduce > 0 ? leadingPackets(codestream, tile, reduce) : null;
  const head = [tileHeader(codestream, tile)];
  if (packets !== null && (await lendLeading(source, request, { head, packets, use, signal }))) return;
  const next = async (i: number, pieces: readonly Uint8Array[]): Promise<void> => {
    const part = parts[i];
    if (!part) return use([...pieces, EOC]);
    const decode = (bytes: Uint8Array) => {
      const place = { url: source.url, tile, part };
      const header = readPartHeader(bytes, place)!;
      checkPackets(header, place);
      const sot = sotOf(bytes, { length: header.stated, index: i, parts: parts.length });
      return next(i + 1, [...pieces, sot, bytes.subarray(SOT_BYTES)]);
    };
    await source.lend(part, decode, signal);
  };
  await next(0, head);
}

/** Packet lengths must add up to the tile-part: the one thing that a file says twice. */
function checkPackets({ bytes, packets, stated }: PartHeader, { url, tile, part }: Place): void {
  const sum = packets?.reduce((a, b) => a + b, 0);
  // A part without a length of its own may have the end marker behind it.
  const rest = part.length - bytes - (sum ?? 0);
  if (sum === undefined || rest === 0 || (stated === 0 && rest === 2)) return;
  throw new FormatError(
    `${url}: tile ${tile} at byte ${part.offset}: its packets take ${sum} bytes, and it has ${part.length - bytes}`,
    { url },
  );
}

interface Leading {
  head: readonly Uint8Array[];
  packets: number;
  use: Use;
  signal: AbortSignal | undefined;
}

/** Reads and lends the first packets of a tile that is in one part, or answers false where they cannot be told apart. */
async function lendLeading(source: ByteSource, { tile, parts }: TileRequest, leading: Leading): Promise<boolean> {
  const [part, second] = parts;
  if (!part || second) return false;
  const { head, packets, use, signal } = leading;
  const place = { url: source.url, tile, part };
  /** Bytes of the whole that are wanted more than were read; 0 when it was lent, null when it cannot be. */
  const attempt = async (bytes: Uint8Array): Promise<number | null> => {
    const header = readPartHeader(bytes, place);
    if (!header) return Math.min(part.length, 8 * bytes.length);
    checkPackets(header, place);
    if (!header.packets || header.irregular || packets > header.packets.length) return null;
    const end = header.packets.slice(0, packets).reduce((a, b) => a + b, header.bytes);
    if (end > bytes.length) return end;
    const body = bytes.subarray(header.bytes, end);
    const length = header.kept.reduce((sum, segment) => sum + segment.length, SOT_BYTES + 2 + body.length);
    await use([...head, sotOf(bytes, { length, index: 0, parts: 1 }), ...header.kept, SOD, body, EOC]);
    return 0;
  };
  for (let length = Math.min(part.length, HEAD_BYTES); length <= MAX_PART_HEADER_BYTES || length <= part.length; ) {
    const more = await source.lend({ offset: part.offset, length }, attempt, signal);
    if (more === null || more === 0) return more === 0;
    length = more;
  }
  return false;
}
