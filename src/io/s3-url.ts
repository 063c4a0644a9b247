import { InputError } from '../errors.js';

/** Where an object, or a folder of objects, lies. */
export interface S3Place {
  bucket: string;
  /** As it is: nothing is percent-encoded. "" for the bucket itself. */
  key: string;
}

/** Takes `s3://bucket/key` apart; the key stands as it is, as in other programs: `%20` is three characters of it. */
export function parseS3Url(url: string): S3Place {
  const found = /^s3:\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:\/([\s\S]*))?$/i.exec(url);
  if (!found) throw new InputError(`${url} is no S3 address: s3://bucket/key is wanted`, { url });
  return { bucket: found[1]!, key: found[2] ?? '' };
}

/** The same for one object, which must have a name. */
export function parseS3Object(url: string): S3Place {
  const place = parseS3Url(url);
  if (place.key === '' || place.key.endsWith('/'))
    throw new InputError(`${url} is a folder: the address of an object, s3://bucket/key, is wanted`, { url });
  return place;
}
