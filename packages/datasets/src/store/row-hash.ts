import { endianness } from 'node:os';
import { Xxh64 } from '@node-rs/xxhash';

/** Bytes of a typed array, without a copy. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A fresh xxh64 with seed 0, the only variant that the store uses. */
export function xxh64(): Xxh64 {
  return new Xxh64(0n);
}

/** 16 lower-case hex digits. */
export function hex64(hash: bigint): string {
  return hash.toString(16).padStart(16, '0');
}

/**
 * Checksum of one row, the shard's column `xxh64`: XXH64 with seed 0 over, in this order,
 *
 * 1. the id in UTF-8,
 * 2. one byte 0,
 * 3. n as int32,
 * 4. the feature values exactly as the shard stores them: n * D float16 or float32, row-major,
 * 5. for text, the n token ids as int32.
 *
 * All little-endian. Token spans are not in it: they are among the bytes that are checked when a shard is opened.
 *
 * @param id UTF-8 bytes. @param features stored bytes. @param tokenIds n ids, or undefined for audio.
 */
export function rowHash(id: Uint8Array, n: number, features: Uint8Array, tokenIds?: Int32Array): bigint {
  const hash = beginRowHash(id, n).update(features);
  if (tokenIds) hash.update(bytesOf(tokenIds));
  return hash.digest();
}

/** The same begun: the feature values and the tokens are still to be added. */
export function beginRowHash(id: Uint8Array, n: number): Xxh64 {
  const head = new Uint8Array(id.length + 5);
  head.set(id);
  new DataView(head.buffer).setInt32(id.length + 1, n, true);
  return xxh64().update(head);
}

/** Shards are little-endian and are read and written without swapping. @throws Error on a big-endian machine. */
export function assertLittleEndian(): void {
  if (endianness() !== 'LE') throw new Error('the feature store needs a little-endian machine');
}
