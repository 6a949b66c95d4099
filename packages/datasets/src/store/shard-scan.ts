import { createHash } from 'node:crypto';
import type { FeatureDtype, FeatureSpec } from './feature-spec.ts';
import { readExactlyLater } from './positional-read.ts';
import { beginRowHash, bytesOf, hex64, xxh64 } from './row-hash.ts';
import type { ShardMetadata } from './shard-batch.ts';
import { valueBytes } from './shard-schema.ts';

/** One read: large enough for a disk to run at its full speed, small beside the processor's work on it. */
const PIECE_BYTES = 4 * 2 ** 20;

/** Row checksums of a shard that is read from its beginning to its end. */
export class RowChecks {
  readonly #metadata: ShardMetadata;
  readonly #stepBytes: number;
  /** Rows by the position of their values. */
  readonly #order: number[];
  #next = 0;
  #hash: ReturnType<typeof beginRowHash> | null = null;
  /** xxh64 of rows whose bytes were all seen. */
  readonly found = new Map<number, bigint>();

  constructor(metadata: ShardMetadata, spec: FeatureSpec, dtype: FeatureDtype) {
    this.#metadata = metadata;
    this.#stepBytes = spec.dim * valueBytes(dtype);
    const { positions } = metadata;
    this.#order = [...positions.keys()].sort((a, b) => (positions[a] as number) - (positions[b] as number));
  }

  /** Takes the bytes of the file from `position` on. */
  update(bytes: Uint8Array, position: number): void {
    const { positions, lengths, idBytes, tokenIds, firstSteps } = this.#metadata;
    const after = position + bytes.length;
    while (this.#next < this.#order.length) {
      const row = this.#order[this.#next] as number;
      const start = positions[row] as number;
      const end = start + (lengths[row] as number) * this.#stepBytes;
      if (start >= after) return;
      this.#hash ??= beginRowHash(idBytes[row] as Uint8Array, lengths[row] as number);
      this.#hash.update(
        bytes.subarray(Math.max(start, position) - position, Math.min(end, after) - position),
      );
      if (end > after) return;
      if (tokenIds) this.#hash.update(bytesOf(tokenIds.subarray(firstSteps[row], firstSteps[row + 1])));
      this.found.set(row, this.#hash.digest());
      this.#hash = null;
      this.#next++;
    }
  }
}

/**
 * Reads `size` bytes of a file once, from the beginning; the next piece is on its way while one is hashed.
 * @param onPiece told of each piece and its place.
 * @returns sha256 of these bytes, or null where the file ends before (or cannot be read to) the last of them.
 */
export async function scanFile(
  fd: number,
  size: number,
  onPiece: (bytes: Uint8Array, position: number) => void,
  signal?: AbortSignal,
): Promise<string | null> {
  const sha256 = createHash('sha256');
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(PIECE_BYTES, size)));
  const read = (position: number): Promise<boolean> => {
    const length = Math.min(PIECE_BYTES, size - position);
    const buffer = buffers[(position / PIECE_BYTES) % 2] as Uint8Array;
    // a disk that fails on a sector is damage to be reported, not a reason to end
    return new Promise((resolve) => {
      readExactlyLater(fd, buffer, 0, length, position, (_error, whole) => resolve(whole));
    });
  };
  let pending = size > 0 ? read(0) : Promise.resolve(true);
  for (let position = 0; position < size; position += PIECE_BYTES) {
    const whole = await pending;
    if (!whole) return null;
    signal?.throwIfAborted();
    const next = position + PIECE_BYTES;
    pending = next < size ? read(next) : Promise.resolve(true);
    const bytes = buffers[(position / PIECE_BYTES) % 2] as Uint8Array;
    const piece = bytes.subarray(0, Math.min(PIECE_BYTES, size - position));
    sha256.update(piece);
    onPiece(piece, position);
  }
  return sha256.digest('hex');
}

/** xxh64 of all bytes outside the given regions, of bytes that come piece by piece in file order. */
export class OutsideHash {
  readonly #values: readonly (readonly [number, number])[];
  readonly #hash = xxh64();
  #region = 0;

  /** @param values ascending [offset, length] of the feature values. */
  constructor(values: readonly (readonly [number, number])[]) {
    this.#values = values;
  }

  update(bytes: Uint8Array, position: number): void {
    const after = position + bytes.length;
    for (let at = position; at < after;) {
      const [start, length] = this.#values[this.#region] ?? [Number.POSITIVE_INFINITY, 0];
      if (at < start) this.#hash.update(bytes.subarray(at - position, Math.min(start, after) - position));
      if (start + length > after) return;
      at = start + length;
      this.#region++;
    }
  }

  digest(): string {
    return hex64(this.#hash.digest());
  }
}

/** Runs `work` over all items, several at once, in order of the items. */
export async function severalAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as T);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane));
  for (const one of lanes) if (one.status === 'rejected') throw one.reason;
  return results;
}
