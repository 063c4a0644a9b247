import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { environment } from '#platform';
import { chunksOf } from './body.js';
import { s3Error } from './s3-errors.js';
import { isAws, type S3Options, s3OptionsOf } from './s3-options.js';
import type { S3Place } from './s3-url.js';

// The one file that knows the AWS client, which is loaded (110 ms) when the first s3: address is met.

/** A part of an upload, as the server confirmed it. */
export interface S3Part {
  PartNumber: number;
  ETag: string | undefined;
  ChecksumCRC32?: string | undefined;
}

/** What is known of an object. */
export interface S3Facts {
  bytes: number | null;
  etag: string | null;
  modified: string | null;
}

export interface S3Answer extends S3Facts {
  chunks: AsyncIterable<Uint8Array>;
  contentRange: string | null;
}

/** Some names of a folder, and where to go on. */
export interface S3Page {
  keys: string[];
  prefixes: string[];
  next: string | undefined;
}

/** The requests that are made of S3. Errors are `StoreError`s but for the reason of `signal`. */
export interface S3 {
  get(url: string, place: S3Place & { range?: string }, signal?: AbortSignal): Promise<S3Answer>;
  head(url: string, place: S3Place, signal?: AbortSignal): Promise<S3Facts>;
  list(url: string, place: S3Place & { next?: string | undefined }, signal?: AbortSignal): Promise<S3Page>;
  put(url: string, place: S3Place & { bytes: Uint8Array }, signal?: AbortSignal): Promise<void>;
  remove(url: string, place: S3Place, signal?: AbortSignal): Promise<void>;
  beginUpload(url: string, place: S3Place, signal?: AbortSignal): Promise<string>;
  putPart(
    url: string,
    part: S3Place & { id: string; number: number; bytes: Uint8Array },
    signal?: AbortSignal,
  ): Promise<S3Part>;
  endUpload(
    url: string,
    upload: S3Place & { id: string; parts: readonly S3Part[] },
    signal?: AbortSignal,
  ): Promise<void>;
  abortUpload(url: string, upload: S3Place & { id: string }): Promise<void>;
}

/** No signature, hence no credentials. */
const ANONYMOUS = {
  httpAuthSchemes: [
    {
      schemeId: 'smithy.api#noAuth',
      identityProvider: () => async () => ({}),
      signer: { sign: async <T>(request: T) => request },
    },
  ],
  httpAuthSchemeProvider: () => [{ schemeId: 'smithy.api#noAuth' }],
};

