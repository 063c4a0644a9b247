// A tile-part of a codestream: its header, and what it says twice and so can be checked. Damage inside a code block has no witness
// in the file; lengths of packets (PLT) and the first bit of each packet do.
import { FormatError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { MARKER } from './codestream.js';
import { SOT_BYTES } from './codestream-index.js';
import type { ByteRange } from './store.js';

/** Packet lengths have at most five groups of seven bits: 2³² − 1. */
const MAX_LENGTH_GROUPS = 5;
/** Read first of a tile-part of which only the first packets are wanted: more than a usual header takes. */
export const HEAD_BYTES = 4096;
/** A packet can begin with a marker segment of its own (SOP). */
const SOP_BYTES = 6;
/** Markers that end a packet's header (EPH). */
const EPH_BYTES = 2;

/** The header of a tile-part as far as it matters here. */
export interface PartHeader {
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
export interface PartPlace {
  url: string;
  tile: number;
  part: ByteRange;
}

function packetLengths(payload: Uint8Array, out: number[], { url, tile, part }: PartPlace): void {
  let value = 0;
  let groups = 0;
  for (const byte of payload.subarray(1)) {
    value = value * 128 + (byte & 127);
    if (++groups > MAX_LENGTH_GROUPS) {
      throw new FormatError(`${url}: tile ${tile} at byte ${part.offset}: no packet has such a length (PLT)`, { url });
    }
    if (byte & 128) continue;
    out.push(value);
    value = groups = 0;
  }
}

/** Reads the header of a tile-part from its first bytes; null when they end before it does. */
export function readPartHeader(bytes: Uint8Array, place: PartPlace): PartHeader | null {
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
  for (let at = SOT_BYTES; at + 2 <= bytes.length; ) {
    const marker = view.getUint16(at);
    if (marker === MARKER.SOD) {
      return { bytes: at + 2, packets: listed ? packets : null, kept, irregular, stated };
    }
    if (at + 4 > bytes.length) break;
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

/** What the main header says of a tile's packets. */
export interface PacketStyle {
  startMarkers: boolean;
  endMarkers: boolean;
  /** How many packets the tile has, or null where that is not known. */
  count: number | null;
}

/** The length that a packet must have, markers included, when it says that it holds nothing; else null. */
function emptyBytes(bytes: Uint8Array, at: number, { startMarkers, endMarkers }: PacketStyle): number | null {
  const marked = startMarkers && bytes[at] === MARKER.SOP >> 8 && bytes[at + 1] === (MARKER.SOP & 255);
  const skip = marked ? SOP_BYTES : 0;
  // Only the first bytes of a part may have been read.
  if (at + skip >= bytes.length || bytes[at + skip]! & 0x80) return null;
  return skip + 1 + (endMarkers ? EPH_BYTES : 0);
}

/**
 * Checks a tile-part against itself, as far as its first bytes are there: listed packets add up to the part, and those that say they are
 * empty are. Where no lengths are listed, a tile of empty packets only can have no more bytes than packets. So data that was zeroed is
 * found, unless it is inside of a code block.
 */
export function checkPackets(header: PartHeader, bytes: Uint8Array, style: PacketStyle, place: PartPlace): void {
  const { url, tile, part } = place;
  const bodyBytes = part.length - header.bytes;
  const wrong = (at: number, what: string) =>
    new FormatError(`${url}: tile ${tile}, byte ${part.offset + at}: ${what}: the data is corrupt`, { url });
  if (header.irregular) return;
  if (header.packets) {
    let at = header.bytes;
    for (const length of header.packets) {
      const empty = emptyBytes(bytes, at, style);
      if (length === 0 || (empty !== null && empty !== length)) throw wrong(at, `an empty packet of ${length} bytes`);
      at += length;
    }
    const rest = part.length - at;
    // A part without a length of its own may have the end marker behind it.
    if (rest !== 0 && !(header.stated === 0 && rest === 2)) {
      throw wrong(header.bytes, `packets of ${at - header.bytes} bytes in a part of ${bodyBytes}`);
    }
    return;
  }
  const { count } = style;
  if (count === null || bytes.length < part.length || bodyBytes <= count + 2) return;
  if (bytes.subarray(header.bytes, header.bytes + count).every((byte) => byte === 0)) {
    throw wrong(header.bytes, `${count} empty packets in ${bodyBytes} bytes`);
  }
}

/** Whether a tile-part, the first of tile 0, tells the lengths of its packets within the bytes that are usually looked at. */
export async function hasPacketLengths(source: ByteSource, part: ByteRange, signal?: AbortSignal): Promise<boolean> {
  const length = Math.min(part.length, HEAD_BYTES);
  const place = { url: source.url, tile: 0, part };
  const look = async (bytes: Uint8Array) => (readPartHeader(bytes, place)?.packets ?? null) !== null;
  return source.lend({ offset: part.offset, length }, look, signal);
}

/** A changed SOT: the only tile, of so many bytes and parts. */
export function sotOf(bytes: Uint8Array, { length, index, parts }: { length: number; index: number; parts: number }) {
  const out = bytes.slice(0, SOT_BYTES);
  const view = new DataView(out.buffer);
  view.setUint16(4, 0);
  view.setUint32(6, length);
  view.setUint8(10, index);
  view.setUint8(11, parts);
  return out;
}
