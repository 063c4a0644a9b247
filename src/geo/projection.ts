/** An ellipsoid; `rf` is the inverse flattening, 0 for a sphere. */
export interface Ellipsoid {
  /** m */
  a: number;
  rf: number;
}

/** Parameters by PROJ's names: degrees, metres, and a plain factor for k_0. */
export type ParameterName = 'lat_0' | 'lon_0' | 'lat_1' | 'lat_2' | 'lat_ts' | 'k_0' | 'x_0' | 'y_0';

/** What a projected or geographic CRS computes, whatever notation it came in: WKT, GeoKeys, PROJ string or EPSG code. */
export interface Projection {
  /** PROJ's name of the method; `longlat` for a geographic CRS. UTM is `tmerc`. */
  method: string;
  parameters: Partial<Record<ParameterName, number>>;
  ellipsoid: Ellipsoid;
  /** EPSG code of the geographic CRS (4326, 4269, …), or null when only the ellipsoid is known. */
  geographicEpsg: number | null;
  /** m in one unit of the coordinates; 1 for geographic ones. */
  unitMetres: number;
}

export const WGS84: Ellipsoid = { a: 6378137, rf: 298.257223563 };
export const GRS80: Ellipsoid = { a: 6378137, rf: 298.257222101 };

const BESSEL: Ellipsoid = { a: 6377397.155, rf: 299.1528128 };
const CLARKE66: Ellipsoid = { a: 6378206.4, rf: 294.9786982138982 };
const INTERNATIONAL: Ellipsoid = { a: 6378388, rf: 297 };
const AIRY: Ellipsoid = { a: 6377563.396, rf: 299.3249646 };
const KRASSOWSKY: Ellipsoid = { a: 6378245, rf: 298.3 };
const WGS72: Ellipsoid = { a: 6378135, rf: 298.26 };

const ELLIPSOIDS: Readonly<Record<string, Ellipsoid>> = {
  WGS84,
  GRS80,
  bessel: BESSEL,
  clrk66: CLARKE66,
  intl: INTERNATIONAL,
  airy: AIRY,
  krass: KRASSOWSKY,
  WGS72,
  sphere: { a: 6370997, rf: 0 },
};

/** Ellipsoids by EPSG code (GeoKey 2056). */
export const ELLIPSOID_BY_EPSG: ReadonlyMap<number, Ellipsoid> = new Map([
  [7030, WGS84],
  [7019, GRS80],
  [7004, BESSEL],
  [7008, CLARKE66],
  [7022, INTERNATIONAL],
  [7001, AIRY],
  [7024, KRASSOWSKY],
  [7043, WGS72],
  [7048, { a: 6371007, rf: 0 }],
]);

/** Geographic CRSs by EPSG code: the ellipsoid and the datum's names in WKT, normalised by {@link plain}. */
const GEOGRAPHIC: ReadonlyMap<number, { ellipsoid: Ellipsoid; datums: readonly string[] }> = new Map([
  [
    4326,
    { ellipsoid: WGS84, datums: ['wgs1984', 'worldgeodeticsystem1984', 'worldgeodeticsystem1984ensemble', 'wgs84'] },
  ],
  [4269, { ellipsoid: GRS80, datums: ['northamericandatum1983', 'northamerican1983'] }],
  [
    4258,
    {
      ellipsoid: GRS80,
      datums: ['europeanterrestrialreferencesystem1989', 'europeanterrestrialreferencesystem1989ensemble', 'etrs1989'],
    },
  ],
  [4283, { ellipsoid: GRS80, datums: ['geocentricdatumofaustralia1994', 'gda1994'] }],
  [7844, { ellipsoid: GRS80, datums: ['geocentricdatumofaustralia2020', 'gda2020'] }],
  [4167, { ellipsoid: GRS80, datums: ['newzealandgeodeticdatum2000', 'nzgd2000'] }],
  [4674, { ellipsoid: GRS80, datums: ['sistemadereferenciageocentricoparalasamericas2000', 'sirgas2000'] }],
  [4267, { ellipsoid: CLARKE66, datums: ['northamericandatum1927', 'northamerican1927'] }],
  [4230, { ellipsoid: INTERNATIONAL, datums: ['europeandatum1950', 'european1950'] }],
  [4277, { ellipsoid: AIRY, datums: ['osgb1936', 'ordnancesurveyofgreatbritain1936'] }],
  [4314, { ellipsoid: BESSEL, datums: ['deutscheshauptdreiecksnetz'] }],
  [4322, { ellipsoid: WGS72, datums: ['worldgeodeticsystem1972', 'wgs1972'] }],
]);