function clientConfig(options: S3Options): S3ClientConfig {
  const { region, endpoint, profile, anonymous = false, credentials } = options;
  const aws = isAws(endpoint);
  const pathStyle = options.pathStyle ?? !aws;
  const config = {
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    ...(profile && { profile }),
    ...(credentials && { credentials }),
    ...(anonymous && ANONYMOUS),
    forcePathStyle: pathStyle,
    followRegionRedirects: true,
    maxAttempts: 1, // Stores are wrapped to repeat.
    // Trailing checksums make some other services refuse, or worse keep, what they do not understand.
    ...(!aws && { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
  };
  return config as S3ClientConfig;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** A client with a region: AWS's chain knows it or not, and buckets elsewhere are found by redirect. */
async function openClient(sdk: Sdk, options: S3Options): Promise<S3Client> {
  const client = new sdk.S3Client(clientConfig(options));
  try {
    await client.config.region();
    return client;
  } catch {
    client.destroy();
    return new sdk.S3Client(clientConfig({ ...options, region: 'us-east-1' }));
  }
}

/** A body of Node or of a browser in chunks; whoever stops early lets go of the connection. */
function bodyChunks(body: GetObjectCommandOutput['Body'], signal?: AbortSignal): AsyncIterable<Uint8Array> {
  if (!body) return chunksOf(null);
  if ('getReader' in body) return chunksOf(body as ReadableStream<Uint8Array>);
  const stream = body as unknown as AsyncIterable<Uint8Array> & { destroy(error?: Error): void };
  return {
    [Symbol.asyncIterator]() {
      const chunks = stream[Symbol.asyncIterator]();
      const stop = () => stream.destroy(new Error('given up'));
      signal?.addEventListener('abort', stop, { once: true });
      return {
        async next() {
          const part = await chunks.next();
          if (part.done) signal?.removeEventListener('abort', stop);
          return part;
        },
        async return() {
          signal?.removeEventListener('abort', stop);
          stream.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/**
 * Opens the client; options that are not given come from the environment. `facts` of a bucket of AWS win over the environment, which
 * cannot know where each bucket is.
 */
export async function openS3(given: S3Options = {}, facts: S3Options = {}): Promise<S3> {
  const around = s3OptionsOf(environment());
  const options: S3Options = { ...around, ...(isAws(given.endpoint ?? around.endpoint) && facts), ...given };
  const sdk = await import('@aws-sdk/client-s3');
  const client = await openClient(sdk, options);
  const grants = options.acl ? { ACL: options.acl } : {};
  const pays = options.requesterPays ? { RequestPayer: 'requester' as const } : {};
  const checksum = isAws(options.endpoint) ? { ChecksumAlgorithm: 'CRC32' as const } : {};
  const at = ({ bucket, key }: S3Place) => ({ Bucket: bucket, Key: key, ...pays });

  const guard = async <T>(verb: string, url: string, signal: AbortSignal | undefined, work: () => Promise<T>) => {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw s3Error(error, verb, url, options);
    }
  };
  const during = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});

  return {
    get: (url, { range, ...place }, signal) =>
      guard('read', url, signal, async () => {
        const command = new sdk.GetObjectCommand({ ...at(place), ...(range && { Range: range }) });
        const answer = await client.send(command, during(signal));
        return {
          chunks: bodyChunks(answer.Body, signal),
          bytes: answer.ContentLength ?? null,
          contentRange: answer.ContentRange ?? null,
          etag: answer.ETag ?? null,
          modified: answer.LastModified?.toISOString() ?? null,
        };
      }),
    head: (url, place, signal) =>
      guard('read', url, signal, async () => {
        const answer = await client.send(new sdk.HeadObjectCommand(at(place)), during(signal));
        const modified = answer.LastModified?.toISOString() ?? null;
        return { bytes: answer.ContentLength ?? null, etag: answer.ETag ?? null, modified };
      }),
    list: (url, { bucket, key, next }, signal) =>
      guard('list', url, signal, async () => {
        const from = next === undefined ? {} : { ContinuationToken: next };
        const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, Delimiter: '/', ...from, ...pays });
        const page = await client.send(command, during(signal));
        return {
          keys: (page.Contents ?? []).map((object) => object.Key ?? ''),
          prefixes: (page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix ?? ''),
          next: page.IsTruncated ? page.NextContinuationToken : undefined,
        };
      }),
    put: (url, { bytes, ...place }, signal) =>
      guard('write', url, signal, async () => {
        await client.send(
          new sdk.PutObjectCommand({ ...at(place), ...grants, Body: bytes, ...checksum }),
          during(signal),
        );
      }),
    remove: (url, place, signal) =>
      guard('remove', url, signal, async () => {
        await client.send(new sdk.DeleteObjectCommand(at(place)), during(signal));
      }),
    beginUpload: (url, place, signal) =>
      guard('write', url, signal, async () => {
        const command = new sdk.CreateMultipartUploadCommand({ ...at(place), ...grants, ...checksum });
        return (await client.send(command, during(signal))).UploadId ?? '';
      }),
    putPart: (url, { id, number, bytes, ...place }, signal) =>
      guard('write', url, signal, async () => {
        const part = { UploadId: id, PartNumber: number, Body: bytes };
        const answer = await client.send(
          new sdk.UploadPartCommand({ ...at(place), ...part, ...checksum }),
          during(signal),
        );
        const sum = checksum.ChecksumAlgorithm && answer.ChecksumCRC32 ? { ChecksumCRC32: answer.ChecksumCRC32 } : {};
        return { PartNumber: number, ETag: answer.ETag, ...sum };
      }),
    endUpload: (url, { id, parts, ...place }, signal) =>
      guard('write', url, signal, async () => {
        const upload = { UploadId: id, MultipartUpload: { Parts: [...parts] } };
        await client.send(new sdk.CompleteMultipartUploadCommand({ ...at(place), ...upload }), during(signal));
      }),
    abortUpload: (url, { id, ...place }) =>
      guard('write', url, undefined, async () => {
        await client.send(new sdk.AbortMultipartUploadCommand({ ...at(place), UploadId: id }));
      }),
  };
}
