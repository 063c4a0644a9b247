// Cuts one tile out of a codestream, as a small codestream of its own: the main header with an image that is just this tile, and
// the tile's parts, renumbered. Canvas coordinates stay, so that wavelets and precincts fall as they did. At a reduced resolution
// only the packets up to it are read, where the file tells their lengths (PLT) and their order puts them first.
import type { ByteSource } from './byte-source.js';
import type { Codestream, ImageFrame } from './codestream.js';
import { SOT_BYTES } from './codestream-index.js';
import { checkPackets, HEAD_BYTES, type PacketStyle, readPartHeader, sotOf } from './codestream-part.js';
import type { ByteRange } from './store.js';

/** Where SIZ lies in a kept main header: behind SOC, its marker and length, and the capabilities. */
const SIZ_AT = 8;
const SSIZ_AT = 42;

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
 * Packets of a tile up to a resolution that is halved `reduce` times, or null where they do not come first, or cannot be decoded
 * without the others: that takes an order by resolution, of one layer or before the layers (T.800, B.12).
 */
export function leadingPackets(codestream: Codestream, tile: number, reduce: number): number | null {
  const { coding, frame, components, irregular } = codestream;
  const { progression, layers, decompositions, precincts, startMarkers, endMarkers } = coding;
  const byResolution = progression === 'RLCP' || progression === 'RPCL' || (progression === 'LRCP' && layers === 1);
  // The codec looks for the marker of the next packet even where it wants none.
  const separable = byResolution && !startMarkers && !endMarkers;
  if (irregular || (reduce > 0 && !separable) || reduce > decompositions) return null;
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
  const packets = reduce > 0 ? leadingPackets(codestream, tile, reduce) : null;
  const head = [tileHeader(codestream, tile)];
  const whole = parts.length === 1 ? leadingPackets(codestream, tile, 0) : null;
  const { startMarkers, endMarkers } = codestream.coding;
  const style: PacketStyle = { startMarkers, endMarkers, count: whole };
  if (packets !== null && (await lendLeading(source, request, { head, packets, style, use, signal }))) return;
  const next = async (i: number, pieces: readonly Uint8Array[]): Promise<void> => {
    const part = parts[i];
    if (!part) return use([...pieces, EOC]);
    const decode = (bytes: Uint8Array) => {
      const place = { url: source.url, tile, part };
      const header = readPartHeader(bytes, place)!;
      checkPackets(header, bytes, style, place);
      const sot = sotOf(bytes, { length: header.stated, index: i, parts: parts.length });
      return next(i + 1, [...pieces, sot, bytes.subarray(SOT_BYTES)]);
    };
    await source.lend(part, decode, signal);
  };
  await next(0, head);
}

interface Leading {
  head: readonly Uint8Array[];
  packets: number;
  style: PacketStyle;
  use: Use;
  signal: AbortSignal | undefined;
}

/** Reads and lends the first packets of a tile that is in one part, or answers false where they cannot be told apart. */
async function lendLeading(source: ByteSource, { tile, parts }: TileRequest, leading: Leading): Promise<boolean> {
  const [part, second] = parts;
  if (!part || second) return false;
  const { head, packets, style, use, signal } = leading;
  const place = { url: source.url, tile, part };
  /** Bytes from the part's start that are wanted, 0 when it was lent, null when the packets cannot be told apart. */
  const attempt = async (bytes: Uint8Array): Promise<number | null> => {
    const header = readPartHeader(bytes, place);
    if (!header) return Math.min(part.length, 8 * bytes.length);
    checkPackets(header, bytes, style, place);
    if (!header.packets || header.irregular || packets > header.packets.length) return null;
    const end = header.packets.slice(0, packets).reduce((a, b) => a + b, header.bytes);
    if (end > bytes.length) return end;
    const body = bytes.subarray(header.bytes, end);
    const length = header.kept.reduce((sum, segment) => sum + segment.length, SOT_BYTES + 2 + body.length);
    await use([...head, sotOf(bytes, { length, index: 0, parts: 1 }), ...header.kept, SOD, body, EOC]);
    return 0;
  };
  let more: number | null = Math.min(part.length, HEAD_BYTES);
  while (more) more = await source.lend({ offset: part.offset, length: more }, attempt, signal);
  return more === 0;
}
