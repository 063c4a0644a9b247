import dns from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withRetry } from '../../build/io/retry.js';
import { openS3 } from '../../build/io/s3.js';
import { type S3Options, s3OptionsOf } from '../../build/io/s3-options.js';
import { s3Store } from '../../build/io/s3-store.js';
import { type S3Server, startS3 } from '../fixture/s3-server.js';

const content = new Uint8Array(1000).map((_, i) => i & 255);
const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';
const CREDENTIALS = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: SECRET, sessionToken: 'TOKENEXAMPLE' };

const BEGUN = (response: ServerResponse) =>
  void response.end(
    '<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
  );

/** Bit by bit, as the standard defines it. */
function crc32Base64(bytes: Uint8Array): string {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const out = Buffer.alloc(4);
  out.writeInt32BE(~crc);
  return out.toString('base64');
}

/** All names are those of this machine. */
function allIsHere() {
  return vi.spyOn(dns, 'lookup').mockImplementation(((_: string, options: dns.LookupOptions, done: never) => {
    const found = { address: '127.0.0.1', family: 4 };
    const tell = done as (error: null, address: unknown, family?: number) => void;
    if (options.all) tell(null, [found]);
    else tell(null, found.address, found.family);
  }) as never);
}

describe('options from the environment', () => {
  it('have the names of AWS, and of GDAL where it has none', () => {
    expect(s3OptionsOf({})).toEqual({});
    expect(
      s3OptionsOf({
        AWS_DEFAULT_REGION: 'eu-central-1',
        AWS_ENDPOINT_URL: 'http://localhost:9000',
        AWS_PROFILE: 'work',
        AWS_NO_SIGN_REQUEST: 'YES',
        AWS_REQUEST_PAYER: 'requester',
        AWS_S3_FORCE_PATH_STYLE: 'no',
      }),
    ).toEqual({
      region: 'eu-central-1',
      endpoint: 'http://localhost:9000',
      profile: 'work',
      anonymous: true,
      requesterPays: true,
      pathStyle: false,
    });
    expect(() => s3OptionsOf({ AWS_NO_SIGN_REQUEST: 'perhaps' })).toThrow('AWS_NO_SIGN_REQUEST takes YES or NO');
    expect(() => s3OptionsOf({ AWS_REQUEST_PAYER: 'me' })).toThrow('AWS_REQUEST_PAYER takes requester');
  });
});

