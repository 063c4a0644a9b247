import { InputError } from '../../errors.js';

/** Inputs of tasks: datasets of all groups together; those of one group are fused into one. */
export interface ProductList {
  /** As it was given. */
  text: string;
  /** Product names; a group of one is a plain product. */
  groups: readonly (readonly string[])[];
  /** Folders that are no collection of an index: `s3://bucket/derivative/name/`. */
  folders: readonly string[];
}

/** Dashes divide names only where each of them is a name of Open Data Cube, words joined by underscores: `sentinel-2-l2a` is one name. */
function divided(text: string): string[] {
  const parts = text.split(/-+/).filter(Boolean);
  return parts.length > 1 && parts.every((part) => part.includes('_')) ? parts : [text];
}

/**
 * `a-b` or `a,b` are the datasets of both, `a+b` those of both fused (same time and region: one dataset with all bands).
 * @throws InputError for an empty name, and for a name that stands twice in one group
 */
export function parseProductList(text: string): ProductList {
  const folders: string[] = [];
  const rest = text.replace(/s3:\/\/[^\s,+]+?\/(?=$|[,+\s]|-+(?:s3:|\w+_))/gi, (folder) => {
    folders.push(folder);
    return '';
  });
  if (/s3:\/\//i.test(rest))
    throw new InputError(`a folder among products ends with a slash: ${rest.slice(0, 100)}`, {
      option: 'input-products',
    });
  if (folders.length > 0 && text.includes('+'))
    throw new InputError(`folders are not fused with products: ${text.slice(0, 100)}`, { option: 'input-products' });
  const groups = rest
    .split(',')
    .flatMap((part) => divided(part.trim().replace(/^[-+]+|[-+]+$/g, '')))
    .filter(Boolean)
    .map((group) => group.split(/[+]+/).map((name) => name.trim()));
  if (groups.length + folders.length === 0 || groups.flat().some((name) => !/^[\w.:-]+$/.test(name)))
    throw new InputError(
      `products are names, like a, a-b (all of both) or a+b (fused), not ${JSON.stringify(text.slice(0, 80))}`,
      { option: 'input-products' },
    );
  for (const group of groups)
    if (new Set(group).size < group.length)
      throw new InputError(`${group.join('+')} fuses a product with itself`, { option: 'input-products' });
  return { text, groups, folders };
}
