import { createHash } from 'node:crypto';

/** Of all UUIDs that odc-stats makes. */
const NAMESPACE = '6f34c6f4-13d6-43c0-8e4e-42b6c13203af';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A name-based UUID (RFC 4122, version 5). */
function uuid5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

export interface UuidFacts {
  /** The product that is made, or the algorithm. */
  name: string;
  version: string;
  /** UUIDs of the inputs. */
  sources?: readonly string[];
  /** Like `{ time: '2019--P1Y', tile: '(5, 6)' }`. */
  tags?: Readonly<Record<string, string>>;
}

/** The UUID that odc-stats gives to what is made of the same inputs by the same product: equal inputs, equal id. */
export function odcUuid({ name, version, sources = [], tags = {} }: UuidFacts): string {
  const lines = [
    name,
    version,
    '',
    ...Object.entries(tags)
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
    ...[...sources].sort(),
  ];
  return uuid5(NAMESPACE, lines.join('\n').toLowerCase());
}

/**
 * The UUID that Open Data Cube knows a STAC item by: its own id where that is one; else made from collection and id, for Sentinel-2 from
 * the product's name (`label`).
 */
export function itemUuid(item: { id: string; collection: string; label?: string | null }): string {
  const { id, collection, label } = item;
  if (UUID.test(id)) return id.toLowerCase();
  const isSentinel2 = /^(s2|sentinel[-_]?2)/i.test(collection) && label && /^S2[A-D]_/i.test(label);
  const [name, key] = isSentinel2 ? ['sentinel-2', label] : [collection, id];
  return uuid5(NAMESPACE, `${name}_stac_process\n1.0.0\n\n${key}`.toLowerCase());
}
