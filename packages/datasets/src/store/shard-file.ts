import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { AsyncByteQueue } from 'apache-arrow';
import { syncFolder, writeAll } from '../base/atomic-file.ts';
import { makeFolder, openNewFile } from '../base/shared-folder.ts';
import { shardFolder, shardPath } from './layout.ts';
import { bytesOf, hex64, xxh64 } from './row-hash.ts';
import { unfinishedName } from './shard-journal.ts';

/** Small pieces (Arrow writes 4 bytes at a time) are gathered up to this size before they reach the file. */
const GATHER_BYTES = 1 << 16;

/** What is known of a finished shard file. */
export interface WrittenShard {
  readonly sha256: string;
  readonly bytes: number;
  /** xxh64 (16 hex digits) of every byte outside the feature values, in file order. */
  readonly outside: string;
  /** Where the feature values lie: [offset, length] in bytes for each record batch, ascending. */
  readonly values: readonly (readonly [number, number])[];
}

/**
 * The sink of Arrow's writer. Arrow has no backpressure: it fills a queue that somebody empties later. This
 * queue is a file instead: each chunk is written and hashed on the spot, so memory stays at one record batch.
 */
export class ShardFile extends AsyncByteQueue {
  /** The memory that holds feature values; chunks from it are told apart from all other bytes. */
  valuesMemory: ArrayBufferLike | null = null;

  #folder: string;
  #temporary: string;
  #fd: number;
  #position = 0;
  #gathered = Buffer.alloc(GATHER_BYTES);
  #gatheredLength = 0;
  #sha256 = createHash('sha256');
  #outside = xxh64();
  #values: [number, number][] = [];

  /** @param folder of the feature set; the file appears in its `shards/` under a temporary name. */
  constructor(folder: string) {
    super();
    this.#folder = folder;
    makeFolder(shardFolder(folder));
    this.#temporary = unfinishedName(folder);
    this.#fd = openNewFile(this.#temporary);
  }

  /** Its name until it is finished. */
  get temporary(): string {
    return this.#temporary;
  }

  /** Hands all that was written to the system, which has it then whatever becomes of this process. */
  settle(): void {
    this.#writeGathered();
  }

  /** Where the feature values of the last batch lie. */
  get lastValues(): readonly [number, number] | undefined {
    return this.#values.at(-1);
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position;
  }

  override write(chunk: ArrayBufferView): void {
    const bytes = bytesOf(chunk);
    if (bytes.buffer === this.valuesMemory) this.#values.push([this.#position, bytes.length]);
    else this.#outside.update(bytes);
    this.#position += bytes.length;
    if (this.#gatheredLength + bytes.length > GATHER_BYTES) this.#writeGathered();
    if (bytes.length > GATHER_BYTES) {
      this.#sha256.update(bytes);
      writeAll(this.#fd, bytes);
    } else {
      this.#gathered.set(bytes, this.#gatheredLength);
      this.#gatheredLength += bytes.length;
    }
  }

  #writeGathered(): void {
    const bytes = this.#gathered.subarray(0, this.#gatheredLength);
    this.#sha256.update(bytes);
    writeAll(this.#fd, bytes);
    this.#gatheredLength = 0;
  }

  /** Arrow's writer is done; the file is finished by `seal`. */
  override close(): void {}

  /**
   * fsync, rename to the name of its content, fsync the folder: only a whole file ever has its final name.
   * @param before is told the name's digest before the file has it
   */
  seal(before?: (sha256: string) => void): WrittenShard {
    this.#writeGathered();
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    this.#fd = -1;
    const sha256 = this.#sha256.digest('hex');
    before?.(sha256);
    const target = shardPath(this.#folder, sha256);
    renameSync(this.#temporary, target);
    syncFolder(dirname(target));
    return { sha256, bytes: this.#position, outside: hex64(this.#outside.digest()), values: this.#values };
  }

  /** Drops the unfinished file; harmless after `seal`. */
  discard(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    try {
      unlinkSync(this.#temporary);
    } catch {
      // sealed, or removed by somebody else: there is nothing left to drop
    }
  }
}