describe('a bucket', () => {
  let server: S3Server;
  let options: S3Options;
  beforeAll(async () => {
    server = await startS3('scenes', 'bare');
    options = { endpoint: server.endpoint, anonymous: true, region: 'us-east-1' };
  });
  afterAll(() => server.stop());

  it('is listed to the last page, folders apart', async () => {
    const store = s3Store(options);
    const names = Array.from({ length: 1203 }, (_, i) => `f${String(i).padStart(5, '0')}.tif`);
    for (let i = 0; i < names.length; i += 100)
      await Promise.all(
        names.slice(i, i + 100).map((name) => store.write(`s3://scenes/many/${name}`, content.slice(0, 1))),
      );
    await store.write('s3://scenes/many/deep/er/x', content);
    await store.write('s3://scenes/manyfold/x', content);
    expect(await store.list('s3://scenes/many')).toEqual(['deep/', ...names]);
    expect(await store.list('s3://scenes')).toEqual(['many/', 'manyfold/']);
    expect(await store.list('s3://bare/')).toEqual([]);
    await expect(store.list('s3://bare/none')).rejects.toThrow('cannot list s3://bare/none: no such folder');
  });

  it('says in one line what is missing', async () => {
    const store = s3Store(options);
    const range = { offset: 0, length: 1 };
    await expect(store.read('s3://scenes/none', range)).rejects.toThrow('cannot read s3://scenes/none: no such object');
    await expect(store.stat('s3://scenes/none')).rejects.toThrow('no such object, or no such bucket');
    await expect(store.read('s3://nowhere/x', range)).rejects.toThrow('there is no bucket nowhere');
    await expect(store.list('s3://nowhere/x')).rejects.toThrow(
      'cannot list s3://nowhere/x: there is no bucket nowhere',
    );
    await expect(store.write('s3://nowhere/x', content)).rejects.toThrow(
      'cannot write s3://nowhere/x: there is no bucket',
    );
    for (const url of ['s3://', 's3:///x', 's3://scenes', 's3://scenes/folder/'])
      await expect(store.read(url)).rejects.toMatchObject({ name: 'InputError' });
  });

  it('notices that an object changed between two reads', async () => {
    const store = s3Store(options);
    const url = 's3://scenes/changing';
    await store.write(url, content);
    await store.read(url, { offset: 0, length: 10 });
    await s3Store(options).write(
      url,
      content.map((b) => b ^ 1),
    );
    await expect(store.read(url, { offset: 10, length: 10 })).rejects.toMatchObject({ facts: { status: 'CHANGED' } });
  });

  it('takes 20 MiB in parts, visible when all are there', async () => {
    const store = s3Store(options);
    const url = 's3://scenes/large.bin';
    const large = new Uint8Array(20 * 2 ** 20 + 5).map((_, i) => (i * 2654435761) >>> 24);
    const sink = await store.sink(url);
    for (let at = 0; at < large.length; at += 3_000_000) await sink.write(at, large.subarray(at, at + 3_000_000));
    await expect(store.stat(url)).rejects.toThrow('no such object');
    await sink.commit();
    await sink.abort(); // Does nothing any more.
    expect(Buffer.from(await store.read(url)).equals(large)).toBe(true);
    await expect(store.sink(url)).rejects.toThrow(`the output ${url} exists already`);
  });

  it('keeps nothing of what was given up', async () => {
    const store = s3Store(options);
    const url = 's3://scenes/given-up';
    const sink = await store.sink(url);
    await sink.write(0, new Uint8Array(9 * 2 ** 20));
    await expect(sink.write(0, content)).rejects.toThrow('is written in order');
    await sink.abort();
    await expect(store.stat(url)).rejects.toThrow('no such object');
    await expect(sink.commit()).rejects.toMatchObject({ name: 'StoreError' });
  });

  it('refuses output before any work where the bucket is missing', async () => {
    await expect(s3Store(options).sink('s3://nowhere/x', { overwrite: true })).rejects.toThrow(
      'there is no bucket nowhere',
    );
  });
});

