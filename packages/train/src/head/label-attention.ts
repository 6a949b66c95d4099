import { tf } from '@lsgmer/onnx';
import { attend, headColumns, scaledQuery, splitHeads, type AttentionWeights } from './attention.ts';
import { type Keys, linear, project } from './ops.ts';
import { means, responses, stepCount, steps, type Sequence } from './sequence.ts';

/** Result of a label attention. */
export interface LabelAttended {
  /** H_2: [B, d] (mean over labels), [B, N, d] (label queries) or [B, L, d] (frame queries). */
  readonly signal: tf.Tensor;
  /** Attention between labels and steps, mean over heads: [B, N, L]. */
  readonly weights: tf.Tensor;
}

/**
 * Eq. 5, 6 with label queries: Q = L, K = V = H_1 -> [B, N, d].
 * @param labels [N, d]
 * @param h1 [B, L, d]
 * @param keys which steps of H_1 are real
 */
export function labelQueries(
  labels: tf.Tensor,
  h1: Sequence,
  keys: Keys,
  weights: AttentionWeights,
  heads: number,
): LabelAttended {
  const h = steps(h1);
  const [rows] = h.shape as [number];
  const q = splitHeads(tf.expandDims(linear(labels, scaledQuery(weights.query, heads)), 0), heads);
  const attended = attend(
    tf.tile(q, [rows, 1, 1, 1]), // [B, H, N, d / H]
    splitHeads(project(h, weights.key), heads),
    splitHeads(linear(h, weights.value), heads),
    keys,
  );
  return { signal: linear(attended.context, weights.output), weights: tf.mean(attended.weights, 1) };
}

/**
 * The mean over labels of `labelQueries`, [B, d], folded. Exact, by linearity:
 * - a score is L Wq (H_1 Wk)^T = (L Wq Wk^T) H_1^T, so the keys are never formed: H N probes meet H_1, and the
 *   factors that H_1 consists of one by one;
 * - after the softmax all is linear, so the mean over labels is taken of the attention weights, and Wv and the
 *   output projections act on H rows per utterance instead of on every step. (The weights sum to 1, so biases
 *   pass through a mean unchanged.)
 * Parameters as of `labelQueries`.
 */
export function foldedLabelMean(
  labels: tf.Tensor,
  h1: Sequence,
  keys: Keys,
  weights: AttentionWeights,
  heads: number,
): LabelAttended {
  const [rows, , d] = h1.values.shape as [number, number, number];
  const [classes] = labels.shape as [number];
  const length = stepCount(h1);
  const q = tf.reshape(linear(labels, scaledQuery(weights.query, heads)), [classes, heads, d / heads]);
  const columns = headColumns(weights.key, heads);
  const probes = tf.matMul(tf.transpose(q, [1, 0, 2]), columns); // [H, N, d]
  const scores = responses(h1, tf.reshape(probes, [heads * classes, d])); // [B, H N, L]
  const masked = tf.add(scores, tf.reshape(keys.scores, [rows, 1, length]));
  const attention = tf.reshape(tf.softmax(masked), [rows, heads, classes, length]);

  const seen = means(h1, tf.mean(attention, 2)); // [B, H, d]
  const byHead = tf.transpose(seen, [1, 0, 2]);
  const values = tf.matMul(byHead, headColumns(weights.value.w, heads), false, true); // [H, B, d / H]
  const full = tf.add(tf.reshape(tf.transpose(values, [1, 0, 2]), [rows, d]), weights.value.b);
  const context = tf.mul(full, tf.reshape(keys.present, [rows, 1]));
  return { signal: linear(context, weights.output), weights: tf.mean(attention, 1) };
}

/**
 * Eq. 5, 6 with frame queries: Q = H_1, K = V = L -> [B, L, d]. Each step's weights over the N labels sum to 1.
 */
export function frameQueries(
  labels: tf.Tensor,
  h1: Sequence,
  weights: AttentionWeights,
  heads: number,
): LabelAttended {
  const h = steps(h1);
  const [rows, length, d] = h.shape as [number, number, number];
  const [classes] = labels.shape as [number];
  const q = linear(tf.reshape(h, [1, rows * length, d]), scaledQuery(weights.query, heads));
  const table = tf.expandDims(labels, 0); // [1, N, d]
  const attended = attend(
    splitHeads(q, heads), // all steps of the batch ask the same few keys: [1, H, B L, d / H]
    splitHeads(project(table, weights.key), heads),
    splitHeads(linear(table, weights.value), heads),
  );
  const byStep = tf.reshape(tf.mean(attended.weights, 1), [rows, length, classes]);
  return {
    signal: tf.reshape(linear(attended.context, weights.output), [rows, length, d]),
    weights: tf.transpose(byStep, [0, 2, 1]),
  };
}
