import { closeSync, fstatSync, openSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { DamageError } from './damage-error.ts';
import type { FeatureDtype, FeatureSpec } from './feature-spec.ts';
import { decodeHalf } from './half.ts';
import type { ShardEntry } from './index-part.ts';
import { shardPath } from './layout.ts';
import { OutsideBytes } from './outside-bytes.ts';
import { readExactly, readExactlyLater } from './positional-read.ts';
import { bytesOf, hex64, rowHash } from './row-hash.ts';
import type { ShardMetadata } from './shard-batch.ts';
import { parseShard } from './shard-metadata.ts';
import { valueBytes } from './shard-schema.ts';

/**
 * An open shard: its metadata verified and in memory, its feature values read row by row, by position, straight
 * into the caller's memory. A row's checksum is compared the first time that it is read.
 */
export class ShardReader {
  readonly path: string;
  readonly dtype: FeatureDtype;
  readonly #dim: number;
  readonly #metadata: ShardMetadata;
  readonly #rows = new Map<string, number>();
  readonly #verified: Uint8Array;
  #fd: number;
  #scratch = new Uint16Array(0);

  /**
   * @param folder of the feature set.
   * @throws DamageError when the shard is missing, or not as the index says.
   */
  constructor(folder: string, entry: ShardEntry, spec: FeatureSpec) {
    this.path = shardPath(folder, entry.sha256);
    this.dtype = entry.dtype;
    this.#dim = spec.dim;
    this.#fd = openShard(this.path);
    try {
      const outside = new OutsideBytes(this.#fd, fstatSync(this.#fd).size, entry, this.path);
      this.#metadata = parseShard(outside, entry, spec, this.path);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#metadata.ids.forEach((id, row) => this.#rows.set(id, row));
    this.#verified = new Uint8Array(entry.rows);
  }

  /** Row of an utterance. @throws DamageError when the shard does not hold it, although its index says so. */
  rowOf(id: string): number {
    const row = this.#rows.get(id);
    if (row === undefined)
      throw new DamageError(this.path, `it has no row for ${id}, and the index says that it has`);
    return row;
  }

  /** All that the shard says about its rows, verified. */
  get metadata(): ShardMetadata {
    return this.#metadata;
  }

  /** Steps of a row. */
  length(row: number): number {
    return this.#metadata.lengths[row] as number;
  }

  /** The row's xxh64. */
  hash(row: number): bigint {
    return this.#metadata.hashes[row] as bigint;
  }

  /** Text only: n token ids, as a view. */
  tokenIds(row: number): Int32Array | undefined {
    const { tokenIds, firstSteps } = this.#metadata;
    return tokenIds?.subarray(firstSteps[row], firstSteps[row + 1]);
  }

  /** Text only: 2n offsets, as a view. */
  tokenSpans(row: number): Int32Array | undefined {
    const { tokenSpans, firstSteps } = this.#metadata;
    return tokenSpans?.subarray(2 * (firstSteps[row] as number), 2 * (firstSteps[row + 1] as number));
  }

  /**
   * Reads a row's n * dim values to element `offset` of `target` and the following ones. float16 is decoded when
   * the target holds float32; float32 is never rounded.
   * @returns n.
   * @throws DamageError when the values are not those that were written.
   */
  readInto(row: number, target: Uint16Array | Float32Array, offset: number): number {
    const count = this.#checkedCount(row, target, offset);
    if (this.#isStoredAs(target)) {
      this.#read(row, target, offset, count);
    } else {
      if (this.#scratch.length < count) this.#scratch = new Uint16Array(2 * count);
      this.#read(row, this.#scratch, 0, count);
      decodeHalf(this.#scratch.subarray(0, count), target as Float32Array, offset);
    }
    return this.length(row);
  }

  /**
   * The same in the background: several such reads overlap on the disk, and their copying on the other cores.
   * @param done is called once, with what `readInto` would have thrown. A callback: promises for each row of a batch
   *   took the main thread's core from the copying (docs/LOG.md).
   */
  readIntoLater(
    row: number,
    target: Uint16Array | Float32Array,
    offset: number,
    done: (error?: Error) => void,
  ): void {
    try {
      const count = this.#checkedCount(row, target, offset);
      if (!this.#isStoredAs(target)) {
        this.readInto(row, target, offset);
        return done();
      }
      const size = valueBytes(this.dtype);
      const position = this.#metadata.positions[row] as number;
      readExactlyLater(this.#fd, target, offset * size, count * size, position, (error, whole) => {
        done(error ?? (whole ? this.#damageOf(row, target, offset, count) : this.#cutOff(row)));
      });
    } catch (error) {
      done(error as Error);
    }
  }

  #isStoredAs(target: Uint16Array | Float32Array): boolean {
    return target instanceof Uint16Array === (this.dtype === 'float16');
  }

  /** Values of a row, which must fit the target in type and number. */
  #checkedCount(row: number, target: Uint16Array | Float32Array, offset: number): number {
    const count = this.length(row) * this.#dim;
    if (offset < 0 || offset + count > target.length) {
      throw new Error(`${count} values do not fit ${target.length} elements from ${offset} on`);
    }
    if (target instanceof Uint16Array && this.dtype === 'float32') {
      throw new Error(`${this.path} holds float32: read it into a Float32Array`);
    }
    return count;
  }

  #read(row: number, target: Uint16Array | Float32Array, offset: number, count: number): void {
    const size = valueBytes(this.dtype);
    const position = this.#metadata.positions[row] as number;
    if (!readExactly(this.#fd, target, offset * size, count * size, position)) throw this.#cutOff(row);
    const damage = this.#damageOf(row, target, offset, count);
    if (damage) throw damage;
  }

  /** Compares the checksum of a row that was just read, unless it was right before. @returns what is wrong with it. */
  #damageOf(
    row: number,
    target: Uint16Array | Float32Array,
    offset: number,
    count: number,
  ): DamageError | undefined {
    if (this.#verified[row]) return undefined;
    const values = bytesOf(target.subarray(offset, offset + count));
    const found = rowHash(
      this.#metadata.idBytes[row] as Uint8Array,
      this.length(row),
      values,
      this.tokenIds(row),
    );
    if (found !== this.hash(row)) {
      return this.#damaged(row, `its xxh64 is ${hex64(found)}, expected ${hex64(this.hash(row))}`);
    }
    this.#verified[row] = 1;
    return undefined;
  }

  #cutOff(row: number): DamageError {
    const end =
      (this.#metadata.positions[row] as number) + this.length(row) * this.#dim * valueBytes(this.dtype);
    return this.#damaged(row, `the file ends before byte ${end}`);
  }

  #damaged(row: number, what: string): DamageError {
    return new DamageError(this.path, what, { position: row, id: this.#metadata.ids[row] as string });
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

function openShard(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DamageError(path, 'the file is missing');
    if (code === 'EACCES') throw new UserError(`${path} may not be read: ask its owner for read rights`);
    throw error;
  }
}
