import { closeSync, openSync } from 'node:fs';
import { DamageError } from './damage-error.ts';
import type { FeatureDtype, FeatureRow, FeatureSpec } from './feature-spec.ts';
import { decodeHalf } from './half.ts';
import { type IndexPart, type ShardEntry, UNKNOWN_INPUT } from './index-part.ts';
import { readExactly } from './positional-read.ts';
import { bytesOf, hex64, rowHash } from './row-hash.ts';
import type { ShardMetadata } from './shard-batch.ts';
import { valueBytes } from './shard-schema.ts';
import { ShardWriter } from './shard-writer.ts';

/** Where rows come from. */
export interface RowSource {
  readonly path: string;
  readonly entry: ShardEntry;
  readonly metadata: ShardMetadata;
  /** The part that lists them: it says what they were computed from. */
  readonly index: IndexPart;
}

/** A shard that copied rows went to. */
export interface CopiedShard {
  readonly entry: ShardEntry;
  readonly ids: readonly string[];
}

/**
 * Copies rows into new shards of a set, bit for bit: float16 survives the way over float32 unchanged, so every
 * row keeps its xxh64. Rows of different splits and types go to different shards.
 */
export class RowCopier {
  readonly #folder: string;
  readonly #spec: FeatureSpec;
  readonly #shardBytes: number;
  readonly #open = new Map<string, { writer: ShardWriter; ids: string[] }>();
  readonly #finished: CopiedShard[] = [];

  constructor(folder: string, spec: FeatureSpec, shardBytes: number) {
    this.#folder = folder;
    this.#spec = spec;
    this.#shardBytes = shardBytes;
  }

  /**
   * @param rows positions in the source.
   * @throws DamageError for a row that does not fit its xxh64; the file system's error.
   */
  copy({ path, entry, metadata, index }: RowSource, rows: Iterable<number>): void {
    const fd = openSync(path, 'r');
    try {
      for (const row of rows) {
        const read = readRow(fd, path, entry, this.#spec, metadata, row);
        const input = index.utterances[read.id]?.input ?? UNKNOWN_INPUT;
        this.#add({ ...read, input }, entry.dtype);
      }
    } finally {
      closeSync(fd);
    }
  }

  #add(row: FeatureRow, dtype: FeatureDtype): void {
    const key = `${dtype} ${row.split === null ? '' : JSON.stringify(row.split)}`;
    let open = this.#open.get(key);
    if (open?.writer.isTooFullFor(row)) {
      this.#finish(key);
      open = undefined;
    }
    if (!open) {
      open = { writer: new ShardWriter(this.#folder, this.#spec, dtype, row.split), ids: [] };
      this.#open.set(key, open);
    }
    const misfit = open.writer.append(row);
    if (misfit >= 0) throw new Error(`${row.id}: value ${misfit} is not finite, and was stored`);
    open.ids.push(row.id);
    if (open.writer.bytes >= this.#shardBytes) this.#finish(key);
  }

  #finish(key: string): void {
    const open = this.#open.get(key);
    const entry = open?.writer.finish();
    this.#open.delete(key);
    if (open && entry) this.#finished.push({ entry, ids: open.ids });
  }

  /** Ends all shards. */
  finish(): CopiedShard[] {
    for (const key of this.#open.keys()) this.#finish(key);
    return this.#finished;
  }

  /** Drops what was not finished. */
  discard(): void {
    for (const { writer } of this.#open.values()) writer.discard();
    this.#open.clear();
  }
}

/** One row of a shard, checked, without its input, which the index has. @throws DamageError when it is not as it was written */
export function readRow(
  fd: number,
  path: string,
  { dtype, split }: ShardEntry,
  spec: FeatureSpec,
  metadata: ShardMetadata,
  row: number,
): Omit<FeatureRow, 'input'> {
  const id = metadata.ids[row] as string;
  const n = metadata.lengths[row] as number;
  const count = n * spec.dim;
  const stored = dtype === 'float16' ? new Uint16Array(count) : new Float32Array(count);
  const at = metadata.positions[row] as number;
  const where = { position: row, id };
  if (!readExactly(fd, stored, 0, count * valueBytes(dtype), at))
    throw new DamageError(path, 'the file ends before its last value', where);
  const { tokenIds, tokenSpans, firstSteps } = metadata;
  const [first, after] = [firstSteps[row] as number, firstSteps[row + 1] as number];
  const tokens = tokenIds?.slice(first, after);
  const found = rowHash(metadata.idBytes[row] as Uint8Array, n, bytesOf(stored), tokens);
  if (found !== metadata.hashes[row])
    throw new DamageError(
      path,
      `its xxh64 is ${hex64(found)}, expected ${hex64(metadata.hashes[row] as bigint)}`,
      where,
    );
  let features: Float32Array;
  if (stored instanceof Uint16Array) {
    features = new Float32Array(count);
    decodeHalf(stored, features);
  } else features = stored;
  return {
    id,
    split,
    n,
    features,
    ...(tokens && tokenSpans ? { tokenIds: tokens, tokenSpans: tokenSpans.slice(2 * first, 2 * after) } : {}),
  };
}
