import { describe, it } from 'vitest';
import { tf } from '@lsgmer/onnx';
import { expectSame, type Op } from '../compare.ts';

describe('kernels that address by index, against tfjs', () => {
  const indices = { shape: [4], dtype: 'int32', values: [2, 0, 2, 1] } as const;

  it('gather along each axis; its gradient adds where an index repeats', async () => {
    for (const axis of [0, 1, 2]) {
      await expectSame((x, i) => tf.gather(x, i, axis), [{ shape: [3, 3, 3] }, indices]);
    }
    const grid = { shape: [2, 2], dtype: 'int32', values: [1, 2, 2, 0] } as const;
    await expectSame((x, i) => tf.gather(x, i, 0), [{ shape: [3, 2] }, grid]);
  });

  it('unsortedSegmentSum', async () => {
    const op: Op = (x, i) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 5);
    await expectSame(op, [{ shape: [4, 2, 3] }, indices], { gradients: false });
  });

  it('oneHot, with indices outside too', async () => {
    const outside = { shape: [5], dtype: 'int32', values: [0, 3, -1, 2, 7] } as const;
    await expectSame((i) => tf.oneHot(i, 4), [outside], { gradients: false });
    await expectSame((i) => tf.oneHot(i, 3, 0.9, 0.05), [indices], { gradients: false });
  });

  it('range', async () => {
    const op: Op = (x) => [tf.add(x, tf.range(0, 5)), tf.range(7, 1, -2, 'int32')];
    await expectSame(op, [{ shape: [5] }], { gradients: false });
  });
});