/** Lower case letters and digits only, without the `D_` of Esri's datums. */
export function plain(name: string): string {
  return name
    .replace(/^D_/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

export function geographicOfDatum(name: string): number | null {
  const wanted = plain(name);
  for (const [epsg, { datums }] of GEOGRAPHIC) if (datums.includes(wanted)) return epsg;
  return null;
}

export function ellipsoidOfGeographic(epsg: number): Ellipsoid | null {
  return GEOGRAPHIC.get(epsg)?.ellipsoid ?? null;
}

const UNIT_METRES: Readonly<Record<string, number>> = { m: 1, km: 1000, ft: 0.3048, 'us-ft': 1200 / 3937 };
const DATUMS: Readonly<Record<string, number>> = { WGS84: 4326, NAD83: 4269, NAD27: 4267 };
/** What else a PROJ string may say without changing what is computed here. */
const IGNORED = new Set([
  'no_defs',
  'type',
  'wktext',
  'over',
  'title',
  'nadgrids',
  'towgs84',
  'axis',
  'vunits',
  'geoidgrids',
]);
const PARAMETERS: readonly ParameterName[] = ['lat_0', 'lon_0', 'lat_1', 'lat_2', 'lat_ts', 'k_0', 'x_0', 'y_0'];

/** UTM as transverse Mercator. `zone` 1–60. */
export function utm(zone: number, south: boolean, geographicEpsg = 4326): Projection {
  return {
    method: 'tmerc',
    parameters: { lat_0: 0, lon_0: zone * 6 - 183, k_0: 0.9996, x_0: 500_000, y_0: south ? 10_000_000 : 0 },
    ellipsoid: ellipsoidOfGeographic(geographicEpsg) ?? WGS84,
    geographicEpsg,
    unitMetres: 1,
  };
}

function ellipsoidOfProj(get: (key: string) => string | undefined): Ellipsoid | null {
  const number = (key: string) => (get(key) === undefined ? Number.NaN : Number(get(key)));
  const a = Number.isNaN(number('a')) ? number('R') : number('a');
  if (Number.isNaN(a)) return ELLIPSOIDS[get('ellps') ?? ''] ?? null;
  if (!Number.isNaN(number('rf'))) return { a, rf: number('rf') };
  const b = number('b');
  return { a, rf: Number.isNaN(b) || b === a ? 0 : a / (a - b) };
}

/** The projection of a PROJ string, or null when it says something that is not understood here. */
export function projectionOfProj(text: string): Projection | null {
  const words = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/\+([A-Za-z_0-9]+)(?:=(\S+))?/g)) words.set(key!, value ?? '');
  const get = (key: string) => words.get(key);
  const datum = get('datum');
  const geographicEpsg = datum === undefined ? null : (DATUMS[datum] ?? null);
  if (datum !== undefined && geographicEpsg === null) return null;
  const ellipsoid = geographicEpsg === null ? ellipsoidOfProj(get) : ellipsoidOfGeographic(geographicEpsg);
  const unitMetres = get('to_meter') ? Number(get('to_meter')) : (UNIT_METRES[get('units') ?? 'm'] ?? Number.NaN);
  const method = get('proj');
  const known = new Set([
    'proj',
    'datum',
    'ellps',
    'a',
    'b',
    'rf',
    'R',
    'units',
    'to_meter',
    'zone',
    'south',
    'k',
    'lonc',
  ]);
  for (const key of words.keys())
    if (!known.has(key) && !IGNORED.has(key) && !(PARAMETERS as readonly string[]).includes(key)) return null;
  if (!method || !ellipsoid || words.has('lonc')) return null;
  if (method === 'utm') {
    const zone = Number(get('zone'));
    return zone >= 1 && zone <= 60 ? { ...utm(zone, words.has('south')), ellipsoid, geographicEpsg } : null;
  }
  if (method === 'longlat' || method === 'latlong')
    return { method: 'longlat', parameters: {}, ellipsoid, geographicEpsg, unitMetres: 1 };
  const parameters: Projection['parameters'] = {};
  for (const name of PARAMETERS) {
    const value = get(name) ?? (name === 'k_0' ? get('k') : undefined);
    if (value !== undefined) parameters[name] = Number(value);
  }
  const numbers = [...Object.values(parameters), unitMetres];
  return numbers.every(Number.isFinite) ? { method, parameters, ellipsoid, geographicEpsg, unitMetres } : null;
}

