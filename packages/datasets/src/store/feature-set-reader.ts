import { UserError, UserErrors } from '../base/errors.ts';
import { chooseFeatureSet, type FeatureSetChoice } from './feature-set-choice.ts';
import type { FeatureDtype, FeatureSpec, StoredRow } from './feature-spec.ts';
import { type FeatureSetIndex, type HeldRow, readFeatureSetIndex } from './index-union.ts';
import { assertLittleEndian } from './row-hash.ts';
import { ShardReader } from './shard-reader.ts';
import type { FoundFeatureSet } from './store-listing.ts';
import { shardsWithoutIndex } from './unlisted-shards.ts';

/**
 * Opens a feature set for reading, all stores and parts together. Shards are opened, and their metadata
 * verified, when a row of them is first asked for.
 * @throws UserError when it is not there, not unique, damaged, without the index of its shards, or of a newer format.
 */
export function openFeatureSet(choice: FeatureSetChoice): FeatureSet {
  const found = chooseFeatureSet(choice);
  const index = readFeatureSetIndex(choice.stores, found);
  const lost =
    index.rows.size > 0 ? [] : found.folders.map(shardsWithoutIndex).filter((line) => line !== null);
  if (lost.length > 0) throw new UserErrors(lost);
  return new FeatureSet(found, index);
}

interface Location {
  readonly shard: ShardReader;
  readonly row: number;
}

/** Rows of one feature set by utterance id. */
export class FeatureSet {
  readonly spec: FeatureSpec;
  readonly fingerprint: string;
  /** Values per step. */
  readonly dim: number;
  /** Type of `read`'s values: float16 when every row is stored so. */
  readonly dtype: FeatureDtype;
  readonly #index: FeatureSetIndex;
  readonly #shards = new Map<string, ShardReader>();
  readonly #locations = new Map<string, Location>();

  constructor(found: FoundFeatureSet, index: FeatureSetIndex) {
    assertLittleEndian();
    this.spec = found.spec;
    this.fingerprint = found.fingerprint;
    this.dim = found.spec.dim;
    this.#index = index;
    const widened = [...index.rows.values()].some(({ shard }) => shard.dtype === 'float32');
    this.dtype = widened ? 'float32' : found.spec.dtype;
  }

  /** Ids that can be read, sorted. */
  ids(): string[] {
    return [...this.#index.rows.keys()].sort();
  }

  has(id: string): boolean {
    return this.#index.rows.has(id);
  }

  /** Split of an utterance's shard; null where the corpus has none, or the set no such row. */
  split(id: string): string | null {
    return this.#index.rows.get(id)?.shard.split ?? null;
  }

  /** Utterances that could not be computed, with the reason. */
  quarantined(): Map<string, string> {
    return new Map([...this.#index.quarantined].map(([id, { reason }]) => [id, reason]));
  }

  /** sha256 of what was encoded, for each readable id. */
  inputs(): Map<string, string> {
    return new Map([...this.#index.rows].map(([id, { input }]) => [id, input]));
  }

  /** Steps (tokens or frames) of an utterance. @throws as `readInto` does. */
  length(id: string): number {
    const { shard, row } = this.#locate(id);
    return shard.length(row);
  }

  /** xxh64 over id, length, values and tokens, as the shard has it: what a run's identity is made of. @throws as `readInto` does. */
  rowHash(id: string): bigint {
    const { shard, row } = this.#locate(id);
    return shard.hash(row);
  }

  /** One utterance in memory of its own; `values` [n * dim] are of type `dtype`. @throws as `readInto` does. */
  read(id: string): StoredRow {
    const { shard, row } = this.#locate(id);
    const n = shard.length(row);
    const count = n * this.dim;
    const values = this.dtype === 'float16' ? new Uint16Array(count) : new Float32Array(count);
    shard.readInto(row, values, 0);
    const tokenIds = shard.tokenIds(row);
    const tokenSpans = shard.tokenSpans(row);
    return { id, n, values, ...(tokenIds && { tokenIds }), ...(tokenSpans && { tokenSpans }) };
  }

  /**
   * Reads an utterance's n * dim values into the caller's memory, without a copy in between.
   * @param target Uint16Array for float16 bits (only where `dtype` is float16), Float32Array for either type.
   * @param offset first element that is written.
   * @returns n.
   * @throws UserError when the set has no such row; DamageError (a UserError) when the bytes are not those that
   *   were written: the caller's memory is then worth nothing.
   */
  readInto(id: string, target: Uint16Array | Float32Array, offset = 0): number {
    const { shard, row } = this.#locate(id);
    return shard.readInto(row, target, offset);
  }

  /**
   * Assembles a padded batch: row i of `target` [ids, steps, dim] begins with utterance i and ends with zeros.
   * Rows are read in the background, several at once, so that copying keeps more than one core busy, a cold disk has
   * several reads to serve, and all goes on while the caller's thread is blocked by something else.
   * @param steps at least the length of the longest of the utterances.
   * @returns their lengths. [ids]
   * @throws as `readInto` does, once no read touches `target` any more.
   */
  async readPadded(
    ids: readonly string[],
    steps: number,
    target: Uint16Array | Float32Array,
  ): Promise<Int32Array> {
    const stride = steps * this.dim;
    if (ids.length * stride > target.length) {
      throw new Error(`${ids.length} x ${steps} x ${this.dim} values do not fit ${target.length} elements`);
    }
    const rows = ids.map((id, i) => {
      const { shard, row } = this.#locate(id);
      const n = shard.length(row);
      if (n > steps) throw new Error(`${id} has ${n} steps, and the batch has room for ${steps}`);
      return { shard, row, n, offset: i * stride };
    });
    const errors = await new Promise<(Error | undefined)[]>((resolve) => {
      const found: (Error | undefined)[] = rows.map(() => undefined);
      let left = rows.length;
      if (left === 0) resolve(found);
      rows.forEach(({ shard, row, offset }, i) => {
        shard.readIntoLater(row, target, offset, (error) => {
          found[i] = error;
          if (--left === 0) resolve(found);
        });
      });
      for (const { n, offset } of rows) target.fill(0, offset + n * this.dim, offset + stride);
    });
    const first = errors.find((error) => error !== undefined);
    if (first) throw first;
    return Int32Array.from(rows, ({ n }) => n);
  }

  #locate(id: string): Location {
    const known = this.#locations.get(id);
    if (known) return known;
    const held = this.#index.rows.get(id);
    if (!held) throw this.#missing(id);
    const shard = this.#shard(held);
    const location = { shard, row: shard.rowOf(id) };
    this.#locations.set(id, location);
    return location;
  }

  #shard({ folder, shard: entry }: HeldRow): ShardReader {
    const key = `${folder}/${entry.sha256}`;
    let shard = this.#shards.get(key);
    if (!shard) {
      shard = new ShardReader(folder, entry, this.spec);
      this.#shards.set(key, shard);
    }
    return shard;
  }

  #missing(id: string): UserError {
    const name = `${this.spec.dataset}/${this.spec.feature}@${this.fingerprint.slice(0, 12)}`;
    const reason = this.#index.quarantined.get(id)?.reason;
    return new UserError(
      reason === undefined
        ? `${name} has no row for ${id}: extract it, or leave it out`
        : `${name} has no row for ${id}, which could not be computed: ${reason}`,
    );
  }

  /** Closes all shards; no `readPadded` may be running. */
  close(): void {
    for (const shard of this.#shards.values()) shard.close();
    this.#shards.clear();
    this.#locations.clear();
  }
}
