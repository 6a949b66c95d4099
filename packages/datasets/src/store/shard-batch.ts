import { Message } from 'apache-arrow';
import { DamageError } from './damage-error.ts';
import type { FeatureDtype, FeatureSpec } from './feature-spec.ts';
import { valueBytes } from './shard-schema.ts';

/** Bytes of a shard outside its feature values, by their place in the file. */
export interface MetadataBytes {
  /** Size of the file. */
  readonly size: number;
  /** A copy. @throws DamageError where these bytes are not there. */
  copy(position: number, length: number): Uint8Array;
}

/** What a shard says about its rows, in row order. */
export interface ShardMetadata {
  readonly ids: readonly string[];
  /** UTF-8 of each id. */
  readonly idBytes: readonly Uint8Array[];
  /** Steps of each row. [rows] */
  readonly lengths: Int32Array;
  /** Byte of the file where each row's values begin. [rows] */
  readonly positions: Float64Array;
  /** [rows] */
  readonly hashes: BigUint64Array;
  /** Steps before each row, and in all: row r has tokens firstSteps[r] to firstSteps[r + 1]. [rows + 1] */
  readonly firstSteps: Int32Array;
  /** Text only: [steps] and [2 * steps]. */
  readonly tokenIds: Int32Array | null;
  readonly tokenSpans: Int32Array | null;
}

/** What a record batch's message says: how many rows, and where each buffer of its body begins. */
export interface BatchHeader {
  readonly rows: number;
  /** Byte of the file for each buffer, column by column, depth first. */
  readonly buffers: readonly number[];
  /** Key and value as the writer chose them. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The rows of one record batch. */
export interface Batch {
  readonly rows: number;
  readonly idBytes: readonly Uint8Array[];
  readonly lengths: Int32Array;
  readonly hashes: BigUint64Array;
  readonly tokenIds: Int32Array;
  readonly tokenSpans: Int32Array;
  /** Byte of the file where the batch's feature values begin. */
  readonly values: number;
}

/** Buffers of a batch's columns: the types' own buffers are named in `readColumns`. */
export function bufferCount(kind: FeatureSpec['kind']): number {
  return 3 + 2 + 2 + 1 + 2 + (kind === 'text' ? 8 : 0) + 2;
}

/** Interprets the message of a batch, whose bytes are known to be right. */
export function decodeHeader(
  outside: MetadataBytes,
  offset: number,
  metaDataLength: number,
  shard: string,
): BatchHeader {
  const message = Message.decode(outside.copy(offset + 8, metaDataLength - 8)); // after the marker and the length
  const header = message.isRecordBatch() ? message.header() : null;
  if (!header || header.compression || header.nodes.some((node) => node.nullCount !== 0)) {
    throw new DamageError(shard, `at byte ${offset} an uncompressed record batch without nulls is expected`);
  }
  const body = offset + metaDataLength;
  const { metadata } = message;
  return { rows: header.length, buffers: header.buffers.map((buffer) => body + buffer.offset), metadata };
}

/**
 * Reads all columns of a batch but the feature values. Arrow lists a batch's buffers column by column, depth
 * first; each type's own buffers are named below.
 * @throws DamageError when the columns contradict each other or point outside the file.
 */
export function readColumns(
  outside: MetadataBytes,
  { rows, buffers }: Omit<BatchHeader, 'metadata'>,
  kind: FeatureSpec['kind'],
  shard: string,
): Batch {
  let next = 0;
  const region = (): number => buffers[next++] ?? Number.NaN;
  const int32 = (count: number): Int32Array => new Int32Array(outside.copy(region(), 4 * count).buffer);
  const validity = (): void => void next++;

  validity(); // utterance_id: validity, offsets, characters
  const idOffsets = int32(rows + 1);
  const characters = outside.copy(region(), idOffsets[rows] as number);
  const idBytes = Array.from({ length: rows }, (_, r) => characters.subarray(idOffsets[r], idOffsets[r + 1]));
  validity(); // n: validity, values
  const lengths = int32(rows);
  const steps = sums(lengths);
  const total = steps[rows] as number;
  const checkOffsets = (factor: number): void => {
    if (int32(rows + 1).some((o, r) => o !== factor * (steps[r] as number))) {
      throw new DamageError(
        shard,
        `in the batch before byte ${buffers.at(-1)} the lists are not as long as n says`,
      );
    }
  };
  validity(); // features: validity, offsets; step: validity; value: validity, values
  checkOffsets(1);
  validity();
  validity();
  const values = region();
  let tokenIds: Int32Array = new Int32Array(0);
  let tokenSpans: Int32Array = new Int32Array(0);
  if (kind === 'text') {
    validity(); // token_ids: validity, offsets; item: validity, values
    checkOffsets(1);
    validity();
    tokenIds = int32(total);
    validity(); // token_spans: the same
    checkOffsets(2);
    validity();
    tokenSpans = int32(2 * total);
  }
  validity(); // xxh64: validity, values
  const hashes = new BigUint64Array(outside.copy(region(), 8 * rows).buffer);
  return { rows, idBytes, lengths, hashes, tokenIds, tokenSpans, values };
}

/** Puts batches one behind the other. @throws DamageError for a row without steps. */
export function joinBatches(
  batches: readonly Batch[],
  spec: FeatureSpec,
  dtype: FeatureDtype,
  shard: string,
): ShardMetadata {
  const text = spec.kind === 'text';
  const idBytes = batches.flatMap((batch) => batch.idBytes);
  const lengths = joined(
    Int32Array,
    batches.map((batch) => batch.lengths),
  );
  const pick = (key: 'tokenIds' | 'tokenSpans'): Int32Array | null =>
    text
      ? joined(
          Int32Array,
          batches.map((batch) => batch[key]),
        )
      : null;
  return {
    ids: idBytes.map((bytes) => Buffer.from(bytes).toString('utf8')),
    idBytes,
    lengths,
    positions: valuePositions(batches, spec.dim * valueBytes(dtype), lengths.length, shard),
    hashes: joined(
      BigUint64Array,
      batches.map((batch) => batch.hashes),
    ),
    firstSteps: sums(lengths),
    tokenIds: pick('tokenIds'),
    tokenSpans: pick('tokenSpans'),
  };
}

function valuePositions(
  batches: readonly Batch[],
  stepBytes: number,
  rows: number,
  shard: string,
): Float64Array {
  const positions = new Float64Array(rows);
  let row = 0;
  for (const batch of batches) {
    let position = batch.values;
    for (const n of batch.lengths) {
      if (n < 1) throw new DamageError(shard, `row ${row} has ${n} steps`);
      positions[row++] = position;
      position += n * stepBytes;
    }
  }
  return positions;
}

/** [offset, length] in bytes of a batch's feature values. */
export function valueRegion(batch: Batch, stepBytes: number): readonly [number, number] {
  const steps = batch.lengths.reduce((sum, n) => sum + n, 0);
  return [batch.values, steps * stepBytes];
}

/** [k] -> [k + 1]: sums of the elements before each, and of all. */
function sums(lengths: Int32Array): Int32Array {
  const out = new Int32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) out[i + 1] = (out[i] as number) + (lengths[i] as number);
  return out;
}

function joined<T extends Int32Array | BigUint64Array>(
  kind: new (length: number) => T,
  arrays: readonly T[],
): T {
  const out = new kind(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array as never, at);
    at += array.length;
  }
  return out;
}
