import { describe, it } from 'vitest';
import { tf } from '@lsgmer/onnx';
import { expectSame, type Op } from '../compare.ts';

describe('reduction kernels against tfjs', () => {
  const reductions: Record<
    string,
    (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor
  > = {
    sum: (x, axis, keep) => tf.sum(x, axis, keep),
    mean: (x, axis, keep) => tf.mean(x, axis, keep),
    max: (x, axis, keep) => tf.max(x, axis, keep),
    min: (x, axis, keep) => tf.min(x, axis, keep),
    logSumExp: (x, axis, keep) => tf.logSumExp(x, axis, keep),
  };
  it.each(Object.entries(reductions))(
    '%s over one, several and all axes, with gradients',
    async (_, reduce) => {
      await expectSame((x) => reduce(x), [{ shape: [3, 4] }]);
      await expectSame((x) => reduce(x, -1), [{ shape: [2, 3, 5] }]);
      await expectSame((x) => reduce(x, 1, true), [{ shape: [2, 3, 5] }]);
    },
  );

  it('prod', async () => {
    await expectSame((x) => tf.prod(x, 1), [{ shape: [3, 4, 2] }], { gradients: false });
  });

  it('sum and mean over two axes', async () => {
    await expectSame((x) => tf.sum(x, [0, 2]), [{ shape: [2, 3, 5] }]);
    await expectSame((x) => tf.mean(x, [0, 2], true), [{ shape: [2, 3, 5] }]);
  });

  it('all and any', async () => {
    const op: Op = (x) => [tf.all(tf.greater(x, -1), 1), tf.any(tf.greater(x, 1.5), [0, 1])];
    await expectSame(op, [{ shape: [4, 3] }], { gradients: false });
  });

  it('argMax and argMin', async () => {
    const op: Op = (x) => [tf.argMax(x, 1), tf.argMin(x, 0), tf.argMax(x, -1)];
    await expectSame(op, [{ shape: [4, 3, 5] }], { gradients: false });
  });

  it('cumsum with gradient, exclusive and reversed too', async () => {
    await expectSame((x) => tf.cumsum(x, 1), [{ shape: [2, 6, 3] }], { gradients: false });
    await expectSame((x) => tf.cumsum(x, 1, true, true), [{ shape: [2, 6] }]);
  });

  it('softmax and logSoftmax with gradients, also where logits are far apart', async () => {
    for (const high of [1, 60]) {
      await expectSame((x) => tf.softmax(x), [{ shape: [2, 3, 7], low: -high, high }]);
      await expectSame((x) => tf.logSoftmax(x), [{ shape: [5, 4], low: -high, high }]);
    }
  });

  it('moments and layer normalisation, with gradients', async () => {
    const layerNorm: Op = (x, scale, shift) => {
      const { mean, variance } = tf.moments(x, -1, true);
      const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
      return tf.add(tf.mul(normal, scale), shift);
    };
    await expectSame(layerNorm, [{ shape: [2, 3, 8] }, { shape: [8] }, { shape: [8] }]);
  });
});
