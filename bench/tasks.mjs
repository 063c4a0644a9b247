// A set of tasks from many items: seconds and peak memory of save-tasks over a collection of Sentinel-2 over Australia, five years of it.
//   node bench/tasks.mjs [--quick] [--json FILE]
import { execFile } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seeded } from './random.mjs';

const child = fileURLToPath(new URL('./child/tasks.mjs', import.meta.url));
const folder = fileURLToPath(new URL('../build/bench/tasks', import.meta.url));
const run1 = promisify(execFile);

const BANDS = {
  B01: 60,
  B02: 10,
  B03: 10,
  B04: 10,
  B05: 20,
  B06: 20,
  B07: 20,
  B08: 10,
  B8A: 20,
  B11: 20,
  B12: 20,
  SCL: 20,
  AOT: 20,
};
const OPTIONS = {
  grid: 'au_30',
  frequency: 'annual',
  inputProducts: 's2_l2a',
  temporalRange: '2018--P5Y',
  datasetFilter: { 'eo:cloud_cover': [0, 99] },
};

/** An item of one scene of 110 km, as archives write them. */
function item(i, random) {
  const [col, row] = [Math.floor(random() * 38), Math.floor(random() * 30)];
  const [west, south] = [114 + col, -42 + row];
  const time = new Date(Date.UTC(2018, 0, 1) + Math.floor(random() * 5 * 365) * 86_400_000 + 3_600_000 * 1.5 + i);
  const zone = 50 + Math.floor(col / 6);
  const id = `S2A_${zone}K${String.fromCharCode(65 + (row % 20))}${String.fromCharCode(65 + (col % 20))}_${time.toISOString().slice(0, 10).replaceAll('-', '')}_${i}_L2A`;
  const base = `https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/${zone}/K/${row}/${time.getUTCFullYear()}/${id}`;
  const [left, top] = [300_000 + (col % 6) * 100_000, 10_000_000 - (30 - row) * 100_000];
  const assets = Object.entries(BANDS).map(([name, res]) => {
    const side = 109_800 / res;
    const asset = {
      href: `${base}/${name}.tif`,
      type: 'image/tiff; application=geotiff; profile=cloud-optimized',
      title: `Band ${name} of the scene, ${res} m`,
      roles: ['data', 'reflectance'],
      'eo:bands': [{ name, common_name: 'band', center_wavelength: 0.49, full_width_half_max: 0.098 }],
      'raster:bands': [
        {
          nodata: 0,
          data_type: name === 'SCL' ? 'uint8' : 'uint16',
          spatial_resolution: res,
          scale: 0.0001,
          offset: 0,
        },
      ],
      'proj:shape': [side, side],
      'proj:transform': [res, 0, left, 0, -res, top],
    };
    return [name, asset];
  });
  const ring = [
    [west, south],
    [west + 1.05, south + 0.02],
    [west + 1.04, south + 1.0],
    [west + 0.01, south + 0.98],
    [west, south],
  ];
  return {
    type: 'Feature',
    stac_version: '1.0.0',
    id,
    collection: 's2_l2a',
    geometry: { type: 'Polygon', coordinates: [ring] },
    bbox: [west, south, west + 1.05, south + 1],
    properties: {
      datetime: time.toISOString(),
      platform: 'sentinel-2a',
      constellation: 'sentinel-2',
      instruments: ['msi'],
      gsd: 10,
      'proj:epsg': 32_700 + zone,
      'eo:cloud_cover': Math.round(random() * 10_000) / 100,
      'view:sun_azimuth': random() * 360,
      'view:sun_elevation': random() * 90,
      's2:mgrs_tile': `${zone}K${row}${col}`,
      's2:processing_baseline': '02.09',
      's2:datastrip_id': `S2A_OPER_MSI_L2A_DS_EPAE_${i}_N02.09`,
      's2:nodata_pixel_percentage': random() * 100,
      's2:vegetation_percentage': random() * 100,
    },
    links: [{ rel: 'self', href: `${base}/${id}.json` }],
    assets: Object.fromEntries(assets),
  };
}

async function writeItems(path, count) {
  const random = seeded(5);
  const file = createWriteStream(path);
  const write = (text) => (file.write(text) ? null : new Promise((done) => file.once('drain', done)));
  await write('{"type":"FeatureCollection","features":[');
  for (let i = 0; i < count; i++) await write(`${i ? ',' : ''}\n${JSON.stringify(item(i, random))}`);
  await write(']}\n');
  await new Promise((done) => file.end(done));
}

export async function run({ quick }) {
  const count = quick ? 1000 : 100_000;
  mkdirSync(folder, { recursive: true });
  const [items, out] = [`${folder}/items.json`, `${folder}/set`];
  try {
    await writeItems(items, count);
    const { stdout } = await run1(process.execPath, [child, items, out, JSON.stringify(OPTIONS)], {
      maxBuffer: 1 << 24,
    });
    const { seconds, cpuSeconds, peakMiB, tasks, found } = JSON.parse(stdout.trim().split('\n').at(-1));
    if (found !== count) throw new Error(`${count} items are wanted, got ${found}`);
    const megabytes = Math.round(statSync(items).size / 1e6);
    const label = `${count} items (${megabytes} MB) → ${tasks} tasks`;
    if (quick) return { name: 'tasks', unit: 's', rows: [{ case: label, ours: seconds }] };
    return {
      name: 'tasks',
      unit: 's and MiB',
      rows: [
        { case: `${label}: seconds`, ours: seconds, gate: '≤ 60', aim: '≤ 30' },
        { case: `${label}: processor seconds`, ours: cpuSeconds },
        { case: `${label}: peak MiB`, ours: peakMiB, gate: '≤ 1024' },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
