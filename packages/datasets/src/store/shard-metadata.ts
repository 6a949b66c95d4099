import { Message } from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { UserError } from '../base/errors.ts';
import { DamageError } from './damage-error.ts';
import type { FeatureSpec } from './feature-spec.ts';
import { describeDifferences } from './fingerprint.ts';
import type { ShardEntry } from './index-part.ts';
import type { OutsideBytes } from './outside-bytes.ts';
import {
  describeSchema,
  diffSpecs,
  META,
  parseSpec,
  refuseNewer,
  shardSchema,
  valueBytes,
} from './shard-schema.ts';

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

const MAGIC = 'ARROW1';

/**
 * Interprets a shard's verified metadata: footer, record batch headers and all columns but the features.
 * @param shard path, for messages.
 * @throws DamageError when the shard contradicts itself or the index; UserError for a newer format or another set's shard.
 */
export function parseShard(
  outside: OutsideBytes,
  entry: ShardEntry,
  spec: FeatureSpec,
  shard: string,
): ShardMetadata {
  const footer = readFooter(outside, shard);
  checkSchema(footer, entry, spec, shard);
  const batches = [...footer.recordBatches()].map((block) =>
    readBatch(outside, block.offset, block.metaDataLength, spec, shard),
  );
  if (batches.length !== entry.values.length) {
    throw new DamageError(
      shard,
      `it has ${batches.length} record batches, and the index says ${entry.values.length}`,
    );
  }
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  if (rows !== entry.rows)
    throw new DamageError(shard, `it has ${rows} rows, and the index says ${entry.rows}`);
  const lengths = joined(
    Int32Array,
    batches.map((batch) => batch.lengths),
  );
  const idBytes = batches.flatMap((batch) => batch.idBytes);
  return {
    ids: idBytes.map((bytes) => Buffer.from(bytes).toString('utf8')),
    idBytes,
    lengths,
    positions: valuePositions(batches, entry, spec, shard),
    hashes: joined(
      BigUint64Array,
      batches.map((batch) => batch.hashes),
    ),
    firstSteps: sums(lengths),
    tokenIds:
      spec.kind === 'text'
        ? joined(
            Int32Array,
            batches.map((batch) => batch.tokenIds),
          )
        : null,
    tokenSpans:
      spec.kind === 'text'
        ? joined(
            Int32Array,
            batches.map((batch) => batch.tokenSpans),
          )
        : null,
  };
}

function readFooter(outside: OutsideBytes, shard: string): Footer {
  const tail = outside.copy(outside.size - 10, 10); // int32 length of the footer, "ARROW1"
  if (Buffer.from(tail.subarray(4)).toString('latin1') !== MAGIC)
    throw new DamageError(shard, 'it does not end as an Arrow file');
  const length = new DataView(tail.buffer).getInt32(0, true);
  return Footer.decode(outside.copy(outside.size - 10 - length, length));
}

function checkSchema(footer: Footer, entry: ShardEntry, spec: FeatureSpec, shard: string): void {
  const { metadata } = footer.schema;
  const version = metadata.get(META.format);
  if (version === undefined) throw new DamageError(shard, 'its schema does not say its format version');
  refuseNewer(version, shard);
  const found = describeSchema(footer.schema);
  const expected = describeSchema(shardSchema(spec, entry.dtype, entry.split));
  if (found !== expected) throw new DamageError(shard, `its columns are ${found}, expected ${expected}`);
  const differences = diffSpecs(spec, parseSpec(metadata.get(META.spec) ?? '', shard));
  if (differences.length > 0) {
    throw new UserError(
      `${shard} and its feature.json describe different features: ${describeDifferences(differences)}; run \`lsgmer features repair\``,
    );
  }
}

interface Batch {
  readonly rows: number;
  readonly idBytes: readonly Uint8Array[];
  readonly lengths: Int32Array;
  readonly hashes: BigUint64Array;
  readonly tokenIds: Int32Array;
  readonly tokenSpans: Int32Array;
  /** Byte of the file where the batch's feature values begin. */
  readonly values: number;
}

/** Arrow lists a batch's buffers column by column, depth first; each type's own buffers are named below. */
function readBatch(
  outside: OutsideBytes,
  offset: number,
  metaDataLength: number,
  spec: FeatureSpec,
  shard: string,
): Batch {
  const message = Message.decode(outside.copy(offset + 8, metaDataLength - 8)); // after the marker and the length
  const header = message.isRecordBatch() ? message.header() : null;
  if (!header || header.compression || header.nodes.some((node) => node.nullCount !== 0)) {
    throw new DamageError(shard, `at byte ${offset} an uncompressed record batch without nulls is expected`);
  }
  const body = offset + metaDataLength;
  const rows = header.length;
  let next = 0;
  const region = (): number => body + (header.buffers[next++]?.offset ?? Number.NaN);
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
      throw new DamageError(shard, `in the batch at byte ${offset} the lists are not as long as n says`);
    }
  };
  validity(); // features: validity, offsets; step: validity; value: validity, values
  checkOffsets(1);
  validity();
  validity();
  const values = region();
  let tokenIds: Int32Array = new Int32Array(0);
  let tokenSpans: Int32Array = new Int32Array(0);
  if (spec.kind === 'text') {
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

function valuePositions(
  batches: readonly Batch[],
  entry: ShardEntry,
  spec: FeatureSpec,
  shard: string,
): Float64Array {
  const stepBytes = spec.dim * valueBytes(entry.dtype);
  const positions = new Float64Array(entry.rows);
  let row = 0;
  batches.forEach((batch, b) => {
    let position = batch.values;
    for (const n of batch.lengths) {
      if (n < 1) throw new DamageError(shard, `row ${row} has ${n} steps`);
      positions[row++] = position;
      position += n * stepBytes;
    }
    const [start, length] = entry.values[b] as readonly [number, number];
    if (start !== batch.values || start + length !== position) {
      throw new DamageError(
        shard,
        `batch ${b} has its values at bytes ${batch.values} to ${position}, and the index says ${start} to ${start + length}`,
      );
    }
  });
  return positions;
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
