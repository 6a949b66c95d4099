import {
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import type { FeatureSet } from '../store/feature-set-reader.ts';
import { RecordBatchBuilder } from '../store/record-batch.ts';
import { META, shardSchema } from '../store/shard-schema.ts';
import type { ExportRow } from './export-row.ts';

/** Values that are handed to WebAssembly at once: its memory never shrinks, and stays small with small pieces. */
const PIECE_BYTES = 4 * 2 ** 20;
/** Bytes of a row group, about. */
const GROUP_BYTES = 32 * 2 ** 20;

/**
 * Rows as a Parquet file (zstd): the columns of a shard, checksums included; pooled rows as utterance_id, pooled_steps and a
 * fixed_size_list of float32.
 */
export class ParquetExport {
  readonly #set: FeatureSet;
  readonly #pooled: boolean;
  readonly #schema: Schema;

  constructor(set: FeatureSet, pooled: boolean) {
    this.#set = set;
    this.#pooled = pooled;
    const whole = shardSchema(set.spec, set.dtype, null);
    this.#schema = pooled ? pooledSchema(set, whole) : whole;
  }

  /** Bytes of the file, in order. */
  async *encode(rows: AsyncIterable<ExportRow>): AsyncGenerator<Uint8Array> {
    const parquet = await import('parquet-wasm');
    const pieces = this.#pooled ? this.#pooledPieces(rows) : this.#wholePieces(rows);
    const batches = new ReadableStream(
      {
        pull: async (controller) => {
          try {
            const next = await pieces.next();
            if (next.done === true) return controller.close();
            const table = parquet.Table.fromIPCStream(
              tableToIPC(new Table(this.#schema, [next.value]), 'stream'),
            );
            for (const batch of table.recordBatches()) controller.enqueue(batch);
            table.free();
          } catch (error) {
            failure = error;
            controller.error(error);
          }
        },
      },
      { highWaterMark: 0 },
    );
    let failure: unknown;
    const properties = new parquet.WriterPropertiesBuilder()
      .setCompression(parquet.Compression.ZSTD)
      .setDictionaryEnabled(false)
      .setStatisticsEnabled(parquet.EnabledStatistics.None)
      .setMaxRowGroupBytes(GROUP_BYTES)
      .setKeyValueMetadata(this.#schema.metadata)
      .setCreatedBy('lsgmer')
      .build();
    try {
      const bytes = await parquet.transformParquetStream(batches, properties);
      for await (const chunk of bytes) yield chunk as Uint8Array;
    } catch (error) {
      // WebAssembly would word the row's own error as one of its own
      throw failure ?? error;
    }
    if (failure !== undefined) throw failure;
  }

  async *#wholePieces(rows: AsyncIterable<ExportRow>): AsyncGenerator<RecordBatch> {
    const builder = new RecordBatchBuilder(this.#set.spec, this.#set.dtype);
    for await (const row of rows) {
      const added = row.values.byteLength;
      if (builder.rows > 0 && builder.valueBytes + added > PIECE_BYTES) {
        yield builder.batch(this.#schema);
        builder.clear();
      }
      builder.appendStored(row.stored);
    }
    if (builder.rows > 0) yield builder.batch(this.#schema);
  }

  async *#pooledPieces(rows: AsyncIterable<ExportRow>): AsyncGenerator<RecordBatch> {
    const most = Math.max(1, Math.floor(PIECE_BYTES / (4 * this.#set.dim)));
    let held: ExportRow[] = [];
    for await (const row of rows) {
      held.push(row);
      if (held.length < most) continue;
      yield pooledBatch(this.#schema, held, this.#set.dim);
      held = [];
    }
    if (held.length > 0) yield pooledBatch(this.#schema, held, this.#set.dim);
  }
}

function pooledSchema({ dim }: FeatureSet, { metadata }: Schema): Schema {
  const vector = new FixedSizeList(dim, new Field('item', new Float32(), false));
  const fields = [
    new Field('utterance_id', new Utf8(), false),
    new Field('pooled_steps', new Int32(), false),
    new Field('features', vector, false),
  ];
  return new Schema(
    fields,
    new Map(
      [...metadata, ['lsgmer.pool', 'mean']].filter(([key]) => key !== META.format) as [string, string][],
    ),
  );
}

function pooledBatch(schema: Schema, rows: readonly ExportRow[], dim: number): RecordBatch {
  const ids = rows.map(({ id }) => Buffer.from(id, 'utf8'));
  const offsets = new Int32Array(rows.length + 1);
  ids.forEach((id, i) => (offsets[i + 1] = (offsets[i] as number) + id.length));
  const values = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => values.set(row.values, i * dim));
  const length = rows.length;
  const none = { nullCount: 0 };
  const columns = [
    makeData({ type: new Utf8(), length, ...none, valueOffsets: offsets, data: Buffer.concat(ids) }),
    makeData({ type: new Int32(), length, ...none, data: Int32Array.from(rows, ({ n }) => n) }),
    makeData({
      type: schema.fields[2]?.type as FixedSizeList<Float32>,
      length,
      ...none,
      child: makeData({ type: new Float32(), length: values.length, ...none, data: values }),
    }),
  ];
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length, ...none, children: columns }),
  );
}