describe('requests', () => {
  type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
  let server: Server;
  let endpoint = '';
  let seen: Seen[] = [];
  let answers: ((response: ServerResponse) => void)[] = [];
  const fine = (response: ServerResponse) =>
    void response.writeHead(206, { 'content-range': 'bytes 0-9/1000', 'content-length': 10 }).end(content.slice(0, 10));
  const refuse =
    (status: number, code: string, headers = {}) =>
    (response: ServerResponse) =>
      void response
        .writeHead(status, { 'content-type': 'application/xml', ...headers })
        .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>about ${SECRET}</Message></Error>`);

  beforeAll(async () => {
    server = createServer((request, response) => {
      const one: Seen = { method: request.method!, url: request.url!, headers: request.headers, body: '' };
      seen.push(one);
      request.on('data', (part) => {
        one.body += part;
      });
      request.on('end', () => (answers.shift() ?? fine)(response));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    seen = [];
    answers = [];
  });
  const head = { offset: 0, length: 10 };
  const signed = () => s3Store({ endpoint, region: 'eu-west-1', credentials: CREDENTIALS });

  it('are signed, or not; by path; and say who pays', async () => {
    await signed().read('s3://scenes/a/b c', head);
    await s3Store({ endpoint, anonymous: true, requesterPays: true }).read('s3://scenes/x', head);
    expect(seen[0]!.url).toMatch(/^\/scenes\/a\/b%20c/);
    expect(seen[0]!.headers.range).toBe('bytes=0-9');
    expect(seen[0]!.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 .*\/eu-west-1\/s3\//);
    expect(seen[0]!.headers['x-amz-request-payer']).toBeUndefined();
    expect(seen[1]!.headers.authorization).toBeUndefined();
    expect(seen[1]!.headers['x-amz-request-payer']).toBe('requester');
  });

  it('to other services send no trailing checksums', async () => {
    answers = [(response) => void response.writeHead(200).end()];
    await signed().write('s3://scenes/x', content);
    expect(seen[0]!.headers['content-length']).toBe('1000');
    expect(seen[0]!.headers['x-amz-trailer']).toBeUndefined();
    expect(seen[0]!.headers['x-amz-sdk-checksum-algorithm']).toBeUndefined();
  });

  const REFUSALS: [string, (response: ServerResponse) => void, RegExp, boolean][] = [
    ['access denied', refuse(403, 'AccessDenied'), /: access denied, check the permissions/, false],
    ['a wrong key', refuse(403, 'InvalidAccessKeyId'), /: access denied: the access key is not known/, false],
    ['a wrong secret', refuse(403, 'SignatureDoesNotMatch'), /: access denied: the secret key does not fit/, false],
    ['an old token', refuse(400, 'ExpiredToken'), /: access denied: the credentials have expired/, false],
    [
      'a wrong region',
      refuse(400, 'AuthorizationHeaderMalformed', { 'x-amz-bucket-region': 'us-west-2' }),
      /is not in the region eu-west-1, it is in us-west-2: set AWS_REGION$/,
      false,
    ],
    ['a busy server', refuse(503, 'SlowDown'), /: HTTP 503 SlowDown$/, true],
    ['a broken server', refuse(500, 'InternalError'), /: HTTP 500 InternalError$/, true],
    ['a broken connection', (response) => void response.destroy(), /: ECONNRESET$/, true],
    ['an archived object', refuse(403, 'InvalidObjectState'), /: the object lies in an archive/, false],
    ['anything else', refuse(418, 'ImATeapot'), /: HTTP 418 ImATeapot$/, false],
  ];
  it.each(REFUSALS)('that meet %s end in one line without secrets', async (_, answer, message, retryable) => {
    answers = [answer];
    const error = await signed()
      .read('s3://scenes/x', head)
      .catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'StoreError', message: expect.stringMatching(message), facts: { retryable } });
    const text = JSON.stringify(error) + String((error as Error).message) + String((error as Error).stack);
    expect(text).not.toMatch(/wJalr|TOKENEXAMPLE|AKIA/);
    expect((error as Error).message).not.toContain('\n');
    expect((error as Error).cause).toBeUndefined();
  });

  it('without signature that are denied say so', async () => {
    answers = [refuse(403, 'AccessDenied')];
    await expect(s3Store({ endpoint, anonymous: true }).read('s3://scenes/x', head)).rejects.toThrow(
      'no credentials were sent',
    );
  });

  it('without credentials say where they were looked for', async () => {
    const before = process.env;
    process.env = { PATH: before.PATH, HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' };
    try {
      await expect(s3Store({ endpoint, region: 'us-east-1' }).read('s3://scenes/x', head)).rejects.toThrow(
        /^cannot read s3:\/\/scenes\/x: no credentials found: looked at the environment .* AWS_NO_SIGN_REQUEST=YES/,
      );
      await expect(
        s3Store({ endpoint, region: 'us-east-1', profile: 'gone' }).read('s3://scenes/x', head),
      ).rejects.toThrow('profile gone: no credentials found');
    } finally {
      process.env = before;
    }
  });

  it('that fail for a while are repeated, each attempt once', async () => {
    const cut = (response: ServerResponse) => {
      response.writeHead(206, { 'content-range': 'bytes 0-9/1000', 'content-length': 10 }).write(content.slice(0, 6));
      setTimeout(() => response.destroy(), 10);
    };
    const short = (response: ServerResponse) =>
      void response.writeHead(206, { 'content-range': 'bytes 0-4/1000', 'content-length': 5 }).end(content.slice(0, 5));
    answers = [
      refuse(503, 'SlowDown'),
      refuse(503, 'SlowDown'),
      cut,
      short,
      (r) => void r.writeHead(206, { 'content-range': 'bytes 0-9/1000', 'content-length': 10 }).flushHeaders(),
    ];
    let retries = 0;
    const store = withRetry(signed(), { baseMs: 1, timeoutMs: 300, onRetry: () => retries++ });
    expect(await store.read('s3://scenes/x', head)).toEqual(content.slice(0, 10));
    expect(retries).toBe(5);
    expect(seen).toHaveLength(6);
  });

  it('end when told', async () => {
    answers = [() => {}];
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(signed().read('s3://scenes/x', head, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('are not sent to addresses that are none', async () => {
    const error = await openS3({ endpoint: 'user:secret@nowhere' }).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'InputError' });
    expect((error as Error).message).not.toContain('secret');
  });

  it('know the buckets of open archives at AWS, and nowhere else', async () => {
    const heads = (r: ServerResponse) => void r.writeHead(200, { 'content-length': 1000 }).end();
    answers = [heads, heads, heads];
    const lookup = allIsHere();
    try {
      const aws = endpoint.replace('127.0.0.1', 's3.amazonaws.com');
      const store = s3Store({ endpoint: aws, pathStyle: true, credentials: CREDENTIALS });
      await store.stat('s3://usgs-landsat/a.tif');
      await store.stat('s3://sentinel-cogs/a.tif');
      const near = s3Store({ endpoint, region: 'us-east-1', credentials: CREDENTIALS });
      await near.stat('s3://usgs-landsat/a.tif');
    } finally {
      lookup.mockRestore();
    }
    const [pays, free, other] = seen.map(({ headers }) => headers);
    expect(pays).toMatchObject({
      'x-amz-request-payer': 'requester',
      authorization: expect.stringContaining('/us-west-2/s3/'),
    });
    expect(free!.authorization).toBeUndefined();
    expect(other!['x-amz-request-payer']).toBeUndefined();
    expect(other!.authorization).toContain('/us-east-1/s3/');
  });

  it('to AWS itself carry checksums, part by part and at the end', async () => {
    const lookup = allIsHere();
    try {
      answers = [
        BEGUN,
        (r) => void r.writeHead(200, { etag: '"p1"', 'x-amz-checksum-crc32': 'AAAAAA==' }).end(),
        (r) => void r.end('<?xml version="1.0"?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>'),
        (r) => void r.writeHead(200, { 'content-length': 1000 }).end(),
      ];
      const aws = endpoint.replace('127.0.0.1', 's3.eu-west-1.amazonaws.com');
      const store = s3Store({ endpoint: aws, pathStyle: true, region: 'eu-west-1', credentials: CREDENTIALS });
      const sink = await store.sink('s3://scenes/out', { overwrite: true });
      await sink.write(0, content);
      await sink.commit();
    } finally {
      lookup.mockRestore();
    }
    const [begin, part, end] = seen;
    expect(begin!.headers['x-amz-checksum-algorithm']).toBe('CRC32');
    expect(part!.headers['x-amz-checksum-crc32']).toBe(crc32Base64(content));
    expect(end!.body).toContain('<ChecksumCRC32>AAAAAA==</ChecksumCRC32>');
  });

  it('of an upload are repeated; the end whose answer was lost is known by its size', async () => {
    const lost = (response: ServerResponse) => void response.destroy();
    answers = [
      refuse(404, 'NotFound'), // It is not there yet.
      refuse(503, 'SlowDown'),
      BEGUN,
      refuse(500, 'InternalError'),
      (r) => void r.writeHead(200, { etag: '"p1"' }).end(),
      lost,
      refuse(404, 'NoSuchUpload'),
      (r) => void r.writeHead(200, { 'content-length': 1000 }).end(),
      (r) => void r.writeHead(200, { 'content-length': 1000 }).end(),
    ];
    const sink = await signed().sink('s3://scenes/out', { retry: { baseMs: 1 } });
    await sink.write(0, content);
    await sink.commit();
    expect(seen.map(({ method }) => method)).toEqual([
      'HEAD',
      'POST',
      'POST',
      'PUT',
      'PUT',
      'POST',
      'POST',
      'HEAD',
      'HEAD',
    ]);
  });

  it('of an upload that comes out short end in an error, and the object is removed', async () => {
    answers = [
      BEGUN,
      (r) => void r.writeHead(200, { etag: '"p1"' }).end(),
      (r) => void r.end('<?xml version="1.0"?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>'),
      (r) => void r.writeHead(200, { 'content-length': 999 }).end(),
      (r) => void r.writeHead(204).end(),
    ];
    const sink = await signed().sink('s3://scenes/out', { overwrite: true });
    await sink.write(0, content);
    await expect(sink.commit()).rejects.toThrow('1000 bytes were sent, and the bucket holds 999');
    expect(seen.at(-1)!.method).toBe('DELETE');
  });
});
