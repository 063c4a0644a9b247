// The boxes of a JP2 file (ITU-T T.800, annex I): where the codestream is, and what says where the picture lies on the ground.
import { FormatError, UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import type { ByteRange } from './store.js';

/** What of a JP2 file is used. */
export interface Jp2Boxes {
  codestream: ByteRange;
  /** The degenerate GeoTIFF of the GeoJP2 box, or null. */
  geoTiff: Uint8Array | null;
  /** The GML of the coverage, or null. */
  gml: string | null;
}

interface Box {
  type: string;
  /** Of the box, and of what it holds. */
  at: number;
  body: ByteRange;
}

/** "jP  ", CR LF 0x87 LF: the first box of every JP2 file. */
const SIGNATURE = [0x0000000c, 0x6a502020, 0x0d0a870a] as const;
/** GeoJP2's UUID, B14BF8BD-083D-4B43-A5AE-8CD7D5A6CE03. */
const GEO_UUID = [0xb14bf8bd, 0x083d4b43, 0xa5ae8cd7, 0xd5a6ce03] as const;
/** Boxes of a file, those inside of others too; files have about ten. */
const MAX_BOXES = 1024;
const MAX_DEPTH = 8;
const MAX_GEO_TIFF_BYTES = 2 ** 20;
const MAX_GML_BYTES = 4 * 2 ** 20;
/** Boxes of XML that are looked into. */
const MAX_XML_BOXES = 8;
const SYCC = 18;

/** True for what begins as a JP2 file or a bare codestream does. */
export async function isJpeg2000(source: ByteSource): Promise<boolean> {
  if (source.fileBytes < 12) return false;
  const view = await source.view({ offset: 0, length: 12 });
  return view.getUint32(0) === 0xff4fff51 || (view.getUint32(0) === SIGNATURE[0] && view.getUint32(4) === SIGNATURE[1]);
}

/** The boxes in a range, from their headers. */
async function* boxesIn(source: ByteSource, range: ByteRange, signal?: AbortSignal): AsyncGenerator<Box> {
  const { url } = source;
  const end = range.offset + range.length;
  for (let at = range.offset; at + 8 <= end; ) {
    const view = await source.view({ offset: at, length: Math.min(16, end - at) }, signal);
    const [short, code] = [view.getUint32(0), view.getUint32(4)];
    const type = String.fromCharCode(code >>> 24, (code >>> 16) & 255, (code >>> 8) & 255, code & 255);
    const headBytes = short === 1 ? 16 : 8;
    let bytes = short === 0 ? end - at : short;
    if (short === 1) bytes = view.byteLength < 16 ? 0 : Number(view.getBigUint64(8));
    if (bytes < headBytes) {
      throw new FormatError(`${url}: box ${JSON.stringify(type)} at byte ${at} has ${bytes} bytes`, { url });
    }
    // A codestream that is cut off is still read as far as it goes; nothing stands behind it.
    if (at + bytes > end && type !== 'jp2c') {
      throw new FormatError(
        `${url}: box ${JSON.stringify(type)} at byte ${at} ends at ${at + bytes}, behind byte ${end}: the file is cut off or corrupt`,
        { url },
      );
    }
    yield { type, at, body: { offset: at + headBytes, length: bytes - headBytes } };
    at += bytes;
  }
}

/** Refuses what would change the meaning of the samples: a palette, or luma and chroma. */
async function checkHeader(source: ByteSource, { type, body }: Box, signal?: AbortSignal): Promise<void> {
  const { url } = source;
  if (type === 'pclr') throw new UnsupportedError(`${url}: JPEG 2000 with a palette is not read`, { url });
  if (type !== 'colr' || body.length < 7) return;
  const view = await source.view({ offset: body.offset, length: 7 }, signal);
  if (view.getUint8(0) === 1 && view.getUint32(3) === SYCC) {
    throw new UnsupportedError(`${url}: JPEG 2000 in YCbCr is not read`, { url });
  }
}

async function bytesOf(source: ByteSource, range: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
  const view = await source.view(range, signal);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
}

async function geoTiffIn(source: ByteSource, { body }: Box, signal?: AbortSignal): Promise<Uint8Array | null> {
  if (body.length < 24 || body.length > MAX_GEO_TIFF_BYTES) return null;
  const view = await source.view({ offset: body.offset, length: 16 }, signal);
  if (GEO_UUID.some((word, i) => view.getUint32(4 * i) !== word)) return null;
  return bytesOf(source, { offset: body.offset + 16, length: body.length - 16 }, signal);
}

async function gmlIn(source: ByteSource, { body }: Box, signal?: AbortSignal): Promise<string | null> {
  if (body.length > MAX_GML_BYTES) return null;
  const text = new TextDecoder().decode(await bytesOf(source, body, signal));
  return /RectifiedGrid\b/.test(text) ? text : null;
}

/**
 * Reads the boxes of a JP2 file.
 *
 * @throws FormatError when it is none or has no codestream, UnsupportedError (by name) for colours that are not read
 */
export async function readBoxes(source: ByteSource, signal?: AbortSignal): Promise<Jp2Boxes> {
  const { url, fileBytes } = source;
  const found: { codestream: ByteRange | null } & Omit<Jp2Boxes, 'codestream'> = {
    codestream: null,
    geoTiff: null,
    gml: null,
  };
  let [count, nXml] = [0, 0];
  const walk = async (range: ByteRange, depth: number): Promise<void> => {
    for await (const box of boxesIn(source, range, signal)) {
      if (++count > MAX_BOXES) throw new FormatError(`${url}: more than ${MAX_BOXES} boxes`, { url });
      if ((box.type === 'jp2h' || box.type === 'asoc') && depth < MAX_DEPTH) await walk(box.body, depth + 1);
      else if (box.type === 'jp2c') found.codestream ??= box.body;
      else if (box.type === 'uuid') found.geoTiff ??= await geoTiffIn(source, box, signal);
      else if (box.type === 'xml ' && nXml++ < MAX_XML_BOXES) found.gml ??= await gmlIn(source, box, signal);
      else await checkHeader(source, box, signal);
      // The place on the ground may stand behind the codestream; what is known by then needs no look.
      if (found.codestream && (found.geoTiff || found.gml)) return;
    }
  };
  const view = await source.view({ offset: 0, length: 12 }, signal);
  if (SIGNATURE.some((word, i) => view.getUint32(4 * i) !== word)) {
    throw new FormatError(`${url}: the signature of JP2 at byte 0 is corrupt`, { url });
  }
  await walk({ offset: 0, length: fileBytes }, 0);
  if (!found.codestream) throw new FormatError(`${url}: no codestream (box jp2c) in ${fileBytes} bytes`, { url });
  return { ...found, codestream: found.codestream };
}