/** A PROJ string; false origins are always written, because proj4js computes NaN where they are left out. Datum shifts: none. */
export function projOfProjection({ method, parameters, ellipsoid, unitMetres }: Projection): string {
  const shape = ellipsoid.rf === 0 ? `+a=${ellipsoid.a} +b=${ellipsoid.a}` : `+a=${ellipsoid.a} +rf=${ellipsoid.rf}`;
  if (method === 'longlat') return `+proj=longlat ${shape} +no_defs`;
  const given = { lat_0: 0, lon_0: 0, x_0: 0, y_0: 0, ...parameters };
  const words = PARAMETERS.filter((name) => given[name] !== undefined).map((name) => `+${name}=${given[name]}`);
  const units = unitMetres === 1 ? '+units=m' : `+to_meter=${unitMetres}`;
  return [`+proj=${method}`, ...words, shape, units, '+no_defs'].join(' ');
}

const close = (p: number, q: number, tolerance: number) => Math.abs(p - q) <= tolerance;

/** Parameters that mean the same: defaults filled in, the conic's parallels in order, one parallel given twice when it is one. */
function normal({ method, parameters }: Projection): Record<ParameterName, number> {
  const { lat_0 = 0, lon_0 = 0, lat_1 = 0, lat_ts = 0, k_0 = 1, x_0 = 0, y_0 = 0 } = parameters;
  const lat_2 = parameters.lat_2 ?? lat_1;
  const conic = method === 'aea' || method === 'lcc' || method === 'eqdc';
  const [low, high] = conic && lat_2 < lat_1 ? [lat_2, lat_1] : [lat_1, lat_2];
  return { lat_0, lon_0, lat_1: low, lat_2: high, lat_ts, k_0, x_0, y_0 };
}

/** True when both give the same coordinates: within 1e-9 degrees and factors, 0.1 mm, and on the same datum as far as both know. */
export function sameProjection(p: Projection, q: Projection): boolean {
  if (p.method !== q.method || !close(p.unitMetres, q.unitMetres, 1e-9)) return false;
  if (p.geographicEpsg !== null && q.geographicEpsg !== null && p.geographicEpsg !== q.geographicEpsg) return false;
  if (!close(p.ellipsoid.a, q.ellipsoid.a, 1e-4) || !close(p.ellipsoid.rf, q.ellipsoid.rf, 1e-7)) return false;
  const [ours, theirs] = [normal(p), normal(q)];
  return PARAMETERS.every((name) => close(ours[name], theirs[name], name === 'x_0' || name === 'y_0' ? 1e-4 : 1e-9));
}
