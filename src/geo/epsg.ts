import { type Projection, projectionOfProj, utm } from './projection.js';

/** PROJ definitions of the codes that satellite archives use, from the EPSG registry; UTM zones are computed. */
const DEFINITIONS: ReadonlyMap<number, string> = new Map([
  [4326, '+proj=longlat +datum=WGS84'],
  [4269, '+proj=longlat +datum=NAD83'],
  [4258, '+proj=longlat +ellps=GRS80'],
  [4283, '+proj=longlat +ellps=GRS80'],
  [7844, '+proj=longlat +ellps=GRS80'],
  [4167, '+proj=longlat +ellps=GRS80'],
  [4979, '+proj=longlat +datum=WGS84'],
  [3857, '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m'],
  [3395, '+proj=merc +lon_0=0 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [3832, '+proj=merc +lon_0=150 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [4087, '+proj=eqc +lat_ts=0 +lat_0=0 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [6933, '+proj=cea +lat_ts=30 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [3035, '+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m'],
  [3034, '+proj=lcc +lat_0=52 +lon_0=10 +lat_1=35 +lat_2=65 +x_0=4000000 +y_0=2800000 +ellps=GRS80 +units=m'],
  [6931, '+proj=laea +lat_0=90 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [6932, '+proj=laea +lat_0=-90 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [5070, '+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 +datum=NAD83 +units=m'],
  [3577, '+proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 +ellps=GRS80 +units=m'],
  [9473, '+proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 +ellps=GRS80 +units=m'],
  [3413, '+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [3995, '+proj=stere +lat_0=90 +lat_ts=71 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [3031, '+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m'],
  [5041, '+proj=stere +lat_0=90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m'],
  [5042, '+proj=stere +lat_0=-90 +lon_0=0 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m'],
  [2193, '+proj=tmerc +lat_0=0 +lon_0=173 +k=0.9996 +x_0=1600000 +y_0=10000000 +ellps=GRS80 +units=m'],
  [2154, '+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +units=m'],
  [3978, '+proj=lcc +lat_0=49 +lon_0=-95 +lat_1=49 +lat_2=77 +x_0=0 +y_0=0 +datum=NAD83 +units=m'],
  [3979, '+proj=lcc +lat_0=49 +lon_0=-95 +lat_1=49 +lat_2=77 +x_0=0 +y_0=0 +ellps=GRS80 +units=m'],
  [3338, '+proj=aea +lat_0=50 +lon_0=-154 +lat_1=55 +lat_2=65 +x_0=0 +y_0=0 +datum=NAD83 +units=m'],
]);

/** The geographic CRS under a projected code of the table where a PROJ string cannot name it. */
const GEOGRAPHIC_OF: ReadonlyMap<number, number> = new Map([
  [3857, 4326],
  [4258, 4258],
  [4283, 4283],
  [7844, 7844],
  [4167, 4167],
  [3035, 4258],
  [3034, 4258],
  [3577, 4283],
  [9473, 7844],
  [2193, 4167],
]);

/** UTM families: first code, zones, hemisphere, geographic CRS. */
const UTM: readonly { first: number; from: number; to: number; south: boolean; geographic: number }[] = [
  { first: 32601, from: 1, to: 60, south: false, geographic: 4326 },
  { first: 32701, from: 1, to: 60, south: true, geographic: 4326 },
  { first: 25828, from: 28, to: 38, south: false, geographic: 4258 },
  { first: 26901, from: 1, to: 23, south: false, geographic: 4269 },
  { first: 28348, from: 48, to: 58, south: true, geographic: 4283 },
  { first: 7846, from: 46, to: 59, south: true, geographic: 7844 },
];

/** The projection of an EPSG code, or null when this table does not have it; such codes still work wherever nothing is transformed. */
export function projectionOfEpsg(epsg: number): Projection | null {
  for (const { first, from, to, south, geographic } of UTM)
    if (epsg >= first && epsg <= first + to - from) return utm(epsg - first + from, south, geographic);
  const definition = DEFINITIONS.get(epsg);
  const projection = definition ? projectionOfProj(definition) : null;
  return projection && { ...projection, geographicEpsg: GEOGRAPHIC_OF.get(epsg) ?? projection.geographicEpsg };
}

/** Whether a code is that of a geographic CRS, by its number where the table does not have it (EPSG gives 4000–4999 to them). */
export function isGeographicEpsg(epsg: number): boolean {
  const projection = projectionOfEpsg(epsg);
  return projection ? projection.method === 'longlat' : epsg >= 4001 && epsg <= 4999;
}
