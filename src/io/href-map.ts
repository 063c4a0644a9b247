import { InputError } from '../errors.js';
import { isInside, schemeOf } from './href.js';

/**
 * Where files lie elsewhere than they are said to: `s3://bucket/=DIR` takes `s3://bucket/a/b.tif` from `DIR/a/b.tif`. The longest
 * beginning that fits wins.
 * @throws InputError for what is no map, and for addresses that would lead out of DIR
 */
export function hrefMap(rules: readonly string[]): (href: string) => string {
  const moves = rules.map((rule) => {
    const [, from, to] = /^([a-z][a-z0-9+.-]+:\/\/[^=]*\/)=(.+)$/i.exec(rule) ?? [];
    if (!from || !to)
      throw new InputError(`a map of addresses is like s3://bucket/=DIR, not ${JSON.stringify(rule.slice(0, 100))}`, {
        option: 'href-map',
      });
    const folder = to.replace(/^(?:\.\/)+(?=.)/, '');
    return { from, to: folder.endsWith('/') ? folder : `${folder}/` };
  });
  moves.sort((a, b) => b.from.length - a.from.length);
  if (moves.length === 0) return (href) => href;
  return (href) => {
    const move = moves.find(({ from }) => href.startsWith(from));
    if (!move) return href;
    const rest = href.slice(move.from.length);
    const path = move.to + (schemeOf(move.to) === null ? rest.replace(/[?#].*$/, '') : rest);
    if (rest.split(/[\\/]/).includes('..') || !isInside(path, move.to))
      throw new InputError(`${href} leads out of ${move.to}`, { option: 'href-map', url: href });
    return path;
  };
}
