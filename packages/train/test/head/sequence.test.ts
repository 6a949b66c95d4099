import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { maskedMean, meanWeights } from '../../src/head/ops.ts';
import { means, responses, stepCount, steps, type Sequence } from '../../src/head/sequence.ts';
import { random, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

const projection = { w: random('w', [4, 4]), b: random('b', [4]) };
const mixture = { weights: tf.softmax(random('mixture', [2, 5, 3], 3)), heads: 1 };
const byHead = { weights: tf.softmax(random('by head', [2, 5, 6], 3)), heads: 2 };
const basis = random('basis', [2, 3, 4]);
const SEQUENCES: { readonly [name: string]: Sequence } = {
  'plain steps': { values: random('steps', [2, 5, 4]) },
  'projected steps': { values: random('steps', [2, 5, 4]), projection },
  'a mixture': { values: basis, mixture },
  'a projected mixture': { values: basis, mixture, projection },
  'a mixture by head': { values: basis, mixture: byHead },
  'a projected mixture by head': { values: basis, mixture: byHead, projection },
};

describe.each(Object.entries(SEQUENCES))('%s', (_, sequence) => {
  const whole = steps(sequence);

  it('has steps', () => {
    expect(stepCount(sequence)).toBe(5);
    expect(whole.shape).toEqual([2, 5, 4]);
  });

  it('has the means of its steps', () => {
    const weights = tf.softmax(random('weights', [2, 3, 5], 2));
    expect(
      largestDifference(values(means(sequence, weights)), values(tf.matMul(weights, whole))),
    ).toBeLessThan(1e-6);
    const mask = tf.tensor([
      [1, 1, 0, 0, 0],
      [1, 1, 1, 1, 1],
    ]);
    const mean = values(means(sequence, meanWeights(mask)));
    expect(largestDifference(mean, values(maskedMean(whole, mask)))).toBeLessThan(1e-6);
  });

  it('responds as its steps do, but for a constant of each probe', () => {
    const probes = random('probes', [3, 4], 2);
    const direct = tf.reshape(tf.matMul(tf.reshape(whole, [10, 4]), probes, false, true), [2, 5, 3]);
    const turned = tf.transpose(direct, [0, 2, 1]); // [B, R, L]
    const difference = tf.sub(responses(sequence, probes), turned);
    const constant = tf.slice(difference, [0, 0, 0], [1, 3, 1]);
    expect(Math.max(...values(tf.abs(tf.sub(difference, constant))))).toBeLessThan(2e-6);
    if (!sequence.projection) expect(Math.max(...values(tf.abs(constant)))).toBeLessThan(1e-6);
  });
});

it('the mixture is mixed, not averaged: by hand', () => {
  const sequence = {
    values: tf.tensor([
      [
        [1, 0],
        [0, 10],
      ],
    ]),
    mixture: {
      weights: tf.tensor([
        [
          [1, 0],
          [0.5, 0.5],
          [0, 1],
        ],
      ]),
      heads: 1,
    },
    projection: {
      w: tf.tensor2d([
        [2, 0],
        [0, 1],
      ]),
      b: tf.tensor1d([100, 0]),
    },
  };
  expect(values(steps(sequence))).toEqual([102, 0, 101, 5, 100, 10]);
});

it('each head mixes its own columns: by hand', () => {
  const sequence = {
    values: tf.tensor([
      [
        [1, 2],
        [10, 20],
      ],
    ]),
    mixture: { weights: tf.tensor([[[1, 0, 0.5, 0.5]]]), heads: 2 },
  };
  expect(values(steps(sequence))).toEqual([1, 11]);
});
