const MOST_LINES = 12;

/** Lines that name files: when there are many, the first and the last ones. */
export function someFiles(files: readonly string[]): string[] {
  if (files.length <= MOST_LINES) return [...files];
  return [...files.slice(0, 3), `… ${files.length - 5} more`, ...files.slice(-2)];
}
