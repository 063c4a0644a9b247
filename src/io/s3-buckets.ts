import type { S3Options } from './s3-options.js';

/** Buckets of open archives: where they are, and whether anybody may read them or the reader pays. */
const OPEN_BUCKETS: ReadonlyMap<string, S3Options> = new Map<string, S3Options>([
  ['sentinel-cogs', { region: 'us-west-2', anonymous: true }],
  ['e84-earth-search-sentinel-data', { region: 'us-west-2', anonymous: true }],
  ['sentinel-s2-l1c', { region: 'eu-central-1', requesterPays: true }],
  ['sentinel-s2-l2a', { region: 'eu-central-1', requesterPays: true }],
  ['usgs-landsat', { region: 'us-west-2', requesterPays: true }],
  ['naip-analytic', { region: 'us-west-2', requesterPays: true }],
  ['dea-public-data', { region: 'ap-southeast-2', anonymous: true }],
  ['deafrica-sentinel-2', { region: 'af-south-1', anonymous: true }],
]);

/** What is known of a bucket of AWS; nothing of others. */
export function bucketFacts(bucket: string): S3Options {
  return OPEN_BUCKETS.get(bucket) ?? {};
}
