import type { SampleArray } from './raster.js';

/** Decoded tiles by key, each a plane a band; the least lately used go first. */
export interface TileCache {
  get(key: string): readonly SampleArray[] | undefined;
  set(key: string, planes: readonly SampleArray[]): void;
  /** Drops the tiles whose key begins so. */
  forget(prefix: string): void;
}

/** A cache of at most `maxBytes`; what is larger by itself is not kept. */
export function tileCache(maxBytes: number): TileCache {
  const tiles = new Map<string, readonly SampleArray[]>();
  let bytes = 0;
  const bytesOf = (planes: readonly SampleArray[]) => planes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const drop = (key: string): void => {
    const planes = tiles.get(key);
    if (!planes) return;
    bytes -= bytesOf(planes);
    tiles.delete(key);
  };
  return {
    get(key) {
      const planes = tiles.get(key);
      if (!planes) return undefined;
      tiles.delete(key);
      tiles.set(key, planes);
      return planes;
    },
    set(key, planes) {
      drop(key);
      const own = bytesOf(planes);
      if (own > maxBytes) return;
      tiles.set(key, planes);
      bytes += own;
      for (const oldest of tiles.keys()) {
        if (bytes <= maxBytes) return;
        drop(oldest);
      }
    },
    forget(prefix) {
      for (const key of tiles.keys()) if (key.startsWith(prefix)) drop(key);
    },
  };
}
