import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import {
  attend,
  attentionWeights,
  crossAttention,
  crossLongAsks,
  crossPlain,
  crossShortAsks,
  headColumns,
  mergeHeads,
  scaledQuery,
  splitHeads,
  type AttentionWeights,
  type Cross,
} from '../../src/head/attention.ts';
import { realKeys } from '../../src/head/ops.ts';
import { steps } from '../../src/head/sequence.ts';
import { gradients, random, repeated, values } from '../support/cpu-tensors.ts';
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
    const { context, weights: seen } = attend(q, k, v, realKeys(tf.tensor([[1, 1, 0]])));
    // scores ln 3 and 0: weights 3/4, 1/4
    expect(largestDifference(values(seen), [0.75, 0.25, 0])).toBeLessThan(1e-6);
    expect(largestDifference(values(context), [3, 2])).toBeLessThan(1e-5);
  });

  it('sees nothing where every key is padding, and gives no NaN', () => {
    const q = random('q', [1, 1, 2, 4]);
    const k = random('k', [1, 1, 4, 4]);
    const { weights: seen, context } = attend(q, k, k, realKeys(tf.zeros([1, 4])));
    expect(values(seen)).toEqual(repeated(0.25, 8));
    expect(values(context).map(Math.abs)).toEqual(repeated(0, 8));
    const short = random('short', [1, 1, 1, 4]); // fewer keys than queries
    const fewer = attend(q, short, short, realKeys(tf.zeros([1, 1]))).context;
    expect(values(fewer).map(Math.abs)).toEqual(repeated(0, 8));
  });
});

describe('scaledQuery', () => {
  it('divides by the root of the width of a head', () => {
    const query = { w: tf.ones([16, 16]), b: tf.ones([16]) };
    expect(values(scaledQuery(query, 4).w)[0]).toBeCloseTo(0.5, 7);
    expect(values(scaledQuery(query, 1).b)[0]).toBeCloseTo(0.25, 7);
  });
});

describe('headColumns', () => {
  it('holds the columns of each head, a row each', () => {
    const w = tf.tensor2d([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
      [13, 14, 15, 16],
    ]);
    expect(values(headColumns(w, 2))).toEqual([1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 4, 8, 12, 16]);
  });
});

const FORMS = { crossPlain, crossShortAsks, crossLongAsks };

describe.each(Object.keys(FORMS) as (keyof typeof FORMS)[])('%s', (name) => {
  const form = FORMS[name];
  const own = random('own', [3, 4, 16], 2);
  const other = random('other', [3, 5, 16], 2);
  const mask = tf.tensor([
    [1, 1, 1, 1, 1],
    [1, 1, 1, 0, 0],
    [1, 0, 0, 0, 0],
  ]);
  const keys = realKeys(mask);
  const probe = random('probe', [3, 4, 16]);

  it.each([1, 2, 8])('sees what attention as it is written sees, with %i heads', (heads) => {
    const cross = { own, other, keys, weights: weights('cross', 16), heads };
    const expected = values(steps(crossPlain(cross)));
    expect(Math.max(...expected)).toBeGreaterThan(1);
    expect(largestDifference(values(steps(form(cross))), expected)).toBeLessThan(1e-5);
  });

  it('sees one value where one step is real, whoever asks', () => {
    const cross = weights('cross', 16);
    const context = { ...form({ own, other, keys, weights: cross, heads: 4 }), projection: cross.output };
    const only = tf.reshape(tf.slice(other, [2, 0, 0], [1, 1, 16]), [1, 16]);
    const value = tf.add(tf.matMul(only, cross.value.w), cross.value.b);
    const expected = values(tf.add(tf.matMul(value, cross.output.w), cross.output.b));
    const seen = tf.slice(steps(context), [2, 3, 0], [1, 1, 16]);
    expect(largestDifference(values(seen), expected)).toBeLessThan(1e-5);
  });

  it('has the gradients of attention as it is written', () => {
    const parts = ['wq', 'bq', 'wk', 'wv', 'bv', 'wo', 'bo'];
    const tensors = parts.map((part) => random(part, part.startsWith('w') ? [16, 16] : [16], 0.7));
    const run = (of: typeof form): number[][] =>
      gradients(
        (own, other, ...rest) => {
          const named = Object.fromEntries(parts.map((part, i) => [`a.${part}`, rest[i] as tf.Tensor]));
          const cross = { own, other, keys, weights: attentionWeights(named, 'a'), heads: 4 } as Cross;
          return tf.sum(tf.mul(steps(of(cross)), probe));
        },
        [own, other, ...tensors],
      );
    const [actual, expected] = [run(form), run(crossPlain)];
    actual.forEach((gradient, i) => {
      const largest = Math.max(...gradient.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-2);
      expect(largestDifference(gradient, expected[i] as number[])).toBeLessThan(2e-5 * Math.max(1, largest));
    });
  });

  it('sees nothing where nothing is real: what is left is the bias of the projection', () => {
    const nothing = realKeys(tf.zeros([3, 5]));
    const cross = { own, other, keys: nothing, weights: weights('cross', 16), heads: 2 };
    const expected = values(tf.tile(tf.reshape(cross.weights.output.b, [1, 1, 16]), [3, 4, 1]));
    expect(values(steps(form(cross)))).toEqual(expected);
  });
});

describe('crossAttention', () => {
  const short = random('short', [2, 2, 16]);
  const long = random('long', [2, 40, 16]);
  const ask = (own: tf.Tensor, other: tf.Tensor, heads = 2) => {
    const keys = realKeys(tf.ones([2, other.shape[1] as number]));
    return { own, other, keys, weights: weights('cross', 16), heads };
  };

  it('takes the form with the fewest multiplications', () => {
    const sizes = (cross: Cross) => {
      const { values, mixture } = crossAttention(cross, 'none');
      return [values.shape[1], mixture?.weights.shape[2]];
    };
    expect(sizes(ask(long, short))).toEqual([2, 4]); // crossLongAsks: 2 steps, for 2 heads
    expect(sizes(ask(short, long))).toEqual([2, undefined]);
    expect(sizes(ask(long, random('also long', [2, 30, 16])))).toEqual([40, undefined]); // crossPlain
  });

  it('add puts the queries around it, add-norm normalises the sum', () => {
    for (const cross of [ask(short, long), ask(long, short)]) {
      const h1 = steps(crossPlain(cross));
      const added = steps(crossAttention(cross, 'add'));
      expect(largestDifference(values(added), values(tf.add(cross.own, h1)))).toBeLessThan(1e-5);
      const norm = { gain: tf.tensor1d(repeated(2, 16)), bias: tf.tensor1d(repeated(3, 16)) };
      const means = values(tf.mean(steps(crossAttention(cross, 'add-norm', norm)), -1));
      expect(largestDifference(means, repeated(3, means.length))).toBeLessThan(1e-5);
      expect(() => crossAttention(cross, 'add-norm')).toThrow('layer norm');
    }
  });
});
