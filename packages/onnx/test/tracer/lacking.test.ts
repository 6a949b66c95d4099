import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { tf } from '../../src/tfjs.ts';
import { lackingKernels } from '../../src/tracer/lacking.ts';

it('lists the kernels that were used, and those of them that cannot be traced', async () => {
  expect(cpu.version_cpu).toBeDefined();
  await tf.setBackend('cpu');
  const run = async (): Promise<void> => {
    const x = tf.tensor1d([0.5, 1]);
    const slope = tf.grad((y) => tf.sum(tf.atan(tf.mul(y, 2))));
    slope(x);
    tf.cosh(x);
  };
  const { used, lacking } = await lackingKernels(run);
  expect(used).toContain('Multiply');
  expect(lacking).toEqual(['Atan', 'Cosh']);
  // and nothing is recorded afterwards
  const counted = used.length;
  tf.sinh(tf.scalar(1));
  expect(used).toHaveLength(counted);
  await expect(lackingKernels(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});
