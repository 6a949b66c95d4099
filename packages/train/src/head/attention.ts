import { tf } from '@lsgmer/onnx';
import type { Tensors } from './contract.ts';
import { type Keys, layerNorm, linear, meanWeights, need, project, type LinearWeights } from './ops.ts';
import { identity, steps, type Sequence } from './sequence.ts';
import { stepRows } from './step-rows.ts';

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
 * softmax(Q K^T + padding) V on split heads; 0 for a row without a real key.
 * @param q [B, H, Lq, d / H], scaled
 * @param k [B, H, Lk, d / H]
 * @param v [B, H, Lk, d / H]
 * @param keys which keys are real; none where all are
 */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, keys?: Keys): Attended {
  const scores = tf.matMul(q, k, false, true); // [B, H, Lq, Lk]
  if (!keys) {
    const weights = tf.softmax(scores);
    return { context: mergeHeads(tf.matMul(weights, v)), weights };
  }
  const weights = tf.softmax(tf.add(scores, keys.scores));
  // what is not there is taken out where fewer numbers are: of the values, or of what was seen
  if ((v.shape[2] as number) < (q.shape[2] as number)) {
    const values = tf.mul(v, tf.expandDims(keys.present, 3));
    return { context: mergeHeads(tf.matMul(weights, values)), weights };
  }
  return { context: tf.mul(mergeHeads(tf.matMul(weights, v)), keys.present), weights };
}

/**
 * [d, d] -> [H, d / H, d]: the columns that belong to each head, as rows. The gradient of a product with them is one
 * with d columns, which runs faster than one with d / H.
 */
export function headColumns(w: tf.Tensor, heads: number): tf.Tensor {
  const [inner, outer] = w.shape as [number, number];
  return tf.transpose(tf.reshape(w, [inner, heads, outer / heads]), [1, 2, 0]);
}

/** H_0 of two modalities and what one asks the other: the arguments of each form of cross attention. */
export interface Cross {
  /** Who asks, [B, Lq, d]. */
  readonly own: tf.Tensor;
  /** Who answers, [B, Lk, d]. */
  readonly other: tf.Tensor;
  /** Which steps of `other` are real. */
  readonly keys: Keys;
  /**
   * Where they are given, 1 for the real steps of each, [B, L]: a traced graph then projects one step of padding instead of all,
   * and padding that asks sees what that one sees.
   */
  readonly masks?: { readonly own: tf.Tensor; readonly other: tf.Tensor };
  readonly weights: AttentionWeights;
  readonly heads: number;
}

/** H_1, and where it came from. */
export interface Crossed extends Sequence {
  /** Attention weights, mean over heads: [B, Lq, Lk]. For analysis: no step of training asks for them. */
  readonly attention: () => tf.Tensor;
}

/** Cross attention as it is written: queries, keys and values of every step. */
export function crossPlain({ own, other, keys, weights, heads }: Cross): Crossed {
  const q = splitHeads(linear(own, scaledQuery(weights.query, heads)), heads);
  const k = splitHeads(project(other, weights.key), heads);
  const v = splitHeads(linear(other, weights.value), heads);
  const attended = attend(q, k, v, keys);
  return {
    values: attended.context,
    projection: weights.output,
    attention: () => tf.mean(attended.weights, 1),
  };
}

/**
 * Cross attention of a short sequence that asks a long one, without keys and values of the long one:
 * (Q_h Wk_h^T) H^T are the scores of head h, (A_h H) Wv_h its context. Exact; the weights sum to 1, so the value
 * bias passes through.
 */
export function crossShortAsks({ own, other, keys, masks, weights, heads }: Cross): Crossed {
  const [rows, asking] = own.shape as [number, number, number];
  const answering = other.shape[1] as number;
  const steps = stepRows(own, masks?.own);
  const q = linear(steps.values, scaledQuery(weights.query, heads));
  const probes = steps.headsToRows(throughHeads(steps.split(q, heads), weights.key)); // [B, H Lq, d]
  const scores = tf.add(tf.matMul(probes, other, false, true), tf.reshape(keys.scores, [rows, 1, answering]));
  const weighed = tf.softmax(scores); // [B, H Lq, Lk]
  const seen = steps.rowsToHeads(tf.matMul(weighed, other), heads); // [H, S, d]
  const values = tf.matMul(seen, headColumns(weights.value.w, heads), false, true); // [H, S, d / H]
  const context = steps.toRows(tf.add(steps.merge(values), weights.value.b));
  return {
    values: tf.mul(context, keys.present),
    projection: weights.output,
    attention: () => tf.mean(tf.reshape(weighed, [rows, heads, asking, answering]), 1),
  };
}

