import { tf } from '@lsgmer/onnx';
import { adaptivePoolWeights, POOLED } from './interpolation.ts';
import { linear, linearOfReal, type LinearWeights } from './ops.ts';
import { MAP_ROWS } from './shared-options.ts';

/**
 * Eq. 2, `audio.alexnet` time: Linear, then linear interpolation at the frames' centres.
 * The weights of the two neighbouring steps are a hat function of the distance, relu(1 - |position - s|), which
 * makes the interpolation one matrix product; they sum to 1 for any position in 0..S-1.
 * @param map [B, S, Dm]
 * @param position [B, m], as `mapPositions` computes it
 * @returns [B, m, d]
 */
export function mapInTime(map: tf.Tensor, position: tf.Tensor, weights: LinearWeights): tf.Tensor {
  const steps = map.shape[1] as number;
  const distance = tf.sub(tf.expandDims(position, 2), tf.range(0, steps, 1, 'float32')); // [B, m, S]
  const hat = tf.relu(tf.sub(1, tf.abs(distance)));
  // steps that no frame is near, padding first of all, need no Linear
  const near = tf.cast(tf.greater(tf.max(hat, 1), 0), 'float32'); // [B, S]
  return tf.matMul(hat, linearOfReal(map, near, weights));
}

/**
 * Eq. 2, `audio.alexnet` broadcast, as CA-MSER: average pooling to 6x6, flattened in AlexNet's order (channel,
 * row, column) to 9216 values, Linear.
 * @param map [B, S, channels * 7]: a step's value index is channel * 7 + row
 * @param pool [B, 6, S], as `mapPoolWeights` computes it
 * @returns [B, 1, d]
 */
export function mapPooled(map: tf.Tensor, pool: tf.Tensor, weights: LinearWeights): tf.Tensor {
  const rows = map.shape[0];
  const channels = (map.shape[2] as number) / MAP_ROWS;
  const columns = tf.reshape(tf.matMul(pool, map), [rows * POOLED * channels, MAP_ROWS]); // [B * 6 * channels, 7]
  const rowPool = tf.tensor2d(adaptivePoolWeights(POOLED, MAP_ROWS), [POOLED, MAP_ROWS]);
  const pooled = tf.reshape(tf.matMul(columns, rowPool, false, true), [rows, POOLED, channels, POOLED]);
  const flat = tf.reshape(tf.transpose(pooled, [0, 2, 3, 1]), [rows, channels * POOLED * POOLED]);
  return tf.expandDims(linear(flat, weights), 1);
}
