import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { classWeights, fillTarget, plainTargets, targetScale } from '../../src/batches/targets.ts';
import { crossEntropy, weightedSum } from '../../src/head/loss.ts';
import { gradients, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';
import { golden } from '../support/options-golden.ts';

describe('classWeights', () => {
  const { counts, beta, ...expected } = golden.classWeights;
  const rows = counts.flatMap((n, label) =>
    Array.from({ length: n }, (_, i) => ({ id: `${label}/${i}`, label })),
  );

  it.each(['inverse', 'sqrt', 'effective'] as const)(
    '%s has the reference values, mean 1 over the rows',
    (kind) => {
      expect(largestDifference(classWeights(kind, rows, 4, beta) as number[], expected[kind])).toBeLessThan(
        1e-12,
      );
    },
  );

  it('none is none, and a class without rows has 0', () => {
    expect(classWeights('none', rows, 4, beta)).toBeUndefined();
    const inverse = classWeights('inverse', rows.slice(0, 55), 4, beta) as number[];
    expect(inverse).toEqual([55 / 100, 55 / 10, 0, 0]);
    expect(classWeights('effective', rows, 4, 1)).toEqual(classWeights('inverse', rows, 4, 1));
  });
});

describe('fillTarget', () => {
  const { logits, labels, weights, cases } = golden.crossEntropy;

  it.each(cases)(
    "with smoothing $smoothing and weights $weighted, loss and gradient are torch's",
    ({ smoothing, weighted, loss, gradient }) => {
      const rule = { smoothing, weights: weighted ? weights : undefined };
      const scale = targetScale(labels, rule);
      const target = new Float32Array(24);
      labels.forEach((label, r) => fillTarget(label, rule, scale, target.subarray(4 * r, 4 * r + 4)));
      const rowWeights = tf.mul(tf.ones([6]), 1 / 6);
      const f = (x: tf.Tensor): tf.Scalar =>
        weightedSum(crossEntropy(x, tf.tensor2d(target, [6, 4])), rowWeights);
      const x = tf.tensor2d(logits.flat(), [6, 4]);
      expect(values(f(x))[0]).toBeCloseTo(loss, 6);
      expect(largestDifference(gradients(f as never, [x])[0] as number[], gradient.flat())).toBeLessThan(
        1e-7,
      );
    },
  );

  it('is one-hot unless something else is asked for', () => {
    const out = new Float32Array(3);
    fillTarget(1, plainTargets, targetScale([1, 2], plainTargets), out);
    expect([...out]).toEqual([0, 1, 0]);
  });
});
