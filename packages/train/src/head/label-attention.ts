import { isTracing, tf } from '@lsgmer/onnx';
import { attend, headColumns, scaledQuery, splitHeads, type AttentionWeights } from './attention.ts';
import { type Keys, linear, project, type SaveForGradient } from './ops.ts';
import { answers, means, mixed, responses, stepCount, steps, type Sequence } from './sequence.ts';

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
  const probes = tf.reshape(tf.matMul(tf.transpose(q, [1, 0, 2]), columns), [heads * classes, d]);
  const padding = tf.reshape(keys.scores, [rows, 1, length]);
  const scores = tf.add(responses(h1, probes), padding); // [B, H N, L]
  const attention = tf.reshape(tf.softmax(scores), [rows, heads, classes, length]);
  const seen = // [B, H, d]
    h1.mixture && isTracing()
      ? mixed(h1, meanMixture(answers(h1, probes), h1.mixture.weights, padding, heads))
      : means(h1, tf.mean(attention, 2));
  const byHead = tf.transpose(seen, [1, 0, 2]);
  const values = tf.matMul(byHead, headColumns(weights.value.w, heads), false, true); // [H, B, d / H]
  const full = tf.add(tf.reshape(tf.transpose(values, [1, 0, 2]), [rows, d]), weights.value.b);
  const context = tf.mul(full, tf.reshape(keys.present, [rows, 1]));
  return { signal: linear(context, weights.output), weights: tf.mean(attention, 1) };
}

/**
 * The mixture as the labels see it on average, [B, H, K]: softmax over steps of what the labels hear from each step's mixture,
 * mean over the labels of a head, times the mixture. With its gradient by hand: the two products that lead back to the mixture, the
 * largest operand, become one.
 * @param answered [B, H N, K]
 * @param mixture [B, L, K]
 * @param padding added to the scores, [B, 1, L]
 */
function meanMixture(answered: tf.Tensor, mixture: tf.Tensor, padding: tf.Tensor, heads: number): tf.Tensor {
  const [rows, asking, width] = answered.shape as [number, number, number];
  const length = mixture.shape[1] as number;
  const classes = asking / heads;
  const run = tf.customGrad((...given) => {
    const [answered, mixture, save] = given as [tf.Tensor, tf.Tensor, SaveForGradient];
    const scores = tf.add(tf.matMul(answered, mixture, false, true), padding);
    const attention = tf.reshape(tf.softmax(scores), [rows, heads, classes, length]);
    const mean = tf.mean(attention, 2); // [B, H, L]
    save([answered, mixture, attention, mean]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [answered, mixture, attention, mean] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const dMean = tf.matMul(dy, mixture, false, true); // [B, H, L]
      const each = tf.reshape(tf.mul(dMean, 1 / classes), [rows, heads, 1, length]);
      const expected = tf.sum(tf.mul(each, attention), 3, true);
      const dScores = tf.reshape(tf.mul(attention, tf.sub(each, expected)), [rows, asking, length]);
      const dMixture = tf.matMul(tf.concat([dScores, mean], 1), tf.concat([answered, dy], 1), true);
      return [tf.matMul(dScores, mixture), tf.reshape(dMixture, [rows, length, width])];
    };
    return { value: tf.matMul(mean, mixture), gradFunc };
  });
  return run(answered, mixture);
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
