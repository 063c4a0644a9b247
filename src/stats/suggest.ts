/** Edits (insert, delete, replace) from a to b. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

/** Those of `known` that `word` may have meant, nearest first; none when all are far. */
function nearest(word: string, known: readonly string[]): string[] {
  const lower = word.toLowerCase();
  const near = known
    .map((name) => ({ name, edits: editDistance(lower, name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(Math.min(name.length, word.length) / 2)))
    .sort((a, b) => a.edits - b.edits);
  return near.slice(0, 3).map(({ name }) => name);
}

/** The end of an error message about an unknown word: `; did you mean "opening"?`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known).map((name) => JSON.stringify(name));
  return near.length ? `; did you mean ${near.join(' or ')}?` : '';
}
