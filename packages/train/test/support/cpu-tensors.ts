import { tf } from '@lsgmer/onnx';
import { useCpu } from './cpu-backend.ts';
import { drawn } from './head-golden.ts';

await useCpu();

/** A tensor of seeded values in [-scale, scale). */
export function random(name: string, shape: number[], scale = 1): tf.Tensor {
  return tf.tensor(drawn(name, shape, scale), shape);
}

export function values(x: tf.Tensor): number[] {
  return Array.from(x.dataSync());
}

/** Gradients of a scalar function, one array per argument. */
export function gradients(f: (...xs: tf.Tensor[]) => tf.Tensor, xs: tf.Tensor[]): number[][] {
  return tf.grads(f)(xs).map(values);
}

/** One value, several times over. */
export function repeated(value: number, count: number): number[] {
  return Array.from({ length: count }, () => value);
}
