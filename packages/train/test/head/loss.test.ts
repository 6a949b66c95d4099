import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import {
  attributionConsistency,
  crossEntropy,
  logAttribution,
  weightedSum,
  type ApcOptions,
} from '../../src/head/loss.ts';
import { gradients, random, values } from '../support/cpu-tensors.ts';
import { golden } from '../support/options-golden.ts';
import { largestDifference } from '../support/head-golden.ts';

const PLAIN: ApcOptions = { temperature: 1, detach: 'none', reduce: 'mean' };

describe('crossEntropy', () => {
  it('is -ln p of the target, row by row', () => {
    const logits = tf.tensor2d([
      [Math.log(3), 0],
      [0, 0],
    ]);
    const target = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    expect(largestDifference(values(crossEntropy(logits, target)), [Math.log(4 / 3), Math.LN2])).toBeLessThan(
      1e-6,
    );
  });

  it.each(golden.focal)('with gamma $gamma is the focal loss, gradients too', ({ gamma, loss, gradient }) => {
    const { logits, labels } = golden.crossEntropy;
    const target = tf.cast(tf.oneHot(tf.tensor1d([...labels], 'int32'), 4), 'float32');
    const f = (x: tf.Tensor): tf.Tensor => tf.mean(crossEntropy(x, target, gamma));
    const x = tf.tensor2d(logits.flat(), [6, 4]);
    expect(values(f(x))[0]).toBeCloseTo(loss, 6);
    expect(largestDifference(gradients(f, [x])[0] as number[], gradient.flat())).toBeLessThan(1e-6);
    const sure = tf.tensor2d([[200, 0, 0, 0]]);
    const own = (y: tf.Tensor): tf.Tensor => tf.sum(crossEntropy(y, tf.tensor2d([[1, 0, 0, 0]]), gamma));
    expect(gradients(own, [sure])[0]?.every(Number.isFinite)).toBe(true);
  });
});

describe('logAttribution (Eq. 14, 15)', () => {
  it.each([
    [4, 0.711],
    [7, 0.552],
  ])('of %i labels is at most %d', (classes, bound) => {
    const exact = Math.E / (Math.E + (classes - 1) / Math.E);
    expect(exact).toBeCloseTo(bound, 3);
    // best case: the vector lies on one label and opposite to all others
    const labels = tf.tensor2d(Array.from({ length: classes }, (_, j) => [j === 0 ? 5 : -2, 0]));
    const best = values(tf.exp(logAttribution(tf.tensor2d([[0.3, 0]]), labels, 1)));
    expect(best[0]).toBeCloseTo(exact, 6);
    // and no draw comes above it
    const draws = tf.exp(logAttribution(random('fused', [64, 3]), random('table', [classes, 3]), 1));
    expect(Math.max(...values(draws))).toBeLessThan(exact);
  });

  it('divides the cosine by the temperature', () => {
    const labels = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    const [p] = values(tf.exp(logAttribution(tf.tensor2d([[7, 0]]), labels, 0.5)));
    expect(p).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
  });
});

describe('attributionConsistency (Eq. 16, 17)', () => {
  const labels = tf.tensor2d([
    [1, 0],
    [0, 1],
  ]);

  it('is the Jensen-Shannon divergence in nats, halved over N = 2 by mean', () => {
    // fused between both labels: q = (1/2, 1/2); logits: p = (3/4, 1/4); m = (5/8, 3/8)
    const [p, q, m] = [
      [0.75, 0.25],
      [0.5, 0.5],
      [0.625, 0.375],
    ] as const;
    const kl = (a: readonly number[]) => a.reduce((s, x, i) => s + x * Math.log(x / (m[i] as number)), 0);
    const expected = (kl(p) + kl(q)) / 2;
    const logits = tf.tensor2d([[Math.log(3), 0]]);
    const fused = tf.tensor2d([[2, 2]]);
    const batch = values(attributionConsistency(logits, fused, labels, { ...PLAIN, reduce: 'batch' }));
    expect(batch[0]).toBeCloseTo(expected, 6);
    const mean = values(attributionConsistency(logits, fused, labels, PLAIN));
    expect(mean[0]).toBeCloseTo(expected / 2, 6);
  });

  it('is 0 where prediction and attribution agree and ln 2 where they share nothing', () => {
    const logits = tf.tensor2d([
      [2000, 0],
      [0, 2000],
    ]);
    const fused = tf.tensor2d([
      [1, 0],
      [1, 0],
    ]);
    const sharp: ApcOptions = { temperature: 0.001, detach: 'none', reduce: 'batch' };
    const out = values(attributionConsistency(logits, fused, labels, sharp));
    expect(largestDifference(out, [0, Math.LN2])).toBeLessThan(1e-6);
    const slopes = gradients(
      (x, f, t) => tf.sum(attributionConsistency(x, f, t, sharp)),
      [logits, fused, labels],
    );
    expect(slopes.flat().every(Number.isFinite)).toBe(true);
  });

  it('detach closes one way each; both ways together are the whole gradient', () => {
    const inputs = [random('logits', [3, 4], 2), random('fused', [3, 5]), random('table', [4, 5])];
    const slopes = (detach: ApcOptions['detach']) =>
      gradients((x, f, t) => tf.sum(attributionConsistency(x, f, t, { ...PLAIN, detach })), inputs);
    const [none, p, q, table] = [slopes('none'), slopes('p'), slopes('q'), slopes('labels')];
    const zero = (values?: number[]) => values?.every((value) => value === 0);
    expect([p, q, table].map((s) => s.map(zero))).toEqual([
      [true, false, false],
      [false, true, true],
      [false, false, true],
    ]);
    expect(p.slice(1)).toEqual(none.slice(1));
    expect(q[0]).toEqual(none[0]);
    expect(table.slice(0, 2)).toEqual(none.slice(0, 2));
  });
});

describe('weightedSum', () => {
  it('counts a padded row, weight 0, not at all', () => {
    expect(values(weightedSum(tf.tensor1d([4, 8, 1000]), tf.tensor1d([0.5, 0.5, 0])))).toEqual([6]);
  });
});
