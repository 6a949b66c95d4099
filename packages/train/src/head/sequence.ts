import { tf } from '@lsgmer/onnx';
import { linear, type LinearWeights } from './ops.ts';

/**
 * A sequence [B, L, d] in factors: its steps are `mixture` x `values`, then `projection`, as far as these are
 * given. What follows in the head is linear up to a softmax, so the factors can often be applied to a few pooled
 * or projected rows instead of to every step.
 */
export interface Sequence {
  /** [B, K, d] */
  readonly values: tf.Tensor;
  /** Without it the values are the steps (K = L). */
  readonly mixture?: Mixture;
  /** The last Linear. */
  readonly projection?: LinearWeights;
}

/** What each step takes of each value, by head: head h mixes the values' columns h d / H to (h + 1) d / H. */
export interface Mixture {
  /** [B, L, H K] */
  readonly weights: tf.Tensor;
  /** H */
  readonly heads: number;
}

/** Number of steps, L. */
export function stepCount({ values, mixture }: Sequence): number {
  return (mixture?.weights ?? values).shape[1] as number;
}

/** The steps themselves, [B, L, d]. */
export function steps({ values, mixture, projection }: Sequence): tf.Tensor {
  const mixed = mixture ? tf.matMul(mixture.weights, inOwnColumns(values, mixture.heads)) : values;
  return projection ? linear(mixed, projection) : mixed;
}

/** [B, K, d] -> [B, H K, d]: each head's columns of the values, zeros in the others; one product then mixes all heads. */
function inOwnColumns(values: tf.Tensor, heads: number): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  const apart = tf.mul(
    tf.reshape(values, [rows, 1, count, heads, d / heads]),
    tf.tensor(identity(heads), [1, heads, 1, heads, 1]),
  );
  return tf.reshape(apart, [rows, heads * count, d]);
}

/** [B, K, d] -> [H, B, K, d / H] */
function headsFirst(values: tf.Tensor, heads: number): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  return tf.transpose(tf.reshape(values, [rows, count, heads, d / heads]), [2, 0, 1, 3]);
}

/**
 * Weighted means of the steps.
 * @param weights [B, R, L]; each row sums to 1, so that the projection's bias passes through
 * @returns [B, R, d]
 */
export function means({ values, mixture, projection }: Sequence, weights: tf.Tensor): tf.Tensor {
  const pooled = mixture ? mixedMeans(values, mixture, weights) : tf.matMul(weights, values);
  return projection ? linear(pooled, projection) : pooled;
}

/** `means` before the projection: the mixtures are pooled first, then each head's values are mixed once. */
function mixedMeans(values: tf.Tensor, { weights: mixture, heads }: Mixture, weights: tf.Tensor): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  const asked = weights.shape[1] as number;
  const pooled = tf.reshape(tf.matMul(weights, mixture), [rows, asked, heads, count]);
  const mixed = tf.matMul(tf.transpose(pooled, [2, 0, 1, 3]), headsFirst(values, heads)); // [H, B, R, d / H]
  return tf.reshape(tf.transpose(mixed, [1, 2, 0, 3]), [rows, asked, d]);
}

/**
 * Dot products of every step with each of R vectors, but for a constant of each vector (what the projection's
 * bias adds): a softmax over steps does not see it.
 * @param probes [R, d]
 * @returns [B, R, L]
 */
export function responses({ values, mixture, projection }: Sequence, probes: tf.Tensor): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  const asked = projection ? tf.matMul(probes, projection.w, false, true) : probes;
  if (mixture) return tf.matMul(answers(values, asked, mixture.heads), mixture.weights, false, true);
  const given = tf.matMul(tf.reshape(values, [rows * count, d]), asked, false, true);
  return tf.transpose(tf.reshape(given, [rows, count, probes.shape[0]]), [0, 2, 1]);
}

/**
 * What each value answers in each head: the few answers are turned before the many mixtures meet them, so that their
 * gradient reads the mixture as it lies.
 * @param asked [R, d]
 * @returns [B, R, H K]
 */
function answers(values: tf.Tensor, asked: tf.Tensor, heads: number): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  const probes = asked.shape[0] as number;
  const own = tf.reshape(headsFirst(values, heads), [heads, rows * count, d / heads]);
  const split = tf.transpose(tf.reshape(asked, [probes, heads, d / heads]), [1, 2, 0]); // [H, d / H, R]
  const byHead = tf.reshape(tf.matMul(own, split), [heads, rows, count, probes]);
  return tf.reshape(tf.transpose(byHead, [1, 3, 0, 2]), [rows, probes, heads * count]);
}

/** The values of an identity matrix [size, size]. */
export function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}
