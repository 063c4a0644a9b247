import { openByteSource } from './byte-source.js';
import { tileIndex } from './codestream-index.js';
import { hasPacketLengths } from './codestream-part.js';
import { readJp2Headers } from './jp2-header.js';
import type { Store } from './store.js';

/** How a JPEG 2000 file is laid out, for people who ask why it is slow. */
export interface Jp2Description {
  compression: string;
  tiled: boolean;
  /** Across and down. */
  tiles: [number, number];
  progression: string;
  layers: number;
  /** px */
  codeBlock: [number, number];
  /** px, from the finest resolution on, each size once. */
  precincts: string;
  /** TLM where the main header says where the tiles are; else they are found one after the other. */
  tileIndex: 'TLM' | 'none';
  /** Whether a reduced resolution can be read with fewer bytes (PLT). */
  packetLengths: boolean;
  notCogBecause: string;
}

/** Precincts of 2¹⁵ px are one for the whole tile. */
const WHOLE = 15;

/** The layout of a JP2 file or codestream. */
export async function describeJp2(
  url: string,
  { store, signal }: { store: Store; signal?: AbortSignal },
): Promise<Jp2Description> {
  const source = await openByteSource(url, store, signal);
  const { boxed, codestream } = await readJp2Headers(source, signal);
  const { coding, frame } = codestream;
  const { reversible, progression, layers, blockWidth, blockHeight, precincts } = coding;
  const index = tileIndex(source, codestream);
  const [first] = await index.partsOf(0, signal);
  const sizes = [...precincts]
    .reverse()
    .map(([x, y]) => (x === WHOLE && y === WHOLE ? 'whole' : `${2 ** x} × ${2 ** y}`));
  return {
    compression: `JPEG 2000${boxed ? '' : ' codestream'}, ${reversible ? 'reversible 5/3' : 'irreversible 9/7'}`,
    tiled: true,
    tiles: [frame.tilesAcross, frame.tilesDown],
    progression,
    layers,
    codeBlock: [blockWidth, blockHeight],
    precincts: [...new Set(sizes)].join(', '),
    tileIndex: index.indexed ? 'TLM' : 'none',
    packetLengths: await hasPacketLengths(source, first!, signal),
    notCogBecause: 'it is JPEG 2000',
  };
}
