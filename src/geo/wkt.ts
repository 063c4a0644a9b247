import { FormatError } from '../errors.js';
import {
  type Ellipsoid,
  ellipsoidOfGeographic,
  geographicOfDatum,
  type ParameterName,
  type Projection,
  plain,
} from './projection.js';

/** WKT as a tree: KEYWORD[arguments…]. */
interface Node {
  keyword: string;
  args: (string | number | Node)[];
}

const MAX_WKT = 65_536;
const MAX_DEPTH = 32;

function parseTree(text: string): Node {
  if (text.length > MAX_WKT) throw new FormatError(`WKT of ${text.length} characters: the limit is ${MAX_WKT}`);
  const tokens = text.match(/"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[[\](),]/g) ?? [];
  let at = 0;
  const broken = () => new FormatError(`broken WKT: ${text.slice(0, 60)}…`);
  function node(depth: number): Node {
    const keyword = tokens[at++];
    const bracket = tokens[at++];
    if (!keyword || !/^[A-Za-z_]/.test(keyword) || (bracket !== '[' && bracket !== '(') || depth > MAX_DEPTH)
      throw broken();
    const args: Node['args'] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined) throw broken();
      if (token === ']' || token === ')') {
        at++;
        return { keyword: keyword.toUpperCase(), args };
      }
      if (token === ',') at++;
      else if (token.startsWith('"')) {
        args.push(token.slice(1, -1).replaceAll('""', '"'));
        at++;
      } else if (/^[A-Za-z_]/.test(token)) {
        if (tokens[at + 1] === '[' || tokens[at + 1] === '(') args.push(node(depth + 1));
        else args.push(tokens[at++]!); // an enumeration: AXIS["x",EAST], CS[Cartesian,2]
      } else {
        args.push(Number(token));
        at++;
      }
    }
  }
  return node(0);
}

const isNode = (arg: Node['args'][number]): arg is Node => typeof arg === 'object';
const children = (node: Node, ...keywords: string[]) =>
  node.args.filter(isNode).filter((n) => keywords.includes(n.keyword));
const child = (node: Node | undefined, ...keywords: string[]) => (node ? children(node, ...keywords)[0] : undefined);
const numberAt = (node: Node | undefined, index: number) =>
  typeof node?.args[index] === 'number' ? (node.args[index] as number) : null;

/** PROJ's method by the names of WKT 1, WKT 2 and Esri, normalised by `plain`. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['transversemercator', 'tmerc'],
  ['gausskruger', 'tmerc'],
  ['albersconicequalarea', 'aea'],
  ['albersequalarea', 'aea'],
  ['albers', 'aea'],
  ['lambertconformalconic2sp', 'lcc'],
  ['lambertconicconformal2sp', 'lcc'],
  ['lambertconformalconic1sp', 'lcc'],
  ['lambertconicconformal1sp', 'lcc'],
  ['lambertconformalconic', 'lcc'],
  ['lambertazimuthalequalarea', 'laea'],
  ['polarstereographic', 'stere'],
  ['polarstereographicvarianta', 'stere'],
  ['polarstereographicvariantb', 'stere'],
  ['stereographicnorthpole', 'stere'],
  ['stereographicsouthpole', 'stere'],
  ['mercator1sp', 'merc'],
  ['mercator2sp', 'merc'],
  ['mercatorvarianta', 'merc'],
  ['mercatorvariantb', 'merc'],
  ['mercator', 'merc'],
  ['popularvisualisationpseudomercator', 'webmerc'],
  ['mercatorauxiliarysphere', 'webmerc'],
  ['sinusoidal', 'sinu'],
  ['equirectangular', 'eqc'],
  ['equidistantcylindrical', 'eqc'],
  ['platecarree', 'eqc'],
  ['cylindricalequalarea', 'cea'],
  ['lambertcylindricalequalarea', 'cea'],
  ['equidistantconic', 'eqdc'],
]);

const PARAMETERS: ReadonlyMap<string, ParameterName> = new Map([
  ['latitudeoforigin', 'lat_0'],
  ['latitudeofnaturalorigin', 'lat_0'],
  ['latitudeofcenter', 'lat_0'],
  ['latitudeofcentre', 'lat_0'],
  ['latitudeoffalseorigin', 'lat_0'],
  ['centralmeridian', 'lon_0'],
  ['longitudeofnaturalorigin', 'lon_0'],
  ['longitudeofcenter', 'lon_0'],
  ['longitudeofcentre', 'lon_0'],
  ['longitudeoforigin', 'lon_0'],
  ['longitudeoffalseorigin', 'lon_0'],
  ['straightverticallongitudefrompole', 'lon_0'],
  ['standardparallel1', 'lat_1'],
  ['latitudeof1ststandardparallel', 'lat_1'],
  ['standardparallel2', 'lat_2'],
  ['latitudeof2ndstandardparallel', 'lat_2'],
  ['latitudeofstandardparallel', 'lat_ts'],
  ['scalefactor', 'k_0'],
  ['scalefactoratnaturalorigin', 'k_0'],
  ['falseeasting', 'x_0'],
  ['eastingatfalseorigin', 'x_0'],
  ['falsenorthing', 'y_0'],
  ['northingatfalseorigin', 'y_0'],
]);

/** Brings the parameters of WKT's methods to PROJ's: which latitude is which depends on the method. Null when one is unknown. */
function toProj(methodName: string, given: ReadonlyMap<string, number>, ellipsoid: Ellipsoid) {
  const method = METHODS.get(plain(methodName));
  if (!method) return null;
  const p: Projection['parameters'] = {};
  for (const [name, value] of given) {
    const key = PARAMETERS.get(plain(name));
    if (key) p[key] = value;
    else if (value !== 0) return null; // Auxiliary_Sphere_Type and the like
  }
  const move = (from: ParameterName, to: ParameterName) => {
    if (p[from] === undefined) return;
    p[to] = p[from];
    delete p[from];
  };
  if (method === 'webmerc')
    return {
      method: 'merc',
      parameters: { x_0: 0, y_0: 0, ...p, lat_0: 0, k_0: 1 },
      ellipsoid: { a: ellipsoid.a, rf: 0 },
    };
  if (method === 'merc' || method === 'eqc' || method === 'cea') move('lat_1', 'lat_ts');
  if (method === 'lcc' && p.lat_1 === undefined) p.lat_1 = p.lat_0 ?? 0;
  if (method === 'stere') {
    // WKT 1 writes the latitude of true scale as the latitude of origin; at the pole itself it is the origin.
    move('lat_1', 'lat_ts');
    const scaleAt = p.lat_ts ?? p.lat_0 ?? 90;
    const pole = scaleAt < 0 ? -90 : 90;
    p.lat_0 = pole;
    if (scaleAt === pole) delete p.lat_ts;
    else p.lat_ts = scaleAt;
  }
  return { method, parameters: p, ellipsoid };
}

