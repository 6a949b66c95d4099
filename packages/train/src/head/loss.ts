import { tf } from '@lsgmer/onnx';
import { detach, unitRows } from './ops.ts';

/** How APC is computed (Eq. 14 to 17). */
export interface ApcOptions {
  readonly temperature: number;
  readonly detach: 'none' | 'p' | 'q' | 'labels';
  readonly reduce: 'mean' | 'batch';
}

/**
 * Cross entropy of each row, the first term of Eq. 19: logits [B, N], target [B, N] (one-hot, or smoothed and weighted)
 * -> [B].
 * @param gamma of the focal loss (Lin et al. 2017): each class's term times (1 - p)^gamma; 0: plain cross entropy
 */
export function crossEntropy(logits: tf.Tensor, target: tf.Tensor, gamma = 0): tf.Tensor {
  const logP = tf.logSoftmax(logits);
  let terms = tf.mul(target, logP);
  if (gamma > 0) {
    // the floor keeps the power's gradient finite where p has become 1
    const rest = tf.maximum(tf.sub(1, tf.exp(logP)), 1e-6);
    terms = tf.mul(terms, tf.pow(rest, gamma));
  }
  return tf.neg(tf.sum(terms, 1));
}

/**
 * Eq. 14, 15: log q, q = softmax over labels of cosine(H_fused, L_j) / temperature.
 * At temperature 1 the largest possible q is e / (e + (N - 1) / e): 0.711 for 4 labels, 0.552 for 7.
 * @param fused [B, d]
 * @param labels [N, d]
 * @returns [B, N]
 */
export function logAttribution(fused: tf.Tensor, labels: tf.Tensor, temperature: number): tf.Tensor {
  const cosine = tf.matMul(unitRows(fused), unitRows(labels), false, true);
  return tf.logSoftmax(temperature === 1 ? cosine : tf.div(cosine, temperature));
}

/**
 * Eq. 16, 17: attribution-prediction consistency of each row, the Jensen-Shannon divergence (natural log) of the
 * prediction p = softmax(logits) and the attribution q; `reduce` mean divides it by N, as the paper's mean over
 * all elements does.
 * @returns [B]
 */
export function attributionConsistency(
  logits: tf.Tensor,
  fused: tf.Tensor,
  labels: tf.Tensor,
  options: ApcOptions,
): tf.Tensor {
  const table = options.detach === 'labels' ? detach(labels) : labels;
  let logP = tf.logSoftmax(logits);
  let logQ = logAttribution(fused, table, options.temperature);
  if (options.detach === 'p') logP = detach(logP);
  if (options.detach === 'q') logQ = detach(logQ);
  // The log softmax of the pair (log p, log q) is (log p - log(p + q), log q - log(p + q)): the logarithm of
  // the ratio to the mean m = (p + q) / 2, less ln 2, without ever forming a p or q that could underflow to 0.
  const ratios = tf.logSoftmax(tf.stack([logP, logQ], 2)); // [B, N, 2]
  const pair = tf.stack([tf.exp(logP), tf.exp(logQ)], 2);
  const terms = tf.mul(pair, tf.add(ratios, Math.LN2)); // p ln(p / m), q ln(q / m)
  const divergence = tf.mul(tf.sum(terms, [1, 2]), 0.5);
  return options.reduce === 'mean' ? tf.div(divergence, logits.shape[1] as number) : divergence;
}

/** Rows' losses [B] weighted by `weight` [B], which sums to 1 over the real rows of an update. */
export function weightedSum(rows: tf.Tensor, weight: tf.Tensor): tf.Scalar {
  return tf.sum(tf.mul(rows, weight));
}
