import { tf } from '@lsgmer/onnx';
import { linear, maskedMean, type LinearWeights } from './ops.ts';

/**
 * Eq. 7, 8: H = sigmoid(H_2) * H_0 + H_2, averaged over time. Where H_2 is one vector per utterance, gating every
 * step and then averaging is the same as gating the average.
 * @param mean H_0 averaged over the real steps, [B, d]
 * @param signal H_2, [B, d]
 * @returns [B, d]
 */
export function gated(mean: tf.Tensor, signal: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(tf.sigmoid(signal), mean), signal);
}

/** Eq. 7, 8, `label.reduce` per-label: each of the N rows of signal [B, N, d] gates, then their mean: [B, d]. */
export function gatedPerLabel(mean: tf.Tensor, signal: tf.Tensor): tf.Tensor {
  return tf.mean(gated(tf.expandDims(mean, 1), signal), 1);
}

/** Eq. 7, 8 with a signal for each step: h0 and signal [B, L, d], mask [B, L] -> [B, d]. */
export function gatedPerStep(h0: tf.Tensor, signal: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return maskedMean(gated(h0, signal), mask);
}

/** H_fused and the weights of the two modalities. */
export interface Fused {
  /** [B, d] */
  readonly fused: tf.Tensor;
  /** [B, 2]: audio, text; mean over the dimensions where each has its own. */
  readonly gate: tf.Tensor;
}

/**
 * Eq. 10, 11: g = softmax(W [H_a; H_t] + b); H_fused = g_a H_a + g_t H_t.
 * @param audio [B, d]
 * @param text [B, d]
 * @param weights scalar: w [2d, 2]; vector: w [2d, 2d], output index modality * d + dimension; equal: none
 */
export function fuse(
  audio: tf.Tensor,
  text: tf.Tensor,
  kind: 'scalar' | 'vector' | 'equal',
  weights?: LinearWeights,
): Fused {
  const [rows, d] = audio.shape as [number, number];
  if (kind === 'equal') {
    return { fused: tf.mul(tf.add(audio, text), 0.5), gate: tf.mul(tf.ones([rows, 2]), 0.5) };
  }
  if (!weights) throw new Error(`gate ${kind} needs weights`);
  const scores = linear(tf.concat([audio, text], 1), weights);
  const width = kind === 'scalar' ? 1 : d;
  // softmax runs over the last axis: the two modalities go there
  const gates = tf.softmax(tf.transpose(tf.reshape(scores, [rows, 2, width]), [0, 2, 1])); // [B, 1 or d, 2]
  const [forAudio, forText] = tf.unstack(gates, 2) as [tf.Tensor, tf.Tensor]; // [B, 1 or d] each
  const fused = tf.add(tf.mul(forAudio, audio), tf.mul(forText, text));
  return { fused, gate: tf.mean(gates, 1) };
}
