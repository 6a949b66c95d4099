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
export function means(sequence: Sequence, weights: tf.Tensor): tf.Tensor {
  const { values, mixture, projection } = sequence;
  if (mixture) return mixed(sequence, tf.matMul(weights, mixture.weights));
  const pooled = tf.matMul(weights, values);
  return projection ? linear(pooled, projection) : pooled;
}

/**
 * Means of the steps of which the mixtures' means are known: each head's values are then mixed once.
 * @param pooled [B, R, H K]
 * @returns [B, R, d]
 */
export function mixed({ values, mixture, projection }: Sequence, pooled: tf.Tensor): tf.Tensor {
  const [rows, count, d] = values.shape as [number, number, number];
  const asked = pooled.shape[1] as number;
  const heads = (mixture as Mixture).heads;
  const byHead = tf.transpose(tf.reshape(pooled, [rows, asked, heads, count]), [2, 0, 1, 3]);
  const seen = tf.matMul(byHead, headsFirst(values, heads)); // [H, B, R, d / H]
  const joined = tf.reshape(tf.transpose(seen, [1, 2, 0, 3]), [rows, asked, d]);
  return projection ? linear(joined, projection) : joined;
}

/**
 * Dot products of every step with each of R vectors, but for a constant of each vector (what the projection's
 * bias adds): a softmax over steps does not see it.
 * @param probes [R, d]
 * @returns [B, R, L]
 */
export function responses(sequence: Sequence, probes: tf.Tensor): tf.Tensor {
  const { values, mixture } = sequence;
  if (mixture) return tf.matMul(answers(sequence, probes), mixture.weights, false, true);
  const [rows, count, d] = values.shape as [number, number, number];
  const given = tf.matMul(tf.reshape(values, [rows * count, d]), asked(sequence, probes), false, true);
  return tf.transpose(tf.reshape(given, [rows, count, probes.shape[0]]), [0, 2, 1]);
}

/** Probes before the projection. */
function asked({ projection }: Sequence, probes: tf.Tensor): tf.Tensor {
  return projection ? tf.matMul(probes, projection.w, false, true) : probes;
}

/**
 * What each value of a mixture answers in each head. The few answers are turned before the many mixtures meet them, so
 * that their gradient reads the mixture as it lies.
 * @param probes [R, d]
 * @returns [B, R, H K]
 */
export function answers(sequence: Sequence, probes: tf.Tensor): tf.Tensor {
  const { values, mixture } = sequence;
  const [rows, count, d] = values.shape as [number, number, number];
  const heads = (mixture as Mixture).heads;
  const number = probes.shape[0];
  const own = tf.reshape(headsFirst(values, heads), [heads, rows * count, d / heads]);
  const split = tf.transpose(tf.reshape(asked(sequence, probes), [number, heads, d / heads]), [1, 0, 2]);
  const byHead = tf.matMul(split, own, false, true); // [H, R, B K]
  const turned = tf.transpose(tf.reshape(byHead, [heads, number, rows, count]), [2, 1, 0, 3]);
  return tf.reshape(turned, [rows, number, heads * count]);
}

/** The values of an identity matrix [size, size]. */
export function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}
