import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { attentionWeights, type AttentionWeights } from '../../src/head/attention.ts';
import { foldedLabelMean, frameQueries, labelQueries } from '../../src/head/label-attention.ts';
import { realKeys } from '../../src/head/ops.ts';
import type { Sequence } from '../../src/head/sequence.ts';
import { gradients, random, repeated, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

const [B, L, N, D] = [3, 5, 4, 16];
const labels = random('labels', [N, D], 2);
const steps = random('steps', [B, L, D], 2);
const keys = realKeys(
  tf.tensor([
    [1, 1, 1, 1, 1],
    [1, 1, 1, 0, 0],
    [1, 0, 0, 0, 0],
  ]),
);
const cross = { w: random('cross.w', [D, D], 0.5), b: random('cross.b', [D]) };
const PARTS = ['wq', 'bq', 'wk', 'wv', 'bv', 'wo', 'bo'];
const parameters = PARTS.map((part) => random(part, part.startsWith('w') ? [D, D] : [D], 0.6));

function weightsOf(tensors: tf.Tensor[]): AttentionWeights {
  return attentionWeights(
    Object.fromEntries(PARTS.map((part, i) => [`a.${part}`, tensors[i] as tf.Tensor])),
    'a',
  );
}

describe('foldedLabelMean', () => {
  const weights = (heads: number): tf.Tensor => tf.softmax(random('mixture', [B, L, heads * L], 2));
  const sequences: { readonly [name: string]: Sequence } = {
    steps: { values: steps },
    'projected steps': { values: steps, projection: cross },
    'a projected mixture': { values: steps, mixture: { weights: weights(1), heads: 1 }, projection: cross },
    'a projected mixture by head': {
      values: steps,
      mixture: { weights: weights(2), heads: 2 },
      projection: cross,
    },
  };
  for (const heads of [1, 4, 8])
    for (const [name, sequence] of Object.entries(sequences)) {
      it(`equals the mean of labelQueries: ${heads} heads, ${name}`, () => {
        const folded = foldedLabelMean(labels, sequence, keys, weightsOf(parameters), heads);
        const full = labelQueries(labels, sequence, keys, weightsOf(parameters), heads);
        expect(full.signal.shape).toEqual([B, N, D]);
        expect(largestDifference(values(folded.signal), values(tf.mean(full.signal, 1)))).toBeLessThan(5e-6);
        expect(largestDifference(values(folded.weights), values(full.weights))).toBeLessThan(2e-6);
      });
    }

  it('has the same gradients', () => {
    const probe = random('probe', [B, D]);
    const inputs = [labels, steps, cross.w, cross.b, ...parameters];
    const run = (fold: boolean) =>
      gradients((table, x, w, b, ...rest) => {
        const sequence = { values: x, projection: { w: w, b: b } };
        const attention = fold ? foldedLabelMean : labelQueries;
        const { signal } = attention(table, sequence, keys, weightsOf(rest), 4);
        return tf.sum(tf.mul(fold ? signal : tf.mean(signal, 1), probe));
      }, inputs);
    const [folded, full] = [run(true), run(false)];
    folded.forEach((gradient, i) => {
      const largest = Math.max(...gradient.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-3);
      expect(largestDifference(gradient, full[i] as number[])).toBeLessThan(2e-5 * Math.max(1, largest));
    });
  });
});

describe('labelQueries', () => {
  it('looks at real steps only; the weights of each label sum to 1', () => {
    const { weights } = labelQueries(labels, { values: steps }, keys, weightsOf(parameters), 4);
    expect(weights.shape).toEqual([B, N, L]);
    expect(largestDifference(values(tf.sum(weights, -1)), repeated(1, B * N))).toBeLessThan(1e-6);
    const second = values(tf.slice(weights, [1, 0, 3], [1, N, 2]));
    expect(second).toEqual(repeated(0, N * 2));
  });
});

describe('frameQueries', () => {
  const ask = (table: tf.Tensor) => frameQueries(table, { values: steps }, weightsOf(parameters), 4);

  it('answers every step from the labels; the weights of each step sum to 1', () => {
    const { signal, weights } = ask(labels);
    expect(signal.shape).toEqual([B, L, D]);
    expect(weights.shape).toEqual([B, N, L]);
    expect(largestDifference(values(tf.sum(weights, 1)), repeated(1, B * L))).toBeLessThan(1e-6);
  });

  it('does not depend on the order of the labels', () => {
    const { signal, weights } = ask(tf.reverse(labels, 0));
    expect(largestDifference(values(signal), values(ask(labels).signal))).toBeLessThan(1e-5);
    expect(largestDifference(values(weights), values(tf.reverse(ask(labels).weights, 1)))).toBeLessThan(1e-6);
  });
});
