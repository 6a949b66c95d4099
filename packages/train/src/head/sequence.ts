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
  /** [B, L, K]; without it the values are the steps (K = L). */
  readonly mixture?: tf.Tensor;
  /** The last Linear. */
  readonly projection?: LinearWeights;
}

/** Number of steps, L. */
export function stepCount({ values, mixture }: Sequence): number {
  return (mixture ?? values).shape[1] as number;
}

/** The steps themselves, [B, L, d]. */
export function steps({ values, mixture, projection }: Sequence): tf.Tensor {
  const mixed = mixture ? tf.matMul(mixture, values) : values;
  return projection ? linear(mixed, projection) : mixed;
}

/**
 * Weighted means of the steps.
 * @param weights [B, R, L]; each row sums to 1, so that the projection's bias passes through
 * @returns [B, R, d]
 */
export function means({ values, mixture, projection }: Sequence, weights: tf.Tensor): tf.Tensor {
  const pooled = tf.matMul(mixture ? tf.matMul(weights, mixture) : weights, values);
  return projection ? linear(pooled, projection) : pooled;
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
  const answers = tf.matMul(tf.reshape(values, [rows * count, d]), asked, false, true);
  // the few answers are turned before the many mixtures meet them: their gradient reads the mixture as it lies
  const answered = tf.transpose(tf.reshape(answers, [rows, count, probes.shape[0]]), [0, 2, 1]);
  return mixture ? tf.matMul(answered, mixture, false, true) : answered;
}
