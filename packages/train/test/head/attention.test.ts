import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import {
  attend,
  attentionWeights,
  crossAttention,
  meanOf,
  mergeHeads,
  projected,
  scaledQuery,
  splitHeads,
  type AttentionWeights,
} from '../../src/head/attention.ts';
import { maskedMean, paddingScores } from '../../src/head/ops.ts';
import { random, repeated, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

function weights(name: string, d: number): AttentionWeights {
  const parameters: { [name: string]: tf.Tensor } = {};
  for (const part of ['q', 'k', 'v', 'o']) {
    parameters[`${name}.w${part}`] = random(`${name}.w${part}`, [d, d]);
    if (part !== 'k') parameters[`${name}.b${part}`] = random(`${name}.b${part}`, [d]);
  }
  return attentionWeights(parameters, name);
}

describe('heads', () => {
  it('split and merge are inverse, head h holds the columns h * width and on', () => {
    const x = random('x', [2, 3, 8]);
    const heads = splitHeads(x, 4);
    expect(heads.shape).toEqual([2, 4, 3, 2]);
    const row = values(x).slice(0, 8);
    expect(values(heads).slice(0, 2)).toEqual(row.slice(0, 2));
    expect(values(tf.slice(heads, [0, 3, 0, 0], [1, 1, 1, 2]))).toEqual(row.slice(6));
    expect(values(mergeHeads(heads))).toEqual(values(x));
  });
});

describe('attend', () => {
  it('weighs values by softmax of the scores, padding gets 0', () => {
    const q = tf.tensor([[[[1, 0]]]]);
    const k = tf.tensor([
      [
        [
          [Math.log(3), 5],
          [0, 7],
          [50, 0],
        ],
      ],
    ]);
    const v = tf.tensor([
      [
        [
          [4, 0],
          [0, 8],
          [1e6, 1e6],
        ],
      ],
    ]);
    const { context, weights: seen } = attend(q, k, v, paddingScores(tf.tensor([[1, 1, 0]])));
    // scores ln 3 and 0: weights 3/4, 1/4
    expect(largestDifference(values(seen), [0.75, 0.25, 0])).toBeLessThan(1e-6);
    expect(largestDifference(values(context), [3, 2])).toBeLessThan(1e-5);
  });

  it('gives a row of padding only equal weights and no NaN', () => {
    const q = random('q', [1, 1, 2, 4]);
    const k = random('k', [1, 1, 4, 4]);
    const { weights: seen } = attend(q, k, k, paddingScores(tf.zeros([1, 4])));
    expect(values(seen)).toEqual(repeated(0.25, 8));
  });
});

describe('scaledQuery', () => {
  it('divides by the root of the width of a head', () => {
    const query = { w: tf.ones([16, 16]), b: tf.ones([16]) };
    expect(values(scaledQuery(query, 4).w)[0]).toBeCloseTo(0.5, 7);
    expect(values(scaledQuery(query, 1).b)[0]).toBeCloseTo(0.25, 7);
  });
});

describe('crossAttention', () => {
  const own = random('own', [2, 3, 8], 2);
  const other = random('other', [2, 4, 8], 2);
  const padding = paddingScores(
    tf.tensor([
      [1, 1, 1, 0],
      [1, 0, 0, 0],
    ]),
  );

  it('without residual leaves the output projection to come', () => {
    const cross = weights('cross', 8);
    const sequence = crossAttention(own, other, padding, cross, 2, 'none');
    expect(sequence.projection).toBe(cross.output);
    // the second row sees one step only: its value, whoever asks
    const value = tf.add(
      tf.matMul(tf.reshape(tf.slice(other, [1, 0, 0], [1, 1, 8]), [1, 8]), cross.value.w),
      cross.value.b,
    );
    const context = values(tf.slice(sequence.values, [1, 2, 0], [1, 1, 8]));
    expect(largestDifference(context, values(value))).toBeLessThan(1e-6);
  });

  it('add puts the queries around it, add-norm normalises the sum', () => {
    const cross = weights('cross', 8);
    const h1 = projected(crossAttention(own, other, padding, cross, 2, 'none'));
    const added = projected(crossAttention(own, other, padding, cross, 2, 'add'));
    expect(largestDifference(values(added), values(tf.add(own, h1)))).toBeLessThan(1e-6);
    const norm = { gain: tf.tensor1d(repeated(2, 8)), bias: tf.tensor1d(repeated(3, 8)) };
    const normed = projected(crossAttention(own, other, padding, cross, 2, 'add-norm', norm));
    expect(largestDifference(values(tf.mean(normed, -1)), repeated(3, 6))).toBeLessThan(1e-5);
    expect(() => crossAttention(own, other, padding, cross, 2, 'add-norm')).toThrow('layer norm');
  });
});

describe('a sequence that waits for its projection', () => {
  it('has the mean of the projected steps', () => {
    const mask = tf.tensor([
      [1, 1, 0],
      [1, 1, 1],
    ]);
    const sequence = {
      values: random('steps', [2, 3, 4]),
      projection: { w: random('w', [4, 5]), b: random('b', [5]) },
    };
    const direct = values(maskedMean(projected(sequence), mask));
    expect(largestDifference(values(meanOf(sequence, mask)), direct)).toBeLessThan(1e-6);
    expect(values(projected({ values: sequence.values }))).toEqual(values(sequence.values));
  });
});
