// Pieces of SVG as text; the same input gives the same bytes.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text that stands in SVG as it is read; characters that XML cannot hold are left out. */
export function escapeText(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\ufffe\uffff]/gu, '').replace(/[&<>"]/g, (c) => ENTITIES[c]!);
}

/** A coordinate to a tenth of a pixel. */
export const px = (value: number): string => String(Math.round(value * 10) / 10 + 0);

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `<name a="…">inner</name>`; numbers as pixels, what is undefined left out. */
export function element(name: string, attributes: Attributes, inner = ''): string {
  const given = Object.entries(attributes).flatMap(([key, value]) => {
    return value === undefined ? [] : [` ${key}="${typeof value === 'number' ? px(value) : escapeText(value)}"`];
  });
  return inner === '' ? `<${name}${given.join('')}/>` : `<${name}${given.join('')}>${inner}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapeText(content));
}

/** Helvetica's narrow and wide characters, the others between; as parts of their size. Enough to keep labels apart. */
const WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[\s.,:;'|!()[\]fijlrtI·/-]/, 0.3],
  [/[mwMW@%]/, 0.86],
  [/./, 0.57],
];

/** About how wide a text is, px. */
export function textWidth(content: string, size: number): number {
  const width = (character: string) => WIDTHS.find(([characters]) => characters.test(character))?.[1] ?? 0.57;
  return size * [...content].reduce((sum, character) => sum + width(character), 0);
}

/** Shortened so that it is no wider. */
export function fitting(content: string, size: number, widthPx: number): string {
  const characters = [...content];
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, size) > widthPx) characters.pop();
  return textWidth(content, size) <= widthPx ? content : `${characters.join('')}…`;
}
