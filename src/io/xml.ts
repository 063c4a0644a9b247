import { FormatError } from '../errors.js';

/** An element; prefixes of names are left out. */
export interface XmlElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly XmlElement[];
  /** What stands directly in it, entities resolved, trimmed. */
  text: string;
}

/** Limits against hostile documents. */
const MAX_BYTES = 16 * 2 ** 20;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 500_000;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
/** Sticky: each matches where the last one ended. */
const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)((?:\s+[^\s<>/=]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

const localName = (name: string) => name.slice(name.indexOf(':') + 1);

function unescaped(text: string, wrong: (reason: string) => FormatError): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;\s]{0,12});?/g, (_, entity: string) => {
    const number = /^#x([0-9a-f]{1,6})$/i.exec(entity) ?? /^#(\d{1,7})$/.exec(entity);
    const code = number ? Number.parseInt(number[1]!, entity[1]!.toLowerCase() === 'x' ? 16 : 10) : -1;
    if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
    const known = Object.hasOwn(ENTITIES, entity) ? ENTITIES[entity] : undefined;
    if (known === undefined) throw wrong(`the entity &${entity}; is not known`);
    return known;
  });
}

/** An element under construction. */
interface Open extends XmlElement {
  children: XmlElement[];
  attributes: Record<string, string>;
  tag: string;
}

/**
 * Reads what product metadata is made of: elements, attributes, text. Document types, and with them entities of a document's own, are
 * refused; size, depth and number of elements are bounded.
 * @throws FormatError that names `url` and the place
 */
export function parseXml(bytes: Uint8Array, url: string): XmlElement {
  const wrong = (reason: string) => new FormatError(`${url} is no metadata that can be read: ${reason}`, { url });
  if (bytes.length > MAX_BYTES) throw wrong(`it has ${bytes.length} bytes, and the limit is ${MAX_BYTES}`);
  const text = new TextDecoder().decode(bytes);
  const open: Open[] = [];
  let root: Open | null = null;
  let count = 0;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (!token)
      throw wrong(`XML without document types is wanted, and at character ${at} stands "${text.slice(at, at + 20)}"`);
    const [, data, end, begin, attributes, empty, plain] = token;
    const top = open.at(-1);
    if (begin !== undefined) {
      if (++count > MAX_ELEMENTS) throw wrong(`it has more than ${MAX_ELEMENTS} elements`);
      if (open.length >= MAX_DEPTH) throw wrong(`it is nested deeper than ${MAX_DEPTH}`);
      if (!top && root) throw wrong('it has two roots');
      const element: Open = {
        tag: begin,
        name: localName(begin),
        attributes: Object.create(null),
        children: [],
        text: '',
      };
      for (const [, name, double, single] of attributes!.matchAll(ATTRIBUTE))
        element.attributes[localName(name!)] = unescaped((double ?? single)!, wrong);
      top?.children.push(element);
      root ??= element;
      if (!empty) open.push(element);
    } else if (end !== undefined) {
      if (top?.tag !== end) throw wrong(`</${end}> ends <${top?.tag ?? 'nothing'}>`);
      top.text = top.text.trim();
      open.pop();
    } else if (data !== undefined || plain !== undefined) {
      if (top) top.text += data ?? unescaped(plain!, wrong);
      else if ((data ?? plain)!.replace('\uFEFF', '').trim()) throw wrong('text stands outside of its root');
    }
  }
  if (open.length > 0 || !root) throw wrong(root ? `<${open.at(-1)!.tag}> has no end` : 'it is empty');
  return root;
}

/** All elements of a name, in document order. */
export function elementsOf(root: XmlElement, name: string): XmlElement[] {
  const own = root.name === name ? [root] : [];
  return [...own, ...root.children.flatMap((child) => elementsOf(child, name))];
}

/** The text of the first element of a name; null where there is none, or nothing in it. */
export function textOfElement(root: XmlElement, name: string): string | null {
  return elementsOf(root, name)[0]?.text || null;
}
