import {
  type Data,
  Field,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint8,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';

/** A column of a small table that is written at once: its name, and its rows as Arrow data. */
export interface Column {
  readonly name: string;
  readonly data: Data;
}

export function utf8Column(name: string, values: readonly string[]): Column {
  return { name, data: vectorFromArray(values, new Utf8()).data[0] ?? makeData({ type: new Utf8() }) };
}

export function int32Column(name: string, values: readonly number[]): Column {
  return { name, data: makeData({ type: new Int32(), data: Int32Array.from(values) }) };
}

export function float32Column(name: string, values: readonly number[]): Column {
  return { name, data: makeData({ type: new Float32(), data: Float32Array.from(values) }) };
}

/** list<float32> or list<uint8>, by the rows' own type. */
export function listColumn(
  name: string,
  kind: 'float32' | 'uint8',
  rows: readonly (Float32Array | Uint8Array)[],
): Column {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => (offsets[i + 1] = (offsets[i] as number) + row.length));
  const total = offsets[rows.length] as number;
  const values = kind === 'uint8' ? new Uint8Array(total) : new Float32Array(total);
  rows.forEach((row, i) => values.set(row, offsets[i]));
  const child: Data =
    kind === 'uint8'
      ? makeData({ type: new Uint8(), data: values as Uint8Array })
      : makeData({ type: new Float32(), data: values as Float32Array });
  const type = new List(new Field('item', child.type, false));
  return { name, data: makeData({ type, valueOffsets: offsets, child }) };
}

/** Bytes of an Arrow IPC file with these columns and this metadata in its schema. */
export function encodeTable(columns: readonly Column[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const fields = columns.map(({ name, data }) => new Field(name, data.type, false));
  const schema = new Schema(fields, new Map(metadata));
  const length = columns[0]?.data.length ?? 0;
  const children = columns.map(({ data }) => data);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, children }));
  return tableToIPC(new Table(schema, batch), 'file');
}

/**
 * Reads such a file.
 * @throws Error where it is none, or lacks a column; callers add the file's name
 */
export function decodeTable(
  bytes: Uint8Array,
  names: readonly string[],
): {
  readonly rows: number;
  readonly metadata: ReadonlyMap<string, string>;
  readonly column: (name: string) => { get(row: number): unknown };
} {
  const table = tableFromIPC(bytes);
  const lacking = names.filter((name) => table.getChild(name) === null);
  if (lacking.length > 0) throw new Error(`no column ${lacking.join(', ')}`);
  return {
    rows: table.numRows,
    metadata: table.schema.metadata,
    column: (name) => table.getChild(name) as { get(row: number): unknown },
  };
}

/** The floats of a list<float32> in a row. */
export function floatsAt(column: { get(row: number): unknown }, row: number): Float32Array {
  return (column.get(row) as { toArray(): Float32Array }).toArray();
}

/** The bytes of a list<uint8> in a row. */
export function bytesAt(column: { get(row: number): unknown }, row: number): Uint8Array {
  return (column.get(row) as { toArray(): Uint8Array }).toArray();
}
