import { describeCrs } from '../geo/crs.js';
import { gridBounds } from '../geo/grid.js';
import { describeJp2 } from '../io/jp2-description.js';
import { openRaster } from '../io/open-raster.js';
import type { Scene } from '../io/scene.js';
import { readScenes } from '../io/stac.js';
import { storeFor } from '../io/stores.js';
import { describeTiff } from '../io/tiff-description.js';
import { formatBytes } from '../limit.js';

/** Facts in reading order; nulls are known to be absent. JSON as it stands. */
export type Description = Readonly<Record<string, unknown>>;

const RASTER = /\.(tiff?|jp2|j2k|j2c|jpc|jpx)$/i;
/** NaN is no JSON. */
const jsonNumber = (value: number | null) => (value !== null && !Number.isFinite(value) ? String(value) : value);

async function describeRaster(url: string, signal?: AbortSignal): Promise<Description> {
  const options = { store: storeFor(url), ...(signal && { signal }) };
  const raster = await openRaster(url, options);
  try {
    const { grid, width, height, bands, levels, fileBytes, codec } = raster.header;
    const layout = await (codec ? describeJp2(url, options) : describeTiff(url, options));
    const { tiled, notCogBecause, ...facts } = layout;
    const { tileWidth, tileHeight, planar } = levels[0]!;
    return {
      kind: 'raster',
      url,
      width,
      height,
      bands: bands.map(({ name, dtype, nodata, scale, offset }) => ({
        name,
        dtype,
        nodata: jsonNumber(nodata),
        scale,
        offset,
      })),
      crs: grid && describeCrs(grid.crs),
      affine: grid?.affine ?? null,
      bounds: grid && gridBounds(grid),
      tile: { width: tileWidth, height: tileHeight, tiled, interleave: planar ? 'band' : 'pixel' },
      ...facts,
      overviews: levels.slice(1).map((level) => [level.width, level.height]),
      bytes: fileBytes,
      cog: notCogBecause === null,
      notCogBecause,
    };
  } finally {
    await raster.close();
  }
}

function unique<T>(values: readonly (T | null)[]): T[] {
  return [...new Set(values.filter((value) => value !== null))];
}

function range(values: readonly (number | null)[]): [number, number] | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]) : null;
}

/** What scenes have in common, and between what they range. */
export function describeScenes(url: string, scenes: readonly Scene[]): Description {
  const times = range(scenes.map(({ timeMs }) => timeMs));
  const counts = new Map<string, number>();
  for (const { bands } of scenes) for (const name of Object.keys(bands)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const details = [...counts].map(([name, count]) => {
    const band = scenes.find(({ bands }) => bands[name])!.bands[name]!;
    const { commonName, dtype, scale, offset, grid } = band;
    const nodata = band.nodata === undefined ? null : jsonNumber(band.nodata);
    return {
      name,
      commonName,
      scenes: count,
      dtype,
      nodata,
      scale,
      offset,
      resolution: grid && Math.abs(grid.affine[0]),
    };
  });
  const only = scenes.length === 1 ? scenes[0]! : null;
  return {
    kind: only ? 'scene' : 'scenes',
    url,
    ...(only
      ? { id: only.id }
      : { count: scenes.length, first: scenes[0]?.id ?? null, last: scenes.at(-1)?.id ?? null }),
    collections: unique(scenes.map(({ collection }) => collection)),
    platforms: unique(scenes.map(({ platform }) => platform)),
    time: times?.map((ms) => new Date(ms).toISOString()),
    crs: unique(scenes.map(({ crs }) => crs && describeCrs(crs))),
    cloudCoverPercent: range(scenes.map(({ cloudCoverPercent }) => cloudCoverPercent)),
    bands: details,
  };
}

/** What there is to know of a raster, an item, or any collection of scenes. */
export async function describeSource(url: string, { signal }: { signal?: AbortSignal } = {}): Promise<Description> {
  if (RASTER.test(url.replace(/[?#].*$/, '')) && !/[*?[{]/.test(url)) return describeRaster(url, signal);
  const scenes = await readScenes(url, { store: storeFor(url), ...(signal && { signal }) });
  return describeScenes(url, scenes);
}

const LABELS: Record<string, string> = {
  notCogBecause: 'no COG because',
  cloudCoverPercent: 'cloud cover %',
  byteOrder: 'byte order',
  bigTiff: 'BigTIFF',
  codeBlock: 'code block',
  tileIndex: 'tile index',
  packetLengths: 'packet lengths',
  cog: 'COG',
  crs: 'CRS',
};

function shownBand(band: Description): string {
  const facts = Object.entries(band).filter(([key, value]) => key !== 'name' && value !== null);
  const plain = facts.filter(([key, value]) => !(key === 'scale' && value === 1) && !(key === 'offset' && value === 0));
  return `${String(band.name ?? '').padEnd(10)} ${plain.map(([key, value]) => (key === 'dtype' ? value : `${key} ${value}`)).join(', ')}`;
}

function shown(key: string, value: unknown): string {
  if (value === null) return key === 'crs' ? 'unknown' : 'none';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (key === 'bytes') return formatBytes(value as number);
  if (key === 'tiles' || key === 'codeBlock') return (value as number[]).join(' × ');
  if (key === 'overviews') return (value as number[][]).map((size) => size.join(' × ')).join(', ') || 'none';
  if (key === 'time' || key === 'cloudCoverPercent') return [...new Set(value as unknown[])].join(' to ');
  if (key === 'tile') {
    const { width, height, tiled, interleave } = value as Record<string, unknown>;
    return `${width} × ${height}${tiled ? '' : ' (strips)'}, ${interleave}-interleaved`;
  }
  if (key === 'bounds')
    return Object.entries(value as object)
      .map(([side, at]) => `${side} ${at}`)
      .join(', ');
  return Array.isArray(value) ? value.join(', ') || 'none' : String(value);
}

/** A description for people: a line a fact, a line a band. */
export function formatDescription(description: Description): string {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(description)) {
    if (key === 'notCogBecause' && value === null) continue;
    const label = (LABELS[key] ?? key).padEnd(15);
    if (key === 'bands') {
      const bands = value as Description[];
      lines.push(
        `${label} ${bands.length}`,
        ...bands.map((band, i) => `  ${String(i + 1).padStart(3)}  ${shownBand(band)}`),
      );
    } else lines.push(`${label} ${shown(key, value)}`);
  }
  return `${lines.join('\n')}\n`;
}
