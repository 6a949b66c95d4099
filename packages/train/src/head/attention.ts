import { tf } from '@lsgmer/onnx';
import type { Tensors } from './contract.ts';
import { layerNorm, linear, maskedMean, need, project, type LinearWeights } from './ops.ts';

/**
 * Weights of one multi-head attention: w [d, d], b [d]. Keys have no bias: it would add the same number to all
 * scores of a query, which softmax does not see, so its gradient is exactly 0.
 */
export interface AttentionWeights {
  readonly query: LinearWeights;
  readonly key: tf.Tensor;
  readonly value: LinearWeights;
  readonly output: LinearWeights;
}

export function attentionWeights(parameters: Tensors, name: string): AttentionWeights {
  const pair = (part: string): LinearWeights => ({
    w: need(parameters, `${name}.w${part}`),
    b: need(parameters, `${name}.b${part}`),
  });
  return { query: pair('q'), key: need(parameters, `${name}.wk`), value: pair('v'), output: pair('o') };
}

/** Query projection with the scale 1 / sqrt(d / heads) in its weights, where it costs least. */
export function scaledQuery({ w, b }: LinearWeights, heads: number): LinearWeights {
  const scale = 1 / Math.sqrt((w.shape[1] as number) / heads);
  return { w: tf.mul(w, scale), b: tf.mul(b, scale) };
}

/** [B, L, d] -> [B, H, L, d / H]. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [rows, steps, d] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [rows, steps, heads, d / heads]), [0, 2, 1, 3]);
}

/** [B, H, L, d / H] -> [B, L, d]. */
export function mergeHeads(x: tf.Tensor): tf.Tensor {
  const [rows, heads, steps, width] = x.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows, steps, heads * width]);
}

/** What the queries see and how much of each key. */
export interface Attended {
  /** [B, Lq, d], before the output projection. */
  readonly context: tf.Tensor;
  /** [B, H, Lq, Lk], rows sum to 1. */
  readonly weights: tf.Tensor;
}

/**
 * softmax(Q K^T + padding) V on split heads.
 * @param q [B, H, Lq, d / H], scaled
 * @param k [B, H, Lk, d / H]
 * @param v [B, H, Lk, d / H]
 * @param padding [B, 1, 1, Lk] of `paddingScores`; none where every key is real
 */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, padding?: tf.Tensor): Attended {
  const scores = tf.matMul(q, k, false, true); // [B, H, Lq, Lk]
  const weights = tf.softmax(padding ? tf.add(scores, padding) : scores);
  return { context: mergeHeads(tf.matMul(weights, v)), weights };
}

/**
 * A sequence [B, L, d] that may still wait for its last Linear: its values are `values` W + b where `projection`
 * is given. What follows is linear up to a softmax, so the projection can often act on a few pooled rows
 * instead of on every step.
 */
export interface Sequence {
  readonly values: tf.Tensor;
  readonly projection?: LinearWeights;
}

/** The sequence itself, [B, L, d]. */
export function projected({ values, projection }: Sequence): tf.Tensor {
  return projection ? linear(values, projection) : values;
}

/** The sequence's mean over the real steps, [B, d]: a mean and a Linear can be swapped. */
export function meanOf({ values, projection }: Sequence, mask: tf.Tensor): tf.Tensor {
  const mean = maskedMean(values, mask);
  return projection ? linear(mean, projection) : mean;
}

/**
 * Eq. 3, 4: one modality asks the other. H_1 = MultiHead(Q = own, K = V = other), with what `residual` puts
 * around it.
 * @param own [B, Lq, d] and `other` [B, Lk, d]: H_0 of the two modalities
 * @param padding of `other`, [B, 1, 1, Lk]
 * @param norm layer norm of add-norm
 */
export function crossAttention(
  own: tf.Tensor,
  other: tf.Tensor,
  padding: tf.Tensor,
  weights: AttentionWeights,
  heads: number,
  residual: 'none' | 'add' | 'add-norm',
  norm?: { readonly gain: tf.Tensor; readonly bias: tf.Tensor },
): Sequence {
  const q = splitHeads(linear(own, scaledQuery(weights.query, heads)), heads);
  const k = splitHeads(project(other, weights.key), heads);
  const v = splitHeads(linear(other, weights.value), heads);
  const { context } = attend(q, k, v, padding); // [B, Lq, d]
  if (residual === 'none') return { values: context, projection: weights.output };
  const sum = tf.add(own, linear(context, weights.output));
  if (residual === 'add') return { values: sum };
  if (!norm) throw new Error('add-norm needs the weights of its layer norm');
  return { values: layerNorm(sum, norm.gain, norm.bias) };
}
