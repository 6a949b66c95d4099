import { describe, expect, it } from 'vitest';
import { registeredGradients, tf } from '@lsgmer/onnx';
import { reference } from './tracer/compare.ts';

describe('tfjs with gradients', () => {
  it('has them registered, in one engine with backends loaded elsewhere', async () => {
    expect(registeredGradients).toBeGreaterThan(80);
    expect(reference).toContain('4.22');
    await tf.setBackend('cpu');
    // d/dx sum(x^2 w) = 2 x w
    const { value, grads } = tf.valueAndGrads((x, w) => tf.sum(tf.mul(tf.square(x), w)))([
      tf.tensor1d([1, -2, 3]),
      tf.tensor1d([1, 10, 100]),
    ]);
    expect(value.dataSync()[0]).toBe(941);
    expect([...(grads[0] as tf.Tensor).dataSync()]).toEqual([2, -40, 600]);
    expect([...(grads[1] as tf.Tensor).dataSync()]).toEqual([1, 4, 9]);
  });
});
