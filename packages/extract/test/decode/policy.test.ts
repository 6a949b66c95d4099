import { describe, expect, it } from 'vitest';
import { DEFAULT_DECODE_POLICY, checkSamples, describePolicy } from '../../src/decode/policy.ts';

describe('checkSamples', () => {
  const limit = { maxSeconds: 1, over: 'truncate' } as const;

  it('cuts or refuses what is too long, and refuses nothing and NaN', () => {
    expect(checkSamples(new Float32Array(16_001), limit)).toHaveLength(16_000);
    expect(checkSamples(new Float32Array(16_000), { ...limit, over: 'skip' })).toHaveLength(16_000);
    expect(() => checkSamples(new Float32Array(16_001), { ...limit, over: 'skip' })).toThrow(
      'longer than 1 s',
    );
    expect(() => checkSamples(new Float32Array(0), limit)).toThrow('no samples');
    expect(() => checkSamples(Float32Array.of(0, -Infinity), limit)).toThrow('sample 1 is -Infinity');
  });
});

describe('describePolicy', () => {
  it('holds everything that changes a waveform', () => {
    expect(describePolicy(DEFAULT_DECODE_POLICY)).toEqual({
      sampleRate: 16_000,
      channels: 'downmix',
      maxSeconds: 35,
      over: 'truncate',
    });
  });
});
