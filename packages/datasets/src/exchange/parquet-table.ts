import {
  Field,
  Float64,
  Int32,
  Schema,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';

/** A column of a small table; null is an empty cell. */
export interface PlainColumn {
  readonly name: string;
  readonly values: readonly (string | number | null)[];
  /** `double` where all values are numbers, else text, unless `integer` says that they are whole ones. */
  readonly integer?: boolean;
}

/** A small table as the bytes of a Parquet file (zstd). Mixed columns become text. */
export async function encodeParquetTable(columns: readonly PlainColumn[]): Promise<Uint8Array> {
  const parquet = await import('parquet-wasm');
  const vectors = columns.map(vectorOf);
  const schema = new Schema(columns.map(({ name }, i) => new Field(name, (vectors[i] as Vector).type, true)));
  const table = new Table(
    schema,
    Object.fromEntries(columns.map(({ name }, i) => [name, vectors[i] as Vector])),
  );
  const properties = new parquet.WriterPropertiesBuilder()
    .setCompression(parquet.Compression.ZSTD)
    .setCreatedBy('lsgmer')
    .build();
  return parquet.writeParquet(parquet.Table.fromIPCStream(tableToIPC(table, 'stream')), properties);
}

function vectorOf({ values, integer = false }: PlainColumn): Vector {
  const present = values.filter((value) => value !== null);
  if (present.length === 0 || present.some((value) => typeof value === 'string'))
    return vectorFromArray(
      values.map((value) => (value === null ? null : String(value))),
      new Utf8(),
    );
  return vectorFromArray(values, integer ? new Int32() : new Float64());
}
