import { InputError } from '../errors.js';

/** How buckets are reached; what is not given is left to the standard chain: environment, profile, container, instance. */
export interface S3Options {
  /** Default: the environment's or profile's, else us-east-1; a bucket elsewhere is found by its server's redirect. */
  region?: string;
  /** Of a service other than AWS, like http://127.0.0.1:9000. */
  endpoint?: string;
  /** http://host/bucket instead of http://bucket.host. Default: where an endpoint is given that is not AWS. */
  pathStyle?: boolean;
  /** Of ~/.aws/config and ~/.aws/credentials. */
  profile?: string;
  /** Sends no signature and needs no credentials: for public buckets. Default false. */
  anonymous?: boolean;
  /** Agrees to pay for requests to buckets that ask for it. Default false. */
  requesterPays?: boolean;
  /** A canned ACL of what is written, like public-read. Default: the bucket's own rule. */
  acl?: CannedAcl;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

/** What S3 knows by a name of who may read and write an object. */
const CANNED_ACLS = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
] as const;
export type CannedAcl = (typeof CANNED_ACLS)[number];

/** @throws InputError for a name that S3 does not know */
export function cannedAcl(text: string): CannedAcl {
  const found = CANNED_ACLS.find((acl) => acl === text);
  if (found) return found;
  throw new InputError(`there is no canned ACL "${text.slice(0, 40)}": S3 knows ${CANNED_ACLS.join(', ')}`, {
    option: 's3-acl',
  });
}

/** Values of the environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const YES = ['1', 'yes', 'true', 'on'];
const NO = ['0', 'no', 'false', 'off', ''];

function flag(env: Environment, name: string): boolean | undefined {
  const text = env[name]?.trim().toLowerCase();
  if (text === undefined) return undefined;
  if (!YES.includes(text) && !NO.includes(text)) throw new InputError(`${name} takes YES or NO, and is "${env[name]}"`);
  return YES.includes(text);
}

/** The options that the environment gives by AWS's names, and by GDAL's where AWS has none. */
export function s3OptionsOf(env: Environment): S3Options {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const pathStyle = flag(env, 'AWS_S3_FORCE_PATH_STYLE');
  const payer = env.AWS_REQUEST_PAYER?.toLowerCase();
  if (payer && payer !== 'requester')
    throw new InputError(`AWS_REQUEST_PAYER takes requester, and is "${env.AWS_REQUEST_PAYER}"`);
  return {
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    ...(pathStyle !== undefined && { pathStyle }),
    ...(env.AWS_PROFILE && { profile: env.AWS_PROFILE }),
    ...(flag(env, 'AWS_NO_SIGN_REQUEST') && { anonymous: true }),
    ...(payer && { requesterPays: true }),
    ...(env.STACKWISE_S3_ACL && { acl: cannedAcl(env.STACKWISE_S3_ACL) }),
  };
}

/** Whether a service is AWS itself, whose newest checks can be relied on. */
export function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  let host: string;
  try {
    const { protocol, hostname } = new URL(endpoint);
    if (protocol !== 'http:' && protocol !== 'https:') throw new Error();
    host = hostname;
  } catch {
    // It may hold a password, so it is not repeated.
    throw new InputError('the endpoint of S3 (AWS_ENDPOINT_URL) is no URL like https://host:port');
  }
  return /\.amazonaws\.com(\.cn)?$/.test(host);
}
