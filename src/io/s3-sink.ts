import { InputError, StackwiseError, StoreError } from '../errors.js';
import { type RetryOptions, retrying } from './retry.js';
import type { S3, S3Part } from './s3.js';
import { parseS3Object } from './s3-url.js';
import type { Sink } from './sink.js';

/** Parts of this size; the least that S3 takes is 5 MiB. */
const PART_BYTES = 8 * 2 ** 20;
/** S3 takes 10 000 parts: after so many of one size they double, which is enough for 480 GiB. */
const PARTS_OF_ONE_SIZE = 2000;
/** Parts under way at a time: memory is bounded by one more of them. */
const AT_ONCE = 2;

const partBytesOf = (index: number) => PART_BYTES * 2 ** Math.floor(index / PARTS_OF_ONE_SIZE);

export interface S3SinkOptions {
  overwrite?: boolean;
  retry?: RetryOptions;
  signal?: AbortSignal;
}

async function exists(s3: S3, url: string, retry: RetryOptions): Promise<boolean> {
  const place = parseS3Object(url);
  try {
    await retrying({ url, attempt: ({ signal }) => s3.head(url, place, signal) }, retry);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.facts.status === 404) return false;
    throw error;
  }
}

/** The requests of one upload, repeated where that helps. */
class Upload {
  readonly parts: S3Part[] = [];
  readonly #s3: S3;
  readonly #url: string;
  readonly #id: string;
  readonly #retry: RetryOptions;

  constructor(s3: S3, url: string, id: string, retry: RetryOptions) {
    this.#s3 = s3;
    this.#url = url;
    this.#id = id;
    this.#retry = retry;
  }

  get #place() {
    return { ...parseS3Object(this.#url), id: this.#id };
  }

  async send(number: number, bytes: Uint8Array): Promise<void> {
    const url = this.#url;
    const part = { ...this.#place, number, bytes };
    const work = {
      url,
      uploadBytes: bytes.length,
      attempt: ({ signal }: { signal: AbortSignal }) => this.#s3.putPart(url, part, signal),
    };
    this.parts[number - 1] = await retrying(work, this.#retry);
  }

  /** Makes the object visible, and looks whether all of it is there. */
  async end(totalBytes: number): Promise<void> {
    const url = this.#url;
    const place = parseS3Object(url);
    const whole = { ...this.#place, parts: this.parts };
    try {
      await retrying({ url, attempt: ({ signal }) => this.#s3.endUpload(url, whole, signal) }, this.#retry);
    } catch (error) {
      // An attempt whose answer was lost may have ended it: then the size will tell.
      if (!(error instanceof StoreError && error.facts.status === 404)) throw error;
      const there = await retrying(
        { url, attempt: ({ signal }) => this.#s3.head(url, place, signal) },
        this.#retry,
      ).catch(() => null);
      if (there?.bytes !== totalBytes) throw error;
    }
    const { bytes } = await retrying({ url, attempt: ({ signal }) => this.#s3.head(url, place, signal) }, this.#retry);
    if (bytes === totalBytes) return;
    await this.#s3.remove(url, place).catch(() => {});
    throw new StoreError(`cannot write ${url}: ${totalBytes} bytes were sent, and the bucket holds ${bytes}`, { url });
  }

  async abort(): Promise<void> {
    await this.#s3.abortUpload(this.#url, this.#place).catch(() => {});
  }
}

/**
 * An object that is written from its first byte to its last, by multipart upload: nothing is visible before `commit`, and `abort`
 * leaves nothing. Holds {@link AT_ONCE} + 1 parts in memory. Cannot be read back.
 *
 * @throws InputError when the object exists and `overwrite` is not given; StoreError at once when the bucket does not take it
 */
export async function openS3Sink(
  s3: S3,
  url: string,
  { overwrite = false, retry = {} }: S3SinkOptions = {},
): Promise<Sink> {
  const place = parseS3Object(url);
  if (!overwrite && (await exists(s3, url, retry)))
    throw new InputError(`the output ${url} exists already; it is replaced only with overwrite`, { url });
  const id = await retrying({ url, attempt: ({ signal }) => s3.beginUpload(url, place, signal) }, retry);
  const upload = new Upload(s3, url, id, retry);
  let buffer = new Uint8Array(PART_BYTES);
  let filled = 0;
  let end = 0;
  let count = 0;
  let isOpen = true;
  const underWay = new Set<Promise<void>>();
  let failure: unknown = null;

  const flush = async (): Promise<void> => {
    const bytes = buffer.subarray(0, filled);
    const sending = upload.send(++count, bytes).catch((error) => {
      failure ??= error;
    });
    underWay.add(sending);
    void sending.then(() => underWay.delete(sending));
    buffer = new Uint8Array(partBytesOf(count));
    filled = 0;
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    if (failure) throw failure;
  };

  return {
    async write(offset, bytes) {
      if (offset !== end)
        throw new StackwiseError(`${url} is written in order: byte ${end} is next, not ${offset}`, { url });
      end += bytes.length;
      for (let done = 0; done < bytes.length; ) {
        const part = bytes.subarray(done, done + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        done += part.length;
        if (filled === buffer.length) await flush();
      }
    },
    async read() {
      throw new StackwiseError(`${url} cannot be read while it is written`, { url });
    },
    async commit() {
      if (filled > 0 || count === 0) await flush();
      await Promise.all(underWay);
      if (failure) throw failure;
      await upload.end(end);
      isOpen = false;
    },
    async abort() {
      if (!isOpen) return;
      isOpen = false;
      await Promise.all(underWay);
      await upload.abort();
    },
  };
}
