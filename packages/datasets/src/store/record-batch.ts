import {
  type DataType,
  type Data,
  type FixedSizeList,
  Int32,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { encodeHalf, firstNonFinite } from './half.ts';
import type { FeatureDtype, FeatureRow, FeatureSpec, StoredRow } from './feature-spec.ts';
import { bytesOf, rowHash } from './row-hash.ts';
import { featuresType, tokensType, valueBytes } from './shard-schema.ts';

/**
 * Rows gathered for one record batch, already in the shard's own types. Its memory is used again for the
 * next batch, so a batch must be written before `clear`.
 */
export class RecordBatchBuilder {
  readonly #spec: FeatureSpec;
  readonly #dtype: FeatureDtype;
  #ids: Uint8Array[] = [];
  #lengths: number[] = [];
  #hashes: bigint[] = [];
  #steps = 0;
  /** [steps * dim] */
  #values: Uint16Array | Float32Array;
  /** [steps] and [2 * steps] */
  #tokenIds = new Int32Array(0);
  #tokenSpans = new Int32Array(0);

  constructor(spec: FeatureSpec, dtype: FeatureDtype) {
    this.#spec = spec;
    this.#dtype = dtype;
    this.#values = dtype === 'float16' ? new Uint16Array(0) : new Float32Array(0);
  }

  get rows(): number {
    return this.#ids.length;
  }

  /** Bytes of the feature values gathered. */
  get valueBytes(): number {
    return this.#steps * this.#spec.dim * valueBytes(this.#dtype);
  }

  /** The memory that holds the feature values of the batch. */
  get valuesMemory(): ArrayBufferLike {
    return this.#values.buffer;
  }

  /**
   * Adds a row.
   * @returns -1, or the index of the first value that can't be stored in this type; the row is not added then.
   */
  append(row: FeatureRow): number {
    const start = this.#steps * this.#spec.dim;
    const stored = this.#room(start + row.features.length);
    if (stored instanceof Uint16Array) {
      const misfit = encodeHalf(row.features, stored, start);
      if (misfit >= 0) return misfit;
    } else {
      const misfit = firstNonFinite(row.features);
      if (misfit >= 0) return misfit;
      stored.set(row.features, start);
    }
    this.#add(row, row.features.length);
    return -1;
  }

  /** Adds a row as a set gives it back, its values already of this type. */
  appendStored(row: StoredRow): void {
    const start = this.#steps * this.#spec.dim;
    const stored = this.#room(start + row.values.length);
    if (row.values.constructor !== stored.constructor)
      throw new Error(`${row.id}: its values are not ${this.#dtype}`);
    stored.set(row.values, start);
    this.#add(row, row.values.length);
  }

  #room(end: number): Uint16Array | Float32Array {
    if (end > this.#values.length) this.#values = grown(this.#values, end);
    return this.#values;
  }

  /** The rest of a row whose values are there. */
  #add(row: Omit<StoredRow, 'values'>, length: number): void {
    const start = this.#steps * this.#spec.dim;
    if (row.tokenIds && row.tokenSpans) {
      this.#tokenIds = grown(this.#tokenIds, this.#steps + row.n);
      this.#tokenSpans = grown(this.#tokenSpans, 2 * (this.#steps + row.n));
      this.#tokenIds.set(row.tokenIds, this.#steps);
      this.#tokenSpans.set(row.tokenSpans, 2 * this.#steps);
    }
    const id = new TextEncoder().encode(row.id);
    this.#hashes.push(
      rowHash(id, row.n, bytesOf(this.#values.subarray(start, start + length)), row.tokenIds),
    );
    this.#ids.push(id);
    this.#lengths.push(row.n);
    this.#steps += row.n;
  }

  /** The rows as a record batch over this builder's memory. */
  batch(schema: Schema, metadata?: Map<string, string>): RecordBatch {
    const rows = this.rows;
    const steps = this.#steps;
    const offsets = cumulative(this.#lengths);
    const columns: Data[] = [
      makeData({
        type: new Utf8(),
        length: rows,
        nullCount: 0,
        valueOffsets: cumulative(this.#ids.map((id) => id.length)),
        data: Buffer.concat(this.#ids),
      }),
      makeData({ type: new Int32(), length: rows, nullCount: 0, data: Int32Array.from(this.#lengths) }),
      this.#features(offsets),
    ];
    if (this.#spec.kind === 'text') {
      columns.push(tokens(this.#tokenIds.subarray(0, steps), offsets));
      columns.push(
        tokens(
          this.#tokenSpans.subarray(0, 2 * steps),
          offsets.map((o) => 2 * o),
        ),
      );
    }
    columns.push(
      makeData({ type: new Uint64(), length: rows, nullCount: 0, data: BigUint64Array.from(this.#hashes) }),
    );
    const type = new Struct(schema.fields);
    return new RecordBatch(
      schema,
      makeData({ type, length: rows, nullCount: 0, children: columns }),
      metadata,
    );
  }

  #features(offsets: Int32Array): Data {
    const type = featuresType(this.#spec.dim, this.#dtype);
    const stepType = type.children[0]?.type as FixedSizeList;
    const length = this.#steps * this.#spec.dim;
    const values = makeData({
      type: stepType.children[0]?.type as DataType,
      length,
      nullCount: 0,
      data: this.#values.subarray(0, length),
    } as Parameters<typeof makeData>[0]);
    const steps = makeData({ type: stepType, length: this.#steps, nullCount: 0, child: values });
    return makeData({ type, length: this.rows, nullCount: 0, valueOffsets: offsets, child: steps as never });
  }

  clear(): void {
    this.#ids = [];
    this.#lengths = [];
    this.#hashes = [];
    this.#steps = 0;
  }
}

function tokens(values: Int32Array, offsets: Int32Array): Data {
  const child = makeData({ type: new Int32(), length: values.length, nullCount: 0, data: values });
  return makeData({
    type: tokensType(),
    length: offsets.length - 1,
    nullCount: 0,
    valueOffsets: offsets,
    child,
  });
}

/** [k] -> [k + 1], starting at 0: Arrow's list offsets. */
function cumulative(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) offsets[i + 1] = (offsets[i] as number) + (lengths[i] as number);
  return offsets;
}

/** The array, or a copy at least twice as large that has room for `length` elements. */
function grown<T extends Uint16Array | Float32Array | Int32Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (n: number) => T)(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}
