import { describe, it } from 'vitest';
import { tf } from '@lsgmer/onnx';
import { expectSame } from '../compare.ts';

describe('matrix products against tfjs, with gradients', () => {
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const product = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b, transposeA, transposeB);
    const left = transposeA ? [3, 5] : [5, 3];
    const right = transposeB ? [4, 3] : [3, 4];
    it(`transposeA ${transposeA}, transposeB ${transposeB}`, async () => {
      await expectSame(product, [{ shape: left }, { shape: right }]);
      await expectSame(product, [{ shape: [2, ...left] }, { shape: [2, ...right] }]);
      await expectSame(product, [{ shape: [2, 3, ...left] }, { shape: [2, 3, ...right] }]);
    });
    it(`one matrix for the whole batch, transposeA ${transposeA}, transposeB ${transposeB}`, async () => {
      await expectSame(product, [{ shape: [6, ...left] }, { shape: [1, ...right] }], { gradients: false });
      await expectSame(product, [{ shape: left }, { shape: [6, ...right] }], { gradients: false });
    });
  }
});
