import type { FeatureDtype } from './feature-spec.ts';
import { valueBytes } from './shard-schema.ts';

/**
 * Byte of a batch's memory at which its values begin: a multiple of 64 bytes, as in a shard. Where the two differ by 16
 * modulo 64, the kernel copies a row out of the page cache two to three times as slowly (docs/LOG.md). An allocation that
 * glibc maps on its own begins 16 bytes after a page; elsewhere the offset is as good as any.
 */
const BEGIN = 48;

/** From this size on glibc always maps an allocation on its own; pages that nobody writes to take no memory. */
const ALWAYS_MAPPED = (32 << 20) + (1 << 16);

/** Smaller memory is copied too fast for its place to matter. */
const SMALL = 1 << 20;

/** New memory for a batch of at most `bytes`, where reading rows into it is fastest: zeros, to be viewed by `batchValues`. */
export function batchMemory(bytes: number): ArrayBuffer {
  const needed = BEGIN + bytes;
  return new ArrayBuffer(needed < SMALL ? needed : Math.max(needed, ALWAYS_MAPPED));
}

/** Whether `bytes` fit the memory of a batch. */
export function fitsBatch(memory: ArrayBuffer, bytes: number): boolean {
  return BEGIN + bytes <= memory.byteLength;
}

/** The first `size` values of a batch's memory. float16 is held as its bits. */
export function batchValues(memory: ArrayBuffer, dtype: 'float32', size: number): Float32Array;
export function batchValues(
  memory: ArrayBuffer,
  dtype: FeatureDtype,
  size: number,
): Uint16Array | Float32Array;
export function batchValues(
  memory: ArrayBuffer,
  dtype: FeatureDtype,
  size: number,
): Uint16Array | Float32Array {
  if (!fitsBatch(memory, size * valueBytes(dtype)))
    throw new Error(`${size} values of ${dtype} do not fit a batch of ${memory.byteLength} bytes`);
  return dtype === 'float16' ? new Uint16Array(memory, BEGIN, size) : new Float32Array(memory, BEGIN, size);
}
