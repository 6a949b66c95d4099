import { UserError } from '../base/errors.ts';

/**
 * float16 (IEEE 754 binary16) as its 16 bits. Node 20 has no Float16Array, and nothing here needs one: values
 * travel as bits from the shard to the graph, which casts. Plain integer arithmetic is fast enough, since a
 * shard's sha256 takes longer than its conversion.
 */

/** Largest finite float16. */
export const HALF_MAX = 65504;

const MAX_BITS = 0x477fe000; // 65504 as float32
const SMALLEST_NORMAL_BITS = 0x38800000; // 2^-14
const ROUNDS_TO_ZERO_BITS = 0x33000000; // 2^-25: a tie between 0 and the smallest subnormal, and 0 is even

/** A feature value that the store can't hold: the row's fault, not the store's, so a caller may quarantine the row. */
export class FeatureValueError extends UserError {}

/**
 * Rounds float32 to float16, to nearest, ties to even, as IEEE 754 and numpy do.
 * @param at first element of `target` to write.
 * @returns -1, or the index of the first value that is not finite or beyond +-65504; values from there on are not written.
 */
export function encodeHalf(source: Float32Array, target: Uint16Array, at = 0): number {
  const bits = new Int32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) {
    const u = bits[i] as number;
    const a = u & 0x7fffffff;
    if (a > MAX_BITS) return i;
    const sign = (u >>> 16) & 0x8000;
    // rebias the exponent by 127 - 15, drop 13 bits, and round: half of the last place, less when it is even
    if (a >= SMALLEST_NORMAL_BITS)
      target[at + i] = sign | ((a - 0x38000000 + 0xfff + ((a >>> 13) & 1)) >>> 13);
    else target[at + i] = sign | (a <= ROUNDS_TO_ZERO_BITS ? 0 : subnormal(a));
  }
  return -1;
}

/** Magnitude bits in (2^-25, 2^-14) to a multiple of 2^-24, to nearest, ties to even. */
function subnormal(a: number): number {
  const shift = 126 - (a >>> 23); // 14 to 24
  const mantissa = (a & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && (whole & 1) === 1) ? whole + 1 : whole;
}

let decoded: Float32Array | null = null;

/** All 65,536 float16 values by their bits (256 KiB, made once). */
function decodeTable(): Float32Array {
  if (decoded) return decoded;
  decoded = new Float32Array(65536);
  for (let h = 0; h < 65536; h++) {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >>> 10) & 31;
    const mantissa = h & 0x3ff;
    if (exponent === 31) decoded[h] = mantissa ? NaN : sign * Infinity;
    else if (exponent === 0) decoded[h] = sign * mantissa * 2 ** -24;
    else decoded[h] = sign * (1024 + mantissa) * 2 ** (exponent - 25);
  }
  return decoded;
}

/** float16 bits to float32, exact. Writes `source.length` values from element `at` of `target` on. */
export function decodeHalf(source: Uint16Array, target: Float32Array, at = 0): void {
  const table = decodeTable();
  for (let i = 0; i < source.length; i++) target[at + i] = table[source[i] as number] as number;
}

/** Index of the first value that float16 cannot hold (NaN, an infinity, beyond +-65504), or -1: what `encodeHalf` would say. */
export function firstBeyondHalf(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if (((bits[i] as number) & 0x7fffffff) > MAX_BITS) return i;
  return -1;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) if (((bits[i] as number) & 0x7f800000) === 0x7f800000) return i;
  return -1;
}
