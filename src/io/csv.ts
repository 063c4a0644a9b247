// Tables as text: commas, semicolons or tabs between cells.

export interface CsvRow {
  cells: string[];
  /** Of the row's beginning, from 1. */
  line: number;
}

/** Rows of a table: quoted cells may hold separators, line breaks and doubled quotes. Empty lines are passed over. */
export function* rowsOf(text: string, separator: string): Generator<CsvRow> {
  const token = new RegExp(
    `"([^"]*(?:""[^"]*)*)"|([^"\\r\\n${separator === '\t' ? '\\t' : separator}]+)|(\\r?\\n|\\r)|(.)`,
    'gs',
  );
  let row: CsvRow = { cells: [''], line: 1 };
  let line = 1;
  for (const [all, quoted, bare, end] of text.replace(/^\uFEFF/, '').matchAll(token)) {
    if (end === undefined) {
      if (quoted === undefined && bare === undefined && all === separator) row.cells.push('');
      else row.cells[row.cells.length - 1] += quoted?.replaceAll('""', '"') ?? bare ?? all;
      line += quoted === undefined ? 0 : (quoted.match(/\n/g)?.length ?? 0);
      continue;
    }
    line++;
    if (row.cells.some((cell) => cell.trim() !== '')) yield row;
    row = { cells: [''], line };
  }
  if (row.cells.some((cell) => cell.trim() !== '')) yield row;
}

/** The separator that the header has most of. */
export function separatorOf(text: string): string {
  const [header = ''] = text.split(/\r?\n/, 1);
  return [',', ';', '\t'].reduce((best, one) => (header.split(one).length > header.split(best).length ? one : best));
}
