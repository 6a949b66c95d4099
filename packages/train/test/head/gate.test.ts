import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { fuse, gated, gatedPerLabel, gatedPerStep } from '../../src/head/gate.ts';
import { maskedMean } from '../../src/head/ops.ts';
import { random, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

describe('label signal (Eq. 7, 8)', () => {
  it('is sigmoid(H_2) * H_0 + H_2', () => {
    const out = values(gated(tf.tensor([[8, -3]]), tf.tensor([[Math.log(3), 0]])));
    expect(out[0]).toBeCloseTo(0.75 * 8 + Math.log(3), 5);
    expect(out[1]).toBeCloseTo(-1.5, 6);
  });

  it('gating every step and averaging equals gating the average', () => {
    const h0 = random('h0', [2, 3, 4]);
    const mask = tf.tensor([
      [1, 1, 0],
      [1, 1, 1],
    ]);
    const signal = random('signal', [2, 4]);
    const perStep = gatedPerStep(h0, tf.tile(tf.expandDims(signal, 1), [1, 3, 1]), mask);
    expect(largestDifference(values(perStep), values(gated(maskedMean(h0, mask), signal)))).toBeLessThan(
      1e-6,
    );
  });

  it('per label: each row gates by itself, then the mean', () => {
    const signal = tf.tensor([[[0], [Math.log(3)]]]); // [1, 2, 1]
    const [out] = values(gatedPerLabel(tf.tensor([[8]]), signal));
    expect(out).toBeCloseTo((4 + 6 + Math.log(3)) / 2, 5);
  });
});

describe('fuse (Eq. 10, 11)', () => {
  const audio = tf.tensor([[1, 2]]);
  const text = tf.tensor([[5, 10]]);

  it('scalar: one softmax weight for each modality', () => {
    const weights = { w: tf.zeros([4, 2]), b: tf.tensor1d([Math.log(3), 0]) };
    const { fused, gate } = fuse(audio, text, 'scalar', weights);
    expect(largestDifference(values(gate), [0.75, 0.25])).toBeLessThan(1e-6);
    expect(largestDifference(values(fused), [2, 4])).toBeLessThan(1e-5);
  });

  it('scalar: the scores see audio first, then text', () => {
    const w = tf.tensor2d([
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 1],
    ]); // audio[0] for audio, text[1] for text
    const { gate } = fuse(audio, text, 'scalar', { w, b: tf.zeros([2]) });
    expect(values(gate)[0]).toBeCloseTo(1 / (1 + Math.exp(9)), 7);
  });

  it('vector: weights for each dimension; output index is modality * d + dimension', () => {
    const weights = { w: tf.zeros([4, 4]), b: tf.tensor1d([Math.log(3), 0, 0, Math.log(3)]) };
    const { fused, gate } = fuse(audio, text, 'vector', weights);
    expect(largestDifference(values(fused), [0.75 + 1.25, 0.5 + 7.5])).toBeLessThan(1e-5);
    expect(largestDifference(values(gate), [0.5, 0.5])).toBeLessThan(1e-6);
  });

  it('equal: one half each, without weights', () => {
    expect(values(fuse(audio, text, 'equal').fused)).toEqual([3, 6]);
    expect(() => fuse(audio, text, 'scalar')).toThrow('gate scalar needs weights');
  });
});
