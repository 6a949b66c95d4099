import { describe, expect, it } from 'vitest';
import { describeDifferences, diffComputation, fingerprintOf } from '../../src/store/fingerprint.ts';

describe('fingerprintOf', () => {
  it('is the sha256 of the RFC 8785 JSON, whatever the order of the keys', () => {
    // printf '{"dtype":"float16","layer":12}' | sha256sum
    const expected = '605efcdda56773a798fc49948bd9e3affab855a35de19bef57b9ab2e45d67746';
    expect(fingerprintOf({ layer: 12, dtype: 'float16' })).toBe(
      fingerprintOf({ dtype: 'float16', layer: 12 }),
    );
    expect(fingerprintOf({ layer: 12, dtype: 'float16' })).toBe(expected);
    expect(fingerprintOf({ layer: 11, dtype: 'float16' })).not.toBe(expected);
  });
});

describe('diffComputation', () => {
  it('lists changed, added and removed keys, nested ones by their path', () => {
    const old = { layer: 12, audio: { channels: 'downmix', rate: 16000 }, gone: true, order: [1, 2] };
    const now = { layer: 24, audio: { channels: 'mean', rate: 16000 }, order: [2, 1], added: null };
    expect(diffComputation(old, now)).toEqual([
      { key: 'added', old: undefined, new: null },
      { key: 'audio.channels', old: 'downmix', new: 'mean' },
      { key: 'gone', old: true, new: undefined },
      { key: 'layer', old: 12, new: 24 },
      { key: 'order', old: [1, 2], new: [2, 1] },
    ]);
    expect(diffComputation(old, { ...old })).toEqual([]);
  });

  it('can be shown in one line', () => {
    expect(describeDifferences(diffComputation({ layer: 12 }, { layer: 24, tokenizer: 'ab' }))).toBe(
      'layer: 12 -> 24; tokenizer: absent -> "ab"',
    );
    expect(describeDifferences([])).toBe('no differing key');
  });
});
