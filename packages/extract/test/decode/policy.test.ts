import { describe, expect, it } from 'vitest';
import {
  DEFAULT_DECODE_POLICY,
  type DecodePolicy,
  checkSamples,
  describePolicy,
  pieceSize,
  readPolicy,
} from '../../src/decode/policy.ts';

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

describe('readPolicy', () => {
  const chunk: DecodePolicy = {
    channels: 'mean',
    length: { maxSeconds: 20, over: 'chunk', overlapSeconds: 4 },
  };

  it('reads what a fingerprint says', () => {
    for (const policy of [DEFAULT_DECODE_POLICY, chunk])
      expect(readPolicy(describePolicy(policy))).toEqual(policy);
    expect(readPolicy({ channels: 'left', maxSeconds: 1, over: 'skip' })).toBeNull();
    expect(readPolicy(undefined)).toBeNull();
  });

  it('lets long clips through where they are cut into pieces, up to an hour', () => {
    expect(checkSamples(new Float32Array(400_000), chunk.length)).toHaveLength(400_000);
    expect(() => checkSamples(new Float32Array(3600 * 16_000 + 1), chunk.length)).toThrow(
      'longer than 3600 s, which the length policy does not cut into pieces',
    );
    expect(pieceSize(chunk.length as never)).toEqual({ samples: 320_000, overlap: 64_000 });
  });
});
