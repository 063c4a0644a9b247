// Tables as Parquet files. The only file that knows the library.
import type { ColumnSource } from 'hyparquet-writer';

/** Values of a column, one a row; null is missing. `f64` takes NaN as missing. */
export type ParquetColumn =
  | { name: string; type: 'f64'; data: Float64Array }
  /** Dates are days since 1970. */
  | { name: string; type: 'i32' | 'date'; data: Int32Array }
  | { name: string; type: 'i32?'; data: readonly (number | null)[] }
  | { name: string; type: 'text'; data: readonly (string | null)[] }
  | { name: string; type: 'bytes'; data: readonly (Uint8Array | null)[] }
  /** Milliseconds since 1970. */
  | { name: string; type: 'time'; data: readonly number[] }
  /** Lists of days since 1970. */
  | { name: string; type: 'dates'; data: readonly (readonly number[])[] };

interface Element {
  name: string;
  type?: 'INT32' | 'INT64' | 'DOUBLE' | 'BYTE_ARRAY';
  converted_type?: 'DATE' | 'UTF8' | 'TIMESTAMP_MILLIS' | 'LIST';
  repetition_type?: 'REQUIRED' | 'OPTIONAL' | 'REPEATED';
  num_children?: number;
}

/** The part of the schema that describes a column. */
function elementsOf({ name, type }: ParquetColumn): Element[] {
  const [required, optional] = [
    { name, repetition_type: 'REQUIRED' },
    { name, repetition_type: 'OPTIONAL' },
  ] as const;
  if (type === 'f64') return [{ ...optional, type: 'DOUBLE' }];
  if (type === 'i32') return [{ ...required, type: 'INT32' }];
  if (type === 'i32?') return [{ ...optional, type: 'INT32' }];
  if (type === 'date') return [{ ...required, type: 'INT32', converted_type: 'DATE' }];
  if (type === 'text') return [{ ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
  if (type === 'bytes') return [{ ...optional, type: 'BYTE_ARRAY' }];
  if (type === 'time') return [{ ...required, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }];
  return [
    { ...required, converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'INT32', converted_type: 'DATE', repetition_type: 'REQUIRED' },
  ];
}

function sourceOf(column: ParquetColumn): ColumnSource {
  const { name } = column;
  switch (column.type) {
    case 'f64': {
      const { data } = column;
      const values = data.some(Number.isNaN) ? Array.from(data, (v) => (Number.isNaN(v) ? null : v)) : data;
      // Models' numbers hardly repeat, and their least and largest tell nobody anything.
      return { name, data: values as ColumnSource['data'], encoding: 'PLAIN', statistics: false };
    }
    case 'bytes':
      return { name, data: column.data as ColumnSource['data'], encoding: 'PLAIN', statistics: false };
    case 'time':
      return { name, data: column.data.map((ms) => new Date(ms)) };
    default:
      return { name, data: column.data as ColumnSource['data'] };
  }
}

/** A table as the bytes of a Parquet file of one row group, compressed with Snappy. Columns must be of one length. */
export async function encodeParquet(
  columns: readonly ParquetColumn[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const { ByteWriter, parquetWrite } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    columnData: columns.map(sourceOf),
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)],
    rowGroupSize: Math.max(1, columns[0]?.data.length ?? 0),
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'stackwise',
  });
  return new Uint8Array(writer.getBuffer());
}
