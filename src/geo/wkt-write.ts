import { ellipsoidOfGeographic, type ParameterName, type Projection } from './projection.js';

/** The name of each method in WKT 2 and of its parameters, in their order. */
const METHODS: Readonly<Record<string, { name: string; parameters: readonly (readonly [ParameterName, string])[] }>> =
  (() => {
    const natural = [
      ['lat_0', 'Latitude of natural origin'],
      ['lon_0', 'Longitude of natural origin'],
    ] as const;
    const falseOrigin = [
      ['lat_0', 'Latitude of false origin'],
      ['lon_0', 'Longitude of false origin'],
      ['lat_1', 'Latitude of 1st standard parallel'],
      ['lat_2', 'Latitude of 2nd standard parallel'],
      ['x_0', 'Easting at false origin'],
      ['y_0', 'Northing at false origin'],
    ] as const;
    const scale = ['k_0', 'Scale factor at natural origin'] as const;
    const parallel = ['lat_1', 'Latitude of 1st standard parallel'] as const;
    const shift = [
      ['x_0', 'False easting'],
      ['y_0', 'False northing'],
    ] as const;
    return {
      tmerc: { name: 'Transverse Mercator', parameters: [...natural, scale, ...shift] },
      aea: { name: 'Albers Equal Area', parameters: falseOrigin },
      eqdc: { name: 'Equidistant Conic', parameters: falseOrigin },
      lcc2: { name: 'Lambert Conic Conformal (2SP)', parameters: falseOrigin },
      lcc1: { name: 'Lambert Conic Conformal (1SP)', parameters: [...natural, scale, ...shift] },
      laea: { name: 'Lambert Azimuthal Equal Area', parameters: [...natural, ...shift] },
      stereA: { name: 'Polar Stereographic (variant A)', parameters: [...natural, scale, ...shift] },
      stereB: {
        name: 'Polar Stereographic (variant B)',
        parameters: [['lat_ts', 'Latitude of standard parallel'], ['lon_0', 'Longitude of origin'], ...shift],
      },
      mercA: { name: 'Mercator (variant A)', parameters: [...natural, scale, ...shift] },
      mercB: { name: 'Mercator (variant B)', parameters: [['lat_ts', parallel[1]], natural[1], ...shift] },
      sinu: { name: 'Sinusoidal', parameters: [natural[1], ...shift] },
      eqc: { name: 'Equidistant Cylindrical', parameters: [['lat_ts', parallel[1]], ...natural, ...shift] },
      cea: { name: 'Lambert Cylindrical Equal Area', parameters: [['lat_ts', parallel[1]], natural[1], ...shift] },
    };
  })();

function variant({ method, parameters }: Projection): string {
  if (method === 'lcc') return parameters.lat_2 === undefined ? 'lcc1' : 'lcc2';
  if (method === 'stere') return parameters.lat_ts === undefined ? 'stereA' : 'stereB';
  if (method === 'merc') return parameters.lat_ts === undefined ? 'mercA' : 'mercB';
  return method;
}

const DEGREE = 'ANGLEUNIT["degree",0.0174532925199433]';
/** Names by which datums of {@link ellipsoidOfGeographic} are written. */
const DATUMS: Readonly<Record<number, readonly [crs: string, datum: string]>> = {
  4326: ['WGS 84', 'World Geodetic System 1984'],
  4269: ['NAD83', 'North American Datum 1983'],
  4258: ['ETRS89', 'European Terrestrial Reference System 1989'],
  4283: ['GDA94', 'Geocentric Datum of Australia 1994'],
  7844: ['GDA2020', 'Geocentric Datum of Australia 2020'],
  4167: ['NZGD2000', 'New Zealand Geodetic Datum 2000'],
};

/** WKT 2 of a projection, or null when its method is not among those written here. `name`: of the CRS, without quotes. */
export function writeWkt2(projection: Projection, name = 'unnamed'): string | null {
  const { ellipsoid, parameters, geographicEpsg, unitMetres } = projection;
  const known = geographicEpsg !== null && ellipsoidOfGeographic(geographicEpsg) ? DATUMS[geographicEpsg] : undefined;
  const [baseName, datum] = known ?? ['unknown', 'unknown'];
  const id = known ? `,ID["EPSG",${geographicEpsg}]` : '';
  const shape = `DATUM["${datum}",ELLIPSOID["unknown",${ellipsoid.a},${ellipsoid.rf},LENGTHUNIT["metre",1]]]`;
  const base = `${shape},PRIMEM["Greenwich",0,${DEGREE}]`;
  if (projection.method === 'longlat')
    return `GEOGCRS["${baseName}",${base},CS[ellipsoidal,2],AXIS["latitude",north],AXIS["longitude",east],${DEGREE}${id}]`;
  const method = METHODS[variant(projection)];
  if (!method) return null;
  const metre = `LENGTHUNIT["metre",1]`;
  const words = method.parameters.map(([key, label]) => {
    const unit = key === 'k_0' ? 'SCALEUNIT["unity",1]' : key === 'x_0' || key === 'y_0' ? metre : DEGREE;
    return `PARAMETER["${label}",${parameters[key] ?? (key === 'k_0' ? 1 : 0)},${unit}]`;
  });
  const conversion = `CONVERSION["unnamed",METHOD["${method.name}"],${words.join(',')}]`;
  const unit = unitMetres === 1 ? metre : `LENGTHUNIT["unit",${unitMetres}]`;
  const axes = `CS[Cartesian,2],AXIS["easting",east,ORDER[1],${unit}],AXIS["northing",north,ORDER[2],${unit}]`;
  return `PROJCRS["${name}",BASEGEOGCRS["${baseName}",${base}${id}],${conversion},${axes}]`;
}
