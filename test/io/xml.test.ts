import { describe, expect, it } from 'vitest';
import { elementsOf, parseXml, textOfElement } from '../../build/io/xml.js';

const parse = (text: string) => parseXml(new TextEncoder().encode(text), 'a.xml');

describe('the reader of XML metadata', () => {
  it('takes elements, attributes, text, comments and data sections', () => {
    const root = parse(
      '\uFEFF<?xml version="1.0"?>\n<!-- a --><n1:root xmlns:n1="x">\n <a k="1 &amp; 2" n1:l=\'"\'>t&lt;&#65;&#x42; <![CDATA[<b>&amp;]]></a><a/><c><a>3</a></c></n1:root>\n',
    );
    expect(root.name).toBe('root');
    const [first, second, third] = elementsOf(root, 'a');
    expect(first).toMatchObject({ text: 't<AB <b>&amp;', attributes: { k: '1 & 2', l: '"' } });
    expect(second).toMatchObject({ text: '', children: [] });
    expect(third!.text).toBe('3');
    expect(textOfElement(root, 'c')).toBeNull();
    expect(textOfElement(root, 'd')).toBeNull();
    expect(textOfElement(root, 'a')).toBe('t<AB <b>&amp;');
  });

  it.each([
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'XML without document types is wanted'],
    ['<a>&b;</a>', 'the entity &b; is not known'],
    ['<a>&toString;</a>', 'is not known'],
    ['<a>&#x110000;</a>', 'is not known'],
    ['<a> & b</a>', 'the entity'],
    ['<a><b></a>', '</a> ends <b>'],
    ['<a>', '<a> has no end'],
    ['</a>', '</a> ends <nothing>'],
    ['', 'it is empty'],
    ['hello', 'text stands outside'],
    ['<a/><b/>', 'two roots'],
    ['<a b=c/>', 'XML without document types'],
    ['<a b="<"/>', 'XML without document types'],
    ['<a'.repeat(10), 'XML without document types'],
    ['<a>'.repeat(65), 'nested deeper than 64'],
    [`<a>${'<b/>'.repeat(500_001)}</a>`, 'more than 500000 elements'],
  ])('refuses what is none: %#', (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  it('is done soon with hostile attributes', () => {
    const before = performance.now();
    expect(() => parse(`<a ${'b="c" '.repeat(50_000)}`)).toThrow();
    expect(() => parse(`<a${' '.repeat(200_000)}`)).toThrow();
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
