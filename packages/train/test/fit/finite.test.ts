import { describe, expect, it } from 'vitest';
import { badBatch, largestFeature, requireFinite } from '../../src/fit/finite.ts';
import type { HostBatch } from '../../src/head/contract.ts';

function batch(text: number[], audio: number[]): HostBatch {
  return {
    shape: { rows: 3, text: 1, audio: 1, map: 0 },
    ids: ['demo/a', 'demo/b'],
    feeds: { text: Uint16Array.from(text), audio: Float32Array.from(audio) },
  };
}

describe('largestFeature', () => {
  it('finds the largest absolute value of real rows, float16 bits or float32', () => {
    // 0x3c00 = 1, 0xc500 = -5, 0x7c00 = Infinity (in a padded row)
    expect(largestFeature(batch([0x3c00, 0xc500, 0x7c00], [4, -4.5, 9]))).toEqual({
      value: 5,
      input: 'text',
      id: 'demo/b',
    });
    expect(largestFeature(batch([0x3c00, 0x3c00, 0], [4, -4.5, 9]))).toEqual({
      value: 4.5,
      input: 'audio',
      id: 'demo/b',
    });
  });

  it('takes NaN for the largest of all', () => {
    expect(largestFeature(batch([0x7c00, 0, 0], [1, NaN, 0]))).toEqual({
      value: NaN,
      input: 'audio',
      id: 'demo/b',
    });
  });
});

describe('badBatch', () => {
  it('is one line with ids, value, place and what to do', () => {
    expect(badBatch('the loss', batch([0, 0x7c00, 0], [0, 0, 0]), 'in epoch 3').message).toBe(
      'the loss is not finite in epoch 3; largest feature value |x| = Infinity in text of demo/b; ' +
        'batch: demo/a, demo/b; verify the features where that is huge or NaN, else lower lr',
    );
  });
});

describe('requireFinite', () => {
  it('names the value', () => {
    expect(() => requireFinite(new Float32Array([1, -Infinity]), 'after epoch 2')).toThrow(
      'a parameter is -Infinity after epoch 2: the training diverged; lower lr, or verify the features',
    );
    expect(() => requireFinite(new Float32Array([1, 2]), 'after epoch 2')).not.toThrow();
  });
});
