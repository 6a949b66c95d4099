import { describe, expect, it } from 'vitest';
import { hex64, rowHash, xxh64 } from '../../src/store/row-hash.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('xxh64', () => {
  it('is XXH64 with seed 0 (vectors of the reference implementation)', () => {
    expect(hex64(xxh64().digest())).toBe('ef46db3751d8e999');
    expect(hex64(xxh64().update(utf8('abc')).digest())).toBe('44bc2cf5ad770999');
  });
});

describe('rowHash', () => {
  it('covers id, a zero byte, n, the values and the token ids, little-endian', () => {
    const bytes = Uint8Array.of(...utf8('a/b'), 0, 2, 0, 0, 0, 1, 2, 3, 4, 7, 0, 0, 0, 255, 255, 255, 255);
    const expected = xxh64().update(bytes).digest();
    expect(rowHash(utf8('a/b'), 2, Uint8Array.of(1, 2, 3, 4), Int32Array.of(7, -1))).toBe(expected);
  });

  it('leaves the token ids out for audio', () => {
    const bytes = Uint8Array.of(...utf8('a/b'), 0, 1, 1, 0, 0, 9, 9);
    expect(rowHash(utf8('a/b'), 257, Uint8Array.of(9, 9))).toBe(xxh64().update(bytes).digest());
  });
});
