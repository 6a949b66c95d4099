import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { decodeHalf, encodeHalf, firstBeyondHalf, firstNonFinite, HALF_MAX } from '../../src/store/half.ts';
import { bytesOf } from '../../src/store/row-hash.ts';

interface Golden {
  readonly chosen: readonly (readonly [number, number])[];
  readonly decodedFinite: { readonly count: number; readonly sha256: string };
  readonly encodedAroundMidpoints: { readonly count: number; readonly sha256: string };
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/store/half.json', import.meta.url), 'utf8'),
) as Golden;

const isFinite16 = (h: number): boolean => ((h >>> 10) & 31) !== 31;
const finite = Uint16Array.from({ length: 65536 }, (_, h) => h).filter(isFinite16);

function decoded(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  decodeHalf(bits, out);
  return out;
}

function encoded(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  expect(encodeHalf(values, out)).toBe(-1);
  return out;
}

/** The float32 next to each value in the direction of zero (-1) or away from it (1). */
function neighbour(values: Float32Array, step: 1 | -1): Float32Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length).map((b) => b + step);
  return new Float32Array(bits.buffer);
}

describe('decodeHalf', () => {
  it('gives the value of every finite float16, as numpy does', () => {
    expect(finite.length).toBe(golden.decodedFinite.count);
    expect(sha256Hex(bytesOf(decoded(finite)))).toBe(golden.decodedFinite.sha256);
  });

  it('gives infinities and NaN', () => {
    const [plus, minus, nan] = decoded(Uint16Array.of(0x7c00, 0xfc00, 0x7e00));
    expect([plus, minus, nan]).toEqual([Infinity, -Infinity, NaN]);
  });

  it('writes from the given element on', () => {
    const target = new Float32Array(4).fill(9);
    decodeHalf(Uint16Array.of(0x3c00, 0xc000), target, 1);
    expect([...target]).toEqual([9, 1, -2, 9]);
  });
});

describe('encodeHalf', () => {
  it('returns every finite float16 unchanged', () => {
    expect(encoded(decoded(finite))).toEqual(finite);
  });

  it('rounds every midpoint of two neighbours, and the float32 values beside it, as numpy does', () => {
    const positive = decoded(finite.filter((h) => h < 0x8000));
    const middle = positive.subarray(1).map((upper, i) => (upper + (positive[i] ?? NaN)) / 2);
    const around = Float32Array.of(...neighbour(middle, -1), ...middle, ...neighbour(middle, 1));
    const both = new Float32Array(2 * around.length);
    both.set(around);
    both.set(
      around.map((x) => -x),
      around.length,
    );
    expect(both.length).toBe(golden.encodedAroundMidpoints.count);
    expect(sha256Hex(bytesOf(encoded(both)))).toBe(golden.encodedAroundMidpoints.sha256);
  });

  it('rounds values of all sizes as numpy does', () => {
    const values = new Float32Array(Uint32Array.from(golden.chosen, ([bits]) => bits).buffer);
    expect([...encoded(values)]).toEqual(golden.chosen.map(([, half]) => half));
  });

  it('stops at the first value beyond the range or not finite, and never writes an infinity', () => {
    for (const bad of [HALF_MAX + 0.01, 65520, 1e30, -70000, Infinity, -Infinity, NaN]) {
      const target = new Uint16Array(4).fill(0x7777);
      expect(encodeHalf(Float32Array.of(1, HALF_MAX, Math.fround(bad), 2), target)).toBe(2);
      expect([...target]).toEqual([0x3c00, 0x7bff, 0x7777, 0x7777]);
    }
  });
});

describe('firstNonFinite', () => {
  it('finds NaN and infinities, and accepts the largest float32', () => {
    expect(firstNonFinite(Float32Array.of(0, -3.4028234e38, 3.4028234e38))).toBe(-1);
    expect(firstNonFinite(Float32Array.of(0, 1, NaN, Infinity))).toBe(2);
    expect(firstNonFinite(Float32Array.of(0, -Infinity))).toBe(1);
  });
});

describe('firstBeyondHalf', () => {
  it('says what encodeHalf says, for every kind of value and where it stands', () => {
    const edge = [
      HALF_MAX,
      -HALF_MAX,
      65504.004,
      -65505,
      65519,
      65520,
      1e6,
      NaN,
      Infinity,
      -Infinity,
      1e-9,
      0,
    ];
    for (const value of edge)
      for (const at of [0, 2]) {
        const values = new Float32Array(3).fill(1);
        values[at] = value;
        expect(firstBeyondHalf(values), String(value)).toBe(encodeHalf(values, new Uint16Array(3)));
      }
  });
});
