import { Footer } from 'apache-arrow/ipc/metadata/file';
import { UserError } from '../base/errors.ts';
import { DamageError } from './damage-error.ts';
import type { FeatureDtype, FeatureSpec } from './feature-spec.ts';
import { describeDifferences } from './fingerprint.ts';
import type { ShardEntry } from './index-part.ts';
import {
  type Batch,
  type BatchHeader,
  decodeHeader,
  joinBatches,
  type MetadataBytes,
  readColumns,
  type ShardMetadata,
  valueRegion,
} from './shard-batch.ts';
import {
  describeSchema,
  diffSpecs,
  INPUTS,
  META,
  parseSpec,
  refuseNewer,
  shardSchema,
  valueBytes,
} from './shard-schema.ts';

const MAGIC = 'ARROW1';

/**
 * Interprets a shard's verified metadata: footer, record batch headers and all columns but the features.
 * @param shard path, for messages.
 * @throws DamageError when the shard contradicts itself or the index; UserError for a newer format or another set's shard.
 */
export function parseShard(
  outside: MetadataBytes,
  entry: ShardEntry,
  spec: FeatureSpec,
  shard: string,
): ShardMetadata {
  const footer = readFooter(outside, shard);
  checkSchema(footer, entry, spec, shard);
  const batches = readBatches(outside, footer, spec, shard).map(({ batch }) => batch);
  if (batches.length !== entry.values.length) {
    throw new DamageError(
      shard,
      `it has ${batches.length} record batches, and the index says ${entry.values.length}`,
    );
  }
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  if (rows !== entry.rows)
    throw new DamageError(shard, `it has ${rows} rows, and the index says ${entry.rows}`);
  const metadata = joinBatches(batches, spec, entry.dtype, shard);
  batches.forEach((batch, b) => {
    const [found, bytes] = valueRegion(batch, spec.dim * valueBytes(entry.dtype));
    const [start, length] = entry.values[b] as readonly [number, number];
    if (start !== found || length !== bytes) {
      throw new DamageError(
        shard,
        `batch ${b} has its values at bytes ${found} to ${found + bytes}, and the index says ${start} to ${start + length}`,
      );
    }
  });
  return metadata;
}

/** What a shard says of itself: all of its index entry but the digests. */
export interface SelfDescription {
  readonly spec: FeatureSpec;
  readonly split: string | null;
  readonly dtype: FeatureDtype;
  readonly metadata: ShardMetadata;
  /** Digest of what each row was computed from; null where the writer did not say it. */
  readonly inputs: readonly (string | null)[];
  readonly values: readonly (readonly [number, number])[];
}

/**
 * The same without an index entry, for a file whose bytes are known to be right (by its sha256, which is its name).
 * @throws DamageError, UserError as `parseShard` does.
 */
export function describeShard(bytes: MetadataBytes, shard: string): SelfDescription {
  const footer = readFooter(bytes, shard);
  const spec = specOf(footer, shard);
  const split = footer.schema.metadata.get(META.split) ?? null;
  const found = describeSchema(footer.schema);
  const dtype = (['float16', 'float32'] as const).find(
    (one) => describeSchema(shardSchema(spec, one, split)) === found,
  );
  if (dtype === undefined) throw new DamageError(shard, `its columns are ${found}, which is no feature`);
  const read = readBatches(bytes, footer, spec, shard);
  const batches = read.map(({ batch }) => batch);
  return {
    spec,
    split,
    dtype,
    metadata: joinBatches(batches, spec, dtype, shard),
    inputs: read.flatMap(({ batch, header }) => inputsOf(header, batch.rows)),
    values: batches.map((batch) => valueRegion(batch, spec.dim * valueBytes(dtype))),
  };
}

/** The specification that a shard with verified metadata carries. @throws as `parseShard` does. */
export function specOfShard(bytes: MetadataBytes, shard: string): FeatureSpec {
  return specOf(readFooter(bytes, shard), shard);
}

function readBatches(
  bytes: MetadataBytes,
  footer: Footer,
  spec: FeatureSpec,
  shard: string,
): { header: BatchHeader; batch: Batch }[] {
  return [...footer.recordBatches()].map((block) => {
    const header = decodeHeader(bytes, block.offset, block.metaDataLength, shard);
    return { header, batch: readColumns(bytes, header, spec.kind, shard) };
  });
}

/** What a batch's rows were computed from, as its writer said. */
function inputsOf({ metadata }: BatchHeader, rows: number): (string | null)[] {
  const unsaid = Array<null>(rows).fill(null);
  const said = metadata.get(INPUTS);
  if (said === undefined) return unsaid;
  try {
    const inputs: unknown = JSON.parse(said);
    const usable = Array.isArray(inputs) && inputs.length === rows && inputs.every(isInput);
    return usable ? (inputs as string[]) : unsaid;
  } catch {
    return unsaid;
  }
}

const isInput = (value: unknown): boolean => typeof value === 'string' && value !== '';

function readFooter(outside: MetadataBytes, shard: string): Footer {
  const tail = outside.copy(outside.size - 10, 10); // int32 length of the footer, "ARROW1"
  if (Buffer.from(tail.subarray(4)).toString('latin1') !== MAGIC)
    throw new DamageError(shard, 'it does not end as an Arrow file');
  const length = new DataView(tail.buffer).getInt32(0, true);
  return Footer.decode(outside.copy(outside.size - 10 - length, length));
}

function specOf({ schema: { metadata } }: Footer, shard: string): FeatureSpec {
  const version = metadata.get(META.format);
  if (version === undefined) throw new DamageError(shard, 'its schema does not say its format version');
  refuseNewer(version, shard);
  return parseSpec(metadata.get(META.spec) ?? '', shard);
}

function checkSchema(footer: Footer, entry: ShardEntry, spec: FeatureSpec, shard: string): void {
  const own = specOf(footer, shard);
  const found = describeSchema(footer.schema);
  const expected = describeSchema(shardSchema(spec, entry.dtype, entry.split));
  if (found !== expected) throw new DamageError(shard, `its columns are ${found}, expected ${expected}`);
  const differences = diffSpecs(spec, own);
  if (differences.length > 0) {
    throw new UserError(
      `${shard} and its feature.json describe different features: ${describeDifferences(differences)}; run \`lsgmer features repair\``,
    );
  }
}
