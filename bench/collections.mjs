// Collections that the benches run on, made once and kept in build/bench: simulated scenes, and the same scenes on a grid as large
// as a Sentinel-2 tile whose files repeat a few compressed tiles, so that a continent's worth of pixels fits on a laptop.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simulateScenes } from '../build/app/simulate.js';
import { crsToLonLat, lonLatToCrs, parseCrs } from '../build/geo/crs.js';

const home = fileURLToPath(new URL('../build/bench/', import.meta.url));

/** A simulated collection, made at first use. Returns the path of its collection.json. */
export async function collection(name, options) {
  const folder = join(home, name);
  const path = join(folder, 'collection.json');
  if (!existsSync(path)) {
    mkdirSync(home, { recursive: true });
    await simulateScenes(`${folder}.making`, { overviews: false, ...options });
    renameSync(`${folder}.making`, folder);
  }
  return path;
}

const TYPE_BYTES = { 1: 1, 2: 1, 3: 2, 4: 4, 12: 8, 16: 8 };

/** Tags of a little-endian classic TIFF with one directory, values as bytes. */
function readTags(file) {
  const at = file.readUInt32LE(4);
  return Array.from({ length: file.readUInt16LE(at) }, (_, i) => {
    const entry = at + 2 + i * 12;
    const [id, type, count] = [file.readUInt16LE(entry), file.readUInt16LE(entry + 2), file.readUInt32LE(entry + 4)];
    const bytes = count * TYPE_BYTES[type];
    const from = bytes <= 4 ? entry + 8 : file.readUInt32LE(entry + 8);
    return { id, type, count, value: file.subarray(from, from + bytes) };
  });
}

const longs = (values) => {
  const out = Buffer.alloc(values.length * 4);
  for (const [i, v] of values.entries()) out.writeUInt32LE(v, i * 4);
  return out;
};

/** The same image repeated over `width` × `height` px: the tile lists name each compressed tile many times. */
function repeatTiff(file, { width, height }) {
  const tags = readTags(file);
  const tag = (id) => tags.find((t) => t.id === id);
  const number = (t) => (t.type === 3 ? t.value.readUInt16LE(0) : t.value.readUInt32LE(0));
  const list = (t) =>
    Array.from({ length: t.count }, (_, i) =>
      t.type === 3 ? t.value.readUInt16LE(i * 2) : t.value.readUInt32LE(i * 4),
    );
  const size = number(tag(322));
  const [across, down] = [Math.ceil(number(tag(256)) / size), Math.ceil(number(tag(257)) / size)];
  const [offsets, counts] = [list(tag(324)), list(tag(325))];
  const body = 8;
  const stored = offsets.map((o, i) => file.subarray(o, o + counts[i]));
  const starts = [];
  let end = body;
  for (const tile of stored) {
    starts.push(end);
    end += tile.length + (tile.length & 1);
  }
  const order = [];
  for (let row = 0; row < Math.ceil(height / size); row++) {
    for (let col = 0; col < Math.ceil(width / size); col++) order.push((row % down) * across + (col % across));
  }
  const set = (id, value) => Object.assign(tag(id), { type: 4, count: value.length / 4, value });
  set(256, longs([width]));
  set(257, longs([height]));
  set(324, longs(order.map((i) => starts[i])));
  set(325, longs(order.map((i) => stored[i].length)));
  const directory = Buffer.alloc(2 + tags.length * 12 + 4);
  directory.writeUInt16LE(tags.length, 0);
  const tail = [];
  let at = end + directory.length;
  for (const [i, { id, type, count, value }] of tags.entries()) {
    const entry = 2 + i * 12;
    directory.writeUInt16LE(id, entry);
    directory.writeUInt16LE(type, entry + 2);
    directory.writeUInt32LE(count, entry + 4);
    if (value.length <= 4) value.copy(directory, entry + 8);
    else {
      directory.writeUInt32LE(at, entry + 8);
      const padded = Buffer.concat([value, Buffer.alloc(value.length & 1)]);
      tail.push(padded);
      at += padded.length;
    }
  }
  const head = Buffer.alloc(8);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(end, 4);
  const tiles = stored.flatMap((tile) => [tile, Buffer.alloc(tile.length & 1)]);
  return Buffer.concat([head, ...tiles, directory, ...tail]);
}

/** A collection stretched to a grid of `size` px of 10 m. Returns the path of its items. */
export function stretched(name, from, size) {
  const folder = join(home, name);
  const path = join(folder, 'items.json');
  if (existsSync(path)) return path;
  const origin = join(from, '..');
  const features = [];
  for (const id of readdirSync(origin).filter((entry) => existsSync(join(origin, entry, `${entry}.json`)))) {
    const item = JSON.parse(readFileSync(join(origin, id, `${id}.json`), 'utf8'));
    mkdirSync(join(folder, id), { recursive: true });
    for (const asset of Object.values(item.assets)) {
      const px = size / (asset['proj:transform'][0] / 10);
      asset['proj:shape'] = [px, px];
      const file = asset.href.replace('./', '');
      writeFileSync(
        join(folder, id, file),
        repeatTiff(readFileSync(join(origin, id, file)), { width: px, height: px }),
      );
      asset.href = `./${id}/${file}`;
    }
    features.push({ ...item, links: [] });
  }
  writeFileSync(path, JSON.stringify({ type: 'FeatureCollection', features }));
  return path;
}

/** Puts the files of an item of `items` (a collection of `size` px of 10 m in zone 31) into zone 32, their middle where it was. */
export async function inZone(items, item, size) {
  const [toDegrees, toZone] = [await crsToLonLat(parseCrs('EPSG:32631')), await lonLatToCrs(parseCrs('EPSG:32632'))];
  for (const asset of Object.values(item.assets)) {
    const [res, , west, , , north] = asset['proj:transform'];
    const [x, y] = toZone(...toDegrees(west + size * 5, north - size * 5));
    const [left, top] = [Math.round(x / res) * res - size * 5, Math.round(y / res) * res + size * 5];
    const file = Buffer.from(readFileSync(join(items, '..', asset.href)));
    for (const { id, value } of readTags(file)) {
      if (id === 33922) {
        value.writeDoubleLE(left, 24);
        value.writeDoubleLE(top, 32);
      }
      // Keys are four shorts each: the projected system is 3072.
      if (id === 34735)
        for (let at = 8; at < value.length; at += 8)
          if (value.readUInt16LE(at) === 3072) value.writeUInt16LE(32632, at + 6);
    }
    asset.href = asset.href.replace(/\.tif$/, '-z32.tif');
    writeFileSync(join(items, '..', asset.href), file);
    asset['proj:transform'] = [res, 0, left, 0, -res, top];
  }
  item.properties['proj:code'] = 'EPSG:32632';
}
