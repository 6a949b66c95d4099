import { describe, expect, it } from 'vitest';
import {
  type ChunkPolicy,
  DEFAULT_DECODE_POLICY,
  type DecodePolicy,
  type Decoding,
  checkSamples,
  describeDecoding,
  pieceSize,
  readPolicy,
  segmentSamples,
} from '../../src/decode/policy.ts';

describe('checkSamples', () => {
  const at = (over: 'truncate' | 'skip', sampleRate = 16_000): Decoding => ({
    channels: 'mean',
    length: { maxSeconds: 1, over },
    sampleRate,
  });

  it('cuts or refuses what is too long, and refuses nothing and NaN', () => {
    expect(checkSamples(new Float32Array(16_001), at('truncate'))).toHaveLength(16_000);
    expect(checkSamples(new Float32Array(16_000), at('skip'))).toHaveLength(16_000);
    expect(checkSamples(new Float32Array(50_000), at('truncate', 44_100))).toHaveLength(44_100);
    expect(() => checkSamples(new Float32Array(16_000), at('skip', 8000))).toThrow('longer than 1 s');
    expect(() => checkSamples(new Float32Array(16_001), at('skip'))).toThrow('longer than 1 s');
    expect(() => checkSamples(new Float32Array(0), at('skip'))).toThrow('no samples');
    expect(() => checkSamples(Float32Array.of(0, -Infinity), at('skip'))).toThrow('sample 1 is -Infinity');
  });
});

describe('segmentSamples', () => {
  it('counts at the wanted rate', () => {
    const decoding = (sampleRate: number): Decoding => ({ ...DEFAULT_DECODE_POLICY, sampleRate });
    const clip = { path: 'a.wav', start: 0.5, end: 1.25 };
    expect(segmentSamples(clip, decoding(8000))).toEqual({ first: 4000, count: 6000 });
    expect(segmentSamples(clip, decoding(44_100))).toEqual({ first: 22_050, count: 33_075 });
    expect(segmentSamples(clip, decoding(44_100), 30_000)).toEqual({ first: 22_050, count: 7950 });
    expect(segmentSamples({ path: 'a.wav' }, decoding(8000), 1e6).count).toBe(280_000);
  });
});

describe('describeDecoding', () => {
  it('holds everything that changes a waveform', () => {
    expect(describeDecoding({ ...DEFAULT_DECODE_POLICY, sampleRate: 16_000 })).toEqual({
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
      expect(readPolicy(describeDecoding({ ...policy, sampleRate: 16_000 }))).toEqual(policy);
    expect(readPolicy({ channels: 'left', maxSeconds: 1, over: 'skip' })).toBeNull();
    expect(readPolicy(undefined)).toBeNull();
  });

  it('lets long clips through where they are cut into pieces, up to an hour', () => {
    expect(checkSamples(new Float32Array(400_000), { ...chunk, sampleRate: 16_000 })).toHaveLength(400_000);
    expect(() => checkSamples(new Float32Array(3600 * 8000 + 1), { ...chunk, sampleRate: 8000 })).toThrow(
      'longer than 3600 s, which the length policy does not cut into pieces',
    );
    expect(pieceSize(chunk.length as ChunkPolicy, 16_000)).toEqual({ samples: 320_000, overlap: 64_000 });
    expect(pieceSize(chunk.length as ChunkPolicy, 44_100)).toEqual({ samples: 882_000, overlap: 176_400 });
  });
});
