import { StackwiseError, StoreError } from '../errors.js';
import { parseRetryAfter } from './http.js';
import type { S3Options } from './s3-options.js';
import { parseS3Url } from './s3-url.js';

/** What errors of S3 clients have in common; anything may be missing. */
interface S3Fault {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

/** Answers by their code; `{bucket}` is filled in. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no bucket {bucket}',
  NoSuchKey: 'no such object',
  NotFound: 'no such object, or no such bucket',
  NoSuchUpload: 'the upload is gone: somebody ended it',
  InvalidAccessKeyId: 'access denied: the access key is not known there',
  SignatureDoesNotMatch: 'access denied: the secret key does not fit the access key',
  ExpiredToken: 'access denied: the credentials have expired',
  ExpiredTokenException: 'access denied: the credentials have expired',
  RequestTimeTooSkewed: "access denied: this machine's clock is wrong",
  InvalidObjectState: 'the object lies in an archive, and must be restored first',
  EntityTooLarge: 'the server does not take as many bytes at once',
};
const TRANSIENT = new Set(['SlowDown', 'InternalError', 'RequestTimeout', 'ServiceUnavailable', 'Throttling']);
const MOVED = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
/** The ways to fail that no second attempt mends, by the system's codes. */
const FINAL_CODES = new Set(['ERR_INVALID_URL', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT']);

const NO_CREDENTIALS =
  'no credentials found: looked at the environment (AWS_ACCESS_KEY_ID), profiles (~/.aws, AWS_PROFILE), single sign-on, web identity, ' +
  'container and instance; AWS_NO_SIGN_REQUEST=YES reads public buckets without';

function reasonOf(fault: S3Fault, bucket: string, options: S3Options): string {
  const name = fault.name ?? '';
  const status = fault.$metadata?.httpStatusCode;
  const known = REASONS[name];
  if (known) return known.replace('{bucket}', bucket);
  if (/Credentials|TokenProvider/.test(name)) {
    const profile = options.profile ? `profile ${options.profile}: ` : '';
    return profile + NO_CREDENTIALS;
  }
  if (status === 301 || MOVED.has(name)) {
    const region = fault.$response?.headers?.['x-amz-bucket-region'];
    const home = region && /^[a-z0-9-]{1,40}$/.test(region) ? `, it is in ${region}` : '';
    return `the bucket ${bucket} is not in the region ${options.region ?? 'us-east-1'}${home}: set AWS_REGION`;
  }
  if (status === 401 || status === 403) {
    const hint = options.anonymous
      ? 'and no credentials were sent (AWS_NO_SIGN_REQUEST)'
      : 'check the permissions of the credentials, or AWS_REQUEST_PAYER=requester if the bucket asks for that';
    return `access denied, ${hint}`;
  }
  // Texts of servers may repeat what was sent, so only codes pass.
  const word = /^\w{1,60}$/.test(name) && name !== 'Error' && name !== 'Unknown' ? ` ${name}` : '';
  return status ? `HTTP ${status}${word}` : (fault.code ?? (word.trim() || 'the request failed'));
}

/** What a client of S3 threw, as one line for the user; neither texts of the server nor the request pass, which may hold secrets. */
export function s3Error(error: unknown, verb: string, url: string, options: S3Options): StackwiseError {
  if (error instanceof StackwiseError) return error;
  const fault = (typeof error === 'object' && error !== null ? error : {}) as S3Fault;
  const name = fault.name ?? '';
  const code = fault.code;
  const status = fault.$metadata?.httpStatusCode;
  const isHttp = status !== undefined;
  const retryable = isHttp
    ? status === 408 || status === 429 || (status >= 500 && status !== 501) || TRANSIENT.has(name)
    : TRANSIENT.has(name) || name === 'TimeoutError' || (code !== undefined && !FINAL_CODES.has(code));
  const retryAfterMs = parseRetryAfter(fault.$response?.headers?.['retry-after']);
  const reason = reasonOf(fault, parseS3Url(url).bucket, options);
  return new StoreError(`cannot ${verb} ${url}: ${reason}`, {
    url,
    ...((code ?? status) !== undefined && { status: name === 'NoSuchBucket' ? name : (status ?? code!) }),
    retryable,
    ...(retryAfterMs !== null && { retryAfterMs }),
  });
}