/**
 * Cross attention of a long sequence that asks a short one, without queries of the long one: H (K_h Wq_h^T)^T are
 * the scores of head h, and what each step sees stays a mixture of the short one's values. Exact.
 */
export function crossLongAsks({ own, other, keys, masks, weights, heads }: Cross): Crossed {
  const [rows, asking, d] = own.shape as [number, number, number];
  const answering = other.shape[1] as number;
  const query = scaledQuery(weights.query, heads);
  const steps = stepRows(other, masks?.other);
  const k = tf.matMul(steps.values, weights.key); // [S, d]
  const probes = steps.headsToRows(throughHeads(steps.split(k, heads), query.w)); // [B, H Lk, d]
  // the query bias weighs the keys: K_h . bq_h, [S, H]
  const biases = tf.mul(
    tf.reshape(query.b, [heads, d / heads, 1]),
    tf.tensor(identity(heads), [heads, 1, heads]),
  );
  const perHead = steps.toRows(tf.matMul(k, tf.reshape(biases, [d, heads]))); // [B, Lk, H]
  const offsets = tf.add(tf.transpose(perHead, [0, 2, 1]), tf.reshape(keys.scores, [rows, 1, answering]));
  const scores = tf.add(
    tf.matMul(own, probes, false, true), // [B, Lq, H Lk]
    tf.reshape(offsets, [rows, 1, heads * answering]),
  );
  const weighed = tf.softmax(tf.reshape(scores, [rows, asking, heads, answering]));
  const values = tf.mul(steps.toRows(linear(steps.values, weights.value)), keys.present);
  return {
    values,
    mixture: { weights: tf.reshape(weighed, [rows, asking, heads * answering]), heads },
    projection: weights.output,
    attention: () => tf.mean(weighed, 2),
  };
}

/** Steps by head [H, S, d / H] times the head's columns of w, transposed: [H, S, d]. */
function throughHeads(x: tf.Tensor, w: tf.Tensor): tf.Tensor {
  return tf.matMul(x, headColumns(w, x.shape[0]));
}

/**
 * Whether a projection of all steps of the long sequence costs more than probes of the short one:
 * multiplications per row and projection, over d.
 */
function probesAreCheaper(short: number, long: number, d: number, heads: number): boolean {
  return (heads - 1) * short * long + short * d < long * d;
}

/**
 * Eq. 3, 4: one modality asks the other. H_1 = MultiHead(Q = own, K = V = other), with what `residual` puts
 * around it, in the form that takes the fewest multiplications for these lengths.
 * @param norm layer norm of add-norm
 * @returns [B, Lq, d] in factors
 */
export function crossAttention(
  cross: Cross,
  residual: 'none' | 'add' | 'add-norm',
  norm?: { readonly gain: tf.Tensor; readonly bias: tf.Tensor },
): Crossed {
  const [, asking, d] = cross.own.shape as [number, number, number];
  const answering = cross.other.shape[1] as number;
  const form = probesAreCheaper(asking, answering, d, cross.heads)
    ? crossShortAsks
    : probesAreCheaper(answering, asking, d, cross.heads)
      ? crossLongAsks
      : crossPlain;
  const h1 = form(cross);
  if (residual === 'none') return h1;
  const sum = tf.add(cross.own, steps(h1));
  const { attention } = h1;
  if (residual === 'add') return { values: sum, attention };
  if (!norm) throw new Error('add-norm needs the weights of its layer norm');
  return { values: layerNorm(sum, norm.gain, norm.bias), attention };
}

/**
 * How much of the attention each step of the answering modality receives: mean over heads and over the real steps
 * that ask. Sums to 1 over the answering steps, 0 throughout where no step asks.
 * @param mask of the asking modality, [B, Lq]
 * @returns [B, Lk]
 */
export function received({ attention }: Crossed, mask: tf.Tensor): tf.Tensor {
  return tf.squeeze(tf.matMul(meanWeights(mask), attention()), [1]);
}
