import { DamageError } from './damage-error.ts';
import type { ShardEntry } from './index-part.ts';
import { readExactly } from './positional-read.ts';
import { hex64, xxh64 } from './row-hash.ts';
import type { MetadataBytes } from './shard-batch.ts';

/**
 * All of a shard but its feature values: ids, lengths, checksums, tokens, Arrow's metadata and padding. The index
 * says where the values lie, so these bytes are read and checked before any of them is interpreted.
 */
export class OutsideBytes implements MetadataBytes {
  readonly #bytes: Uint8Array;
  /** Ascending: `length` bytes of the file at `position` are at `at` of `#bytes`. */
  readonly #pieces: { readonly position: number; readonly at: number; readonly length: number }[];
  readonly #shard: string;
  /** Size of the file. */
  readonly size: number;

  /**
   * @param size of the file, as the file system has it.
   * @throws DamageError when the size or the xxh64 differs from the index.
   */
  constructor(fd: number, size: number, entry: ShardEntry, shard: string) {
    if (size !== entry.bytes)
      throw new DamageError(shard, `it has ${size} bytes, and the index says ${entry.bytes}`);
    this.size = size;
    this.#shard = shard;
    this.#pieces = [];
    let position = 0;
    let total = 0;
    for (const [start, length] of [...entry.values, [size, 0] as const]) {
      if (start < position || start + length > size)
        throw new DamageError(shard, 'its index places values outside it');
      if (start > position) this.#pieces.push({ position, at: total, length: start - position });
      total += start - position;
      position = start + length;
    }
    this.#bytes = new Uint8Array(total);
    for (const piece of this.#pieces) {
      if (!readExactly(fd, this.#bytes, piece.at, piece.length, piece.position)) {
        throw new DamageError(shard, `it ends before byte ${piece.position + piece.length}`);
      }
    }
    const found = hex64(xxh64().update(this.#bytes).digest());
    if (found !== entry.outside) {
      throw new DamageError(
        shard,
        `the xxh64 of its metadata is ${found}, and the index says ${entry.outside}`,
      );
    }
  }

  /** A copy (so that typed arrays over it are aligned) of bytes that lie outside the feature values. */
  copy(position: number, length: number): Uint8Array {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pieces[middle]?.position as number) <= position) low = middle + 1;
      else high = middle;
    }
    const piece = this.#pieces[low - 1];
    if (!piece || length < 0 || position + length > piece.position + piece.length) {
      throw new DamageError(
        this.#shard,
        `its metadata points to bytes ${position} to ${position + length}, which hold no metadata`,
      );
    }
    const at = piece.at + position - piece.position;
    return this.#bytes.slice(at, at + length);
  }
}
