import { createSession, tf, trace } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { stepRows } from '../../src/head/step-rows.ts';
import { random, values } from '../support/cpu-tensors.ts';
import { largestDifference } from '../support/head-golden.ts';

const [rows, length, d, heads] = [3, 4, 6, 2];
const shapes = { x: [rows, length, d], mask: [rows, length], w: [heads, d / heads, 5] };

/** Everything that steps are brought through, and the gradients of what comes of real steps. */
function results(tensors: { readonly [name: string]: tf.Tensor }): Record<string, tf.Tensor> {
  const get = (name: string): tf.Tensor => tensors[name] as tf.Tensor;
  const real = tf.reshape(get('mask'), [rows, length, 1]);
  const run = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
    const steps = stepRows(x, get('mask'));
    const byHead = steps.headsToRows(tf.matMul(steps.split(steps.values, heads), w)); // [B, H L, 5]
    const seen = tf.matMul(steps.rowsToHeads(tf.square(byHead), heads), w, false, true); // [H, S, d / H]
    return tf.mul(steps.toRows(tf.add(steps.merge(seen), steps.values)), real);
  };
  const [dx, dw] = tf.grads((...args) => {
    const [x, w] = args as [tf.Tensor, tf.Tensor];
    return tf.sum(tf.square(run(x, w)));
  })([get('x'), get('w')]) as [tf.Tensor, tf.Tensor];
  return { y: run(get('x'), get('w')), dx, dw };
}

async function traced(given: { readonly [name: string]: tf.Tensor }): Promise<Record<string, number[]>> {
  const inputs = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }) as const);
  const session = await createSession(trace(inputs, results).bytes, { device: 'cpu' });
  const feeds = Object.entries(given).map(([name, tensor]) => [
    name,
    { data: tensor.dataSync() as Float32Array, shape: tensor.shape },
  ]);
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

describe('the steps of rows', () => {
  it.each([
    ['padded rows, one of padding only', [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]],
    ['the first row of padding only', [0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0]],
    ['no padding', [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['padding only', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('give in a graph what all of them give: %s', async (_, mask) => {
    const given = {
      x: random('x', shapes.x),
      mask: tf.tensor(mask, shapes.mask),
      w: random('w', shapes.w),
    };
    const found = await traced(given);
    for (const [name, expected] of Object.entries(results(given))) {
      expect(largestDifference(found[name] as number[], values(expected)), name).toBeLessThan(1e-5);
      expect(values(expected).some((value) => value !== 0)).toBe(mask.includes(1));
    }
  });
});
