// A finished tile as a dataset of Open Data Cube (eo3).
import type { Position } from 'geojson';
import { pixelToGround } from '../../geo/affine.js';
import type { Grid } from '../../geo/grid.js';
import { writeYaml, YamlFloat, YamlLine, YamlTime } from '../yaml.js';
import { sourceUuids, tileFileNames } from './tile-name.js';
import { odcCrs, productHref, tileLabel, tileProperties } from './tile-properties.js';
import type { TileResult } from './tile-result.js';

const SCHEMA = 'https://schemas.opendatacube.org/dataset';
const SPACED = ['label', 'crs', 'properties', 'measurements', 'accessories', 'lineage'];

type Nested = readonly (number | Nested)[];

const floats = (list: Nested): unknown[] =>
  list.map((one) => (typeof one === 'number' ? new YamlFloat(one) : floats(one)));

/** All of a grid, as a ring of its CRS. */
function gridRing({ affine, width, height }: Grid): Position[] {
  const corners = [
    [0, 0],
    [0, height],
    [width, height],
    [width, 0],
    [0, 0],
  ] as const;
  return corners.map(([col, row]) => pixelToGround(affine, col, row));
}

/** Where the valid data is, in the grid's CRS; the whole tile where there is none. */
function geometryOf({ footprint, grid }: TileResult): object {
  const [only = [gridRing(grid)], ...others] = footprint;
  const [type, coordinates] = others.length === 0 ? ['Polygon', only] : ['MultiPolygon', footprint];
  return { type, coordinates: new YamlLine(floats(coordinates as Nested)) };
}

function propertiesOf(result: TileResult): Record<string, unknown> {
  const typed = Object.entries(tileProperties(result)).map(([name, value]) => {
    if (typeof value === 'string' && /datetime$/.test(name)) return [name, new YamlTime(value)];
    if (typeof value === 'number' && name === 'eo:gsd') return [name, new YamlFloat(value)];
    return [name, value];
  });
  return Object.fromEntries(typed);
}

function accessoriesOf({ title, files }: TileResult): Record<string, { path: string }> {
  const names = tileFileNames(title);
  const pictures = (['thumbnail', 'rgba'] as const).flatMap((kind) => files.filter((file) => file.kind === kind));
  return {
    ...Object.fromEntries(pictures.map(({ key, name }) => [key, { path: name }])),
    'checksum:sha1': { path: names.sha1 },
    'metadata:processor': { path: names.record },
  };
}

/** A tile as `.odc-metadata.yaml`, as eodatasets3 writes it. */
export function tileDataset(result: TileResult): Promise<string> {
  const { uuid, product, grid, files, task } = result;
  const [a, b, c, d, e, f] = grid.affine;
  const bands = files.filter(({ kind }) => kind === 'band').map(({ key, name }) => [key, { path: name }] as const);
  const document = {
    $schema: SCHEMA,
    id: uuid,
    label: tileLabel(result),
    product: { name: product.name, href: productHref(product) },
    crs: odcCrs(grid.crs).replace(/^EPSG:/, 'epsg:'),
    geometry: geometryOf(result),
    grids: {
      default: {
        shape: new YamlLine([grid.height, grid.width]),
        transform: new YamlLine(floats([a, b, c, d, e, f, 0, 0, 1])),
      },
    },
    properties: propertiesOf(result),
    measurements: Object.fromEntries(bands.sort(([one], [other]) => (one < other ? -1 : 1))),
    accessories: accessoriesOf(result),
    lineage: { [product.classifier]: sourceUuids(task.scenes) },
  };
  return writeYaml(document, { comment: 'Dataset', spaced: SPACED });
}
