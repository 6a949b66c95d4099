import { describe, it } from 'vitest';
import { tf } from '@lsgmer/onnx';
import { expectSame, type Op } from '../compare.ts';

// Not tf.fill itself: linters take it for an array's.
const { fill } = tf;

describe('kernels that move values, against tfjs, with gradients', () => {
  const ops: Record<string, [Op, number[]]> = {
    reshape: [(x) => tf.reshape(x, [3, -1]), [2, 3, 4]],
    'reshape to the same shape': [(x) => tf.reshape(x, [2, 3]), [2, 3]],
    expandDims: [(x) => [tf.expandDims(x, 1), tf.expandDims(x, -1), tf.expandDims(x)], [2, 3]],
    squeeze: [(x) => tf.squeeze(x), [2, 1, 3, 1]],
    transpose: [(x) => tf.transpose(x, [2, 0, 1]), [2, 3, 4]],
    'transpose in place': [(x) => tf.transpose(x, [0, 1]), [2, 3]],
    broadcastTo: [(x) => tf.broadcastTo(x, [4, 2, 3]), [2, 1]],
    tile: [(x) => tf.tile(x, [2, 1, 3]), [2, 3, 1]],
    reverse: [(x) => tf.reverse(x, [0, -1]), [3, 2, 4]],
    'reverse of nothing': [(x) => tf.reverse(x, []), [3, 2]],
    pad: [
      (x) =>
        tf.pad(
          x,
          [
            [1, 0],
            [2, 3],
          ],
          0.5,
        ),
      [2, 3],
    ],
    slice: [(x) => tf.slice(x, [1, 0, 2], [2, -1, 1]), [4, 2, 3]],
    'slice of everything': [(x) => tf.slice(x, [0, 0], [-1, -1]), [2, 3]],
    'split in equal parts': [(x) => tf.split(x, 3, -1), [2, 6]],
    'split by sizes': [(x) => tf.split(x, [1, 4, 2], 0), [7, 2]],
    unstack: [(x) => tf.unstack(x, 1), [2, 3, 4]],
  };
  it.each(Object.entries(ops))('%s', async (_, [op, shape]) => {
    await expectSame(op, [{ shape }]);
  });

  it('split in one part', async () => {
    await expectSame((x) => tf.split(x, 1, 0), [{ shape: [3, 2] }], { gradients: false });
  });

  it('concat and stack of several tensors', async () => {
    await expectSame(
      (a, b, c) => tf.concat([a, b, c], -1),
      [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 4] }],
    );
    await expectSame(
      (a, b) => [tf.stack([a, b], 1), tf.stack([a, b], -1)],
      [{ shape: [2, 3] }, { shape: [2, 3] }],
    );
    await expectSame((a) => [tf.concat([a], 0), tf.stack([a], 0)], [{ shape: [2, 3] }]);
  });

  it('zeros, ones and fill, of floats and integers, small and large', async () => {
    const fills: Op = (x) => [
      tf.zerosLike(x),
      tf.onesLike(x),
      tf.add(x, fill([3, 2], 1.5)),
      fill([2], 7, 'int32'),
      tf.mul(tf.ones([40, 3, 2]), x),
      tf.zeros([90], 'int32'),
      tf.scalar(0.25),
    ];
    await expectSame(fills, [{ shape: [3, 2] }], { gradients: false });
  });
});