interface Geographic {
  ellipsoid: Ellipsoid;
  geographicEpsg: number | null;
  unitDegrees: number;
}

const RADIAN = 180 / Math.PI;

/** EPSG code in AUTHORITY["EPSG","4326"] or ID["EPSG",4326]. */
function epsgOf(node: Node | undefined): number | null {
  const id = child(node, 'AUTHORITY', 'ID');
  if (String(id?.args[0]).toUpperCase() !== 'EPSG') return null;
  const code = Number(id?.args[1]);
  return Number.isInteger(code) ? code : null;
}

function geographicOf(node: Node): Geographic | null {
  const datum = child(node, 'DATUM', 'GEODETICDATUM', 'TRF', 'ENSEMBLE');
  const shape = child(datum, 'SPHEROID', 'ELLIPSOID');
  const a = numberAt(shape, 1);
  const rf = numberAt(shape, 2);
  const meridian = numberAt(child(node, 'PRIMEM', 'PRIMEMERIDIAN'), 1) ?? 0;
  if (a === null || rf === null || meridian !== 0) return null;
  const named = geographicOfDatum(String(datum?.args[0] ?? ''));
  const unit = numberAt(child(node, 'UNIT', 'ANGLEUNIT'), 1);
  const code = epsgOf(node);
  const known = code !== null && ellipsoidOfGeographic(code) ? code : null;
  return {
    ellipsoid: { a, rf },
    geographicEpsg: known ?? named,
    unitDegrees: unit === null ? 1 : snapped(unit * RADIAN),
  };
}

/** 0.0174532925199433 × 180 / π is not quite 1. */
function snapped(factor: number): number {
  return Math.abs(factor - 1) < 1e-9 ? 1 : factor;
}

function projectedOf(node: Node, base: Node, conversion: Node): Projection | null {
  const geographic = geographicOf(base);
  if (!geographic) return null;
  const unitMetres = numberAt(child(node, 'UNIT', 'LENGTHUNIT') ?? child(child(node, 'AXIS'), 'LENGTHUNIT'), 1) ?? 1;
  const values = new Map<string, number>();
  for (const parameter of children(conversion, 'PARAMETER')) {
    const value = numberAt(parameter, 1);
    if (value === null) return null;
    const name = String(parameter.args[0]);
    const key = PARAMETERS.get(plain(name));
    const unit = numberAt(child(parameter, 'ANGLEUNIT', 'LENGTHUNIT', 'SCALEUNIT', 'UNIT'), 1);
    const angle = unit === null ? geographic.unitDegrees : snapped(unit * RADIAN);
    const factor = key === 'k_0' ? 1 : key === 'x_0' || key === 'y_0' ? (unit ?? unitMetres) : angle;
    values.set(name, value * factor);
  }
  const method = child(conversion, 'METHOD', 'PROJECTION')?.args[0];
  const found = toProj(String(method ?? ''), values, geographic.ellipsoid);
  return found && { ...found, geographicEpsg: geographic.geographicEpsg, unitMetres };
}

/** What a WKT 1 or 2 text says: its own EPSG code if it has one, and the projection if its method is known here. */
export function readWkt(text: string): { epsg: number | null; name: string; projection: Projection | null } {
  let node = parseTree(text);
  for (;;) {
    const inner = ['BOUNDCRS', 'SOURCECRS', 'COMPD_CS', 'COMPOUNDCRS'].includes(node.keyword) && node.args.find(isNode);
    if (!inner) break;
    node = inner;
  }
  const name = String(node.args[0] ?? '');
  const epsg = epsgOf(node);
  if (['PROJCS', 'PROJCRS', 'PROJECTEDCRS'].includes(node.keyword)) {
    const base = child(node, 'GEOGCS', 'BASEGEOGCRS', 'BASEGEODCRS');
    const conversion = child(node, 'CONVERSION') ?? node;
    return { epsg, name, projection: base ? projectedOf(node, base, conversion) : null };
  }
  if (['GEOGCS', 'GEOGCRS', 'GEOGRAPHICCRS', 'GEODCRS', 'GEODETICCRS'].includes(node.keyword)) {
    const geographic = geographicOf(node);
    if (geographic?.unitDegrees !== 1) return { epsg, name, projection: null };
    const { ellipsoid, geographicEpsg } = geographic;
    return { epsg, name, projection: { method: 'longlat', parameters: {}, ellipsoid, geographicEpsg, unitMetres: 1 } };
  }
  throw new FormatError(`WKT of a kind that is no map's CRS: ${node.keyword}`);
}
