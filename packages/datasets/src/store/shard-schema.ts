import {
  DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int32,
  List,
  Schema,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { canonicalJson } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { diffComputation } from './fingerprint.ts';
import { type FeatureDtype, FeatureSpec } from './feature-spec.ts';

/** Version of the shard, index and feature.json formats that this code writes, and the newest that it reads. */
export const FORMAT = 1;

/** Rows of a record batch (the last one of a shard may have fewer). */
export const ROWS_PER_BATCH = 32;

/** Keys of the Arrow schema's metadata. */
export const META = { format: 'lsgmer.format', split: 'lsgmer.split', spec: 'lsgmer.spec' } as const;

/** Key of a record batch's metadata: JSON list of its rows' input digests, from which an index that is gone is made anew. */
export const INPUTS = 'lsgmer.inputs';

export function valueBytes(dtype: FeatureDtype): 2 | 4 {
  return dtype === 'float16' ? 2 : 4;
}

/** Type of one feature value. */
function valueType(dtype: FeatureDtype): Float16 | Float32 {
  return dtype === 'float16' ? new Float16() : new Float32();
}

const field = (name: string, type: DataType): Field => new Field(name, type, false);

/** list<fixed_size_list<dtype>[dim]> */
export function featuresType(dim: number, dtype: FeatureDtype): List<FixedSizeList<Float16 | Float32>> {
  const step = new FixedSizeList(dim, new Field('item', valueType(dtype), false));
  return new List(new Field('item', step, false));
}

/** list<int32> */
export function tokensType(): List<Int32> {
  return new List(new Field('item', new Int32(), false));
}

/**
 * Arrow schema of a shard. Its metadata says all that a reader needs without feature.json: the format version,
 * the split (absent where the corpus has none) and the whole specification with provenance.
 * @param dtype of this shard; float32 in a float16 set where values are beyond float16's range.
 */
export function shardSchema(spec: FeatureSpec, dtype: FeatureDtype, split: string | null): Schema {
  const fields = [
    field('utterance_id', new Utf8()),
    field('n', new Int32()),
    field('features', featuresType(spec.dim, dtype)),
    ...(spec.kind === 'text' ? [field('token_ids', tokensType()), field('token_spans', tokensType())] : []),
    field('xxh64', new Uint64()),
  ];
  const metadata = new Map([
    [META.format, String(FORMAT)],
    ...(split === null ? [] : [[META.split, split] as const]),
    [META.spec, canonicalJson(spec)],
  ]);
  return new Schema(fields, metadata);
}

/** Columns and types of a schema in one line; names of list items and nullability are the writer's own affair. */
export function describeSchema(schema: Schema): string {
  return schema.fields.map((f) => `${f.name}: ${describeType(f.type)}`).join(', ');
}

/** One type in words. */
export function describeType(type: DataType): string {
  const item = (): string => describeType(type.children[0]?.type as DataType);
  if (DataType.isList(type)) return `list<${item()}>`;
  if (DataType.isFixedSizeList(type)) return `fixed_size_list<${item()}>[${type.listSize}]`;
  if (DataType.isInt(type)) return `${type.isSigned ? '' : 'u'}int${type.bitWidth}`;
  if (DataType.isFloat(type)) return `float${16 << type.precision}`;
  if (DataType.isUtf8(type)) return 'utf8';
  return `type ${type.typeId}`;
}

/**
 * Parses and checks feature.json (or its copy in a shard).
 * @param where file name for the message.
 * @throws UserError for broken JSON, a newer format, a wrong key, or a fingerprint that is not the computation's.
 */
export function parseSpec(text: string, where: string): FeatureSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`${where} is damaged: it is not JSON; run \`lsgmer features repair\``);
  }
  refuseNewer((value as { format?: unknown } | null)?.format, where);
  const parsed = FeatureSpec.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw new UserError(`${where} is damaged: "${key}": ${issue?.message}; run \`lsgmer features repair\``);
}

/** A file of a newer lsgmer: not damaged, and nothing that this one may mend. */
export class NewerFormatError extends UserError {}

/** @throws NewerFormatError when a format version is newer than this code. */
export function refuseNewer(version: unknown, where: string): void {
  if (Number(version) > FORMAT) {
    throw new NewerFormatError(
      `${where} was written in format ${Number(version)}, and this lsgmer reads up to format ${FORMAT}: update lsgmer`,
    );
  }
}

/** What two specifications say differently, provenance aside; empty when shards of both may stand in one set. */
export function diffSpecs(a: FeatureSpec, b: FeatureSpec): ReturnType<typeof diffComputation> {
  const { provenance: _a, ...left } = a;
  const { provenance: _b, ...right } = b;
  return diffComputation(left, right);
}
