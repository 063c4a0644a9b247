import { InputError } from '../errors.js';

/** What a document may hold; hostile ones are longer. */
const MAX_CHARACTERS = 2 ** 20;

/**
 * A YAML document as plain values, read as PyYAML does (YAML 1.1: `yes` is true, dates are dates). Aliases may not multiply.
 * @param where it is from, for messages
 */
export async function parseYaml(text: string, where: string): Promise<unknown> {
  if (text.length > MAX_CHARACTERS)
    throw new InputError(`${where} has ${text.length} characters: the limit is ${MAX_CHARACTERS}`, {
      option: 'config',
    });
  const { parse } = await import('yaml');
  try {
    return parse(text, { version: '1.1', merge: true, prettyErrors: false, logLevel: 'error', maxAliasCount: 100 });
  } catch (cause) {
    throw new InputError(`${where} is not YAML: ${(cause as Error).message}`, { option: 'config' }, { cause });
  }
}

/** A list that is written on one line. */
export class YamlLine {
  readonly list: readonly unknown[];

  constructor(list: readonly unknown[]) {
    this.list = list;
  }
}

/** A number that is a float wherever it is read: `30.0`. */
export class YamlFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** An instant, ISO 8601: readers make a date of it. */
export class YamlTime {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface YamlStyle {
  /** Above the first key. */
  comment?: string;
  /** Keys with an empty line before them. */
  spaced?: readonly string[];
}

/**
 * An object as a YAML document whose beginning and end are marked, to tell one that was cut off. What one of YAML 1.1 and 1.2 would not
 * take for text is quoted.
 */
export async function writeYaml(value: Readonly<Record<string, unknown>>, style: YamlStyle = {}): Promise<string> {
  const { Document, isMap, isScalar, Scalar } = await import('yaml');
  const document = new Document(null, {
    version: '1.1',
    compat: 'core',
    aliasDuplicateObjects: false,
    customTags: (tags) => [
      {
        tag: 'tag:yaml.org,2002:timestamp',
        default: true,
        test: /^(?!)/,
        identify: (one: unknown) => one instanceof YamlTime,
        resolve: (text: string) => text,
        stringify: (node: { value: unknown }) => (node.value as YamlTime).text,
      },
      ...tags,
    ],
  });
  const nodeOf = (one: unknown): unknown => {
    if (one instanceof YamlLine) return document.createNode(one.list.map(nodeOf), { flow: true });
    if (one instanceof YamlFloat) return Object.assign(new Scalar(one.value), { minFractionDigits: 1 });
    if (one instanceof YamlTime) return one;
    if (Array.isArray(one)) return one.map(nodeOf);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, part]) => [key, nodeOf(part)]));
  };
  const root = document.createNode(nodeOf(value));
  if (isMap(root))
    for (const { key } of root.items)
      if (isScalar(key) && style.spaced?.includes(String(key.value))) key.spaceBefore = true;
  if (style.comment) root.commentBefore = ` ${style.comment}`;
  document.contents = root as typeof document.contents;
  document.directives!.docStart = true;
  document.directives!.docEnd = true;
  return document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false });
}
