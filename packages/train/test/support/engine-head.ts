import { encodeHalf } from '@lsgmer/datasets';
import { tf } from '@lsgmer/onnx';
import type { BatchShape, FeatureDims, Head, HostBatch, InputSpec } from '../../src/head/contract.ts';
import { bilstm } from '../../src/head/lstm.ts';
import { drawn } from './head-golden.ts';

const HIDDEN = 3;

/**
 * A head with what an engine must cope with: a recurrence, an input for training only (`dropout.text`), a
 * parameter that the loss ignores (`idle`), one that only the loss uses (`labels`), a name that is a parameter and
 * an input (`weight`), and an extra output.
 */
export const engineHead: Head = {
  name: 'engine-test',
  options: [],
  parameters: (_config, dims, classes) => {
    const init = { kind: 'uniform', bound: 0.5 } as const;
    const parameter = (name: string, shape: number[]) =>
      ({ name, shape, init, stream: 'weights', averaged: false }) as const;
    return [
      parameter('lstm.wx', [2, dims.text, 4 * HIDDEN]),
      parameter('lstm.wh', [2, HIDDEN, 4 * HIDDEN]),
      parameter('lstm.bih', [2, 4 * HIDDEN]),
      parameter('idle', [5, 2]),
      parameter('lstm.bhh', [2, 4 * HIDDEN]),
      parameter('weight', [2 * HIDDEN, classes]),
      parameter('labels', [classes, 2 * HIDDEN]),
    ];
  },
  inputs: (_config, dims, classes, { rows, text }): InputSpec[] => [
    { name: 'text', shape: [rows, text, dims.text], dtype: 'feature' },
    { name: 'textMask', shape: [rows, text], dtype: 'float32' },
    { name: 'dropout.text', shape: [rows, 2 * HIDDEN], dtype: 'float32' },
    { name: 'target', shape: [rows, classes], dtype: 'float32' },
    { name: 'weight', shape: [rows], dtype: 'float32' },
  ],
  forward: (parameters, batch, _config, training) => {
    const get = (name: string): tf.Tensor => parameters[name] as tf.Tensor;
    const mask = batch['textMask'] as tf.Tensor;
    const steps = bilstm(batch['text'] as tf.Tensor, mask, {
      wx: get('lstm.wx'),
      wh: get('lstm.wh'),
      bih: get('lstm.bih'),
      bhh: get('lstm.bhh'),
    });
    const pooled = tf.div(tf.sum(steps, 1), tf.maximum(tf.sum(mask, 1, true), 1)); // [B, 2h]
    const fused = training ? tf.mul(pooled, batch['dropout.text'] as tf.Tensor) : pooled;
    return { logits: tf.matMul(fused, get('weight')), fused, extra: { steps, squared: tf.square(fused) } };
  },
  loss: (parameters, { logits, fused }, batch) => {
    const target = batch['target'] as tf.Tensor;
    const weighted = (perRow: tf.Tensor): tf.Scalar => tf.sum(tf.mul(batch['weight'] as tf.Tensor, perRow));
    const ce = tf.neg(weighted(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1)));
    const label = tf.matMul(target, parameters['labels'] as tf.Tensor);
    const apc = weighted(tf.sum(tf.square(tf.sub(fused, label)), 1));
    return { loss: tf.add<tf.Scalar>(ce, tf.mul(apc, 0.1)), ce, apc };
  },
};

export const engineDims: FeatureDims = { text: 4, audio: 0, map: 0 };
export const engineClasses = 3;

/** A batch of rows with lengths 1, 2, ... (cut at the shape's), the last row empty with weight 0. */
export function engineBatch(rows: number, text: number, name = 'batch'): HostBatch {
  const shape: BatchShape = { rows, text, audio: 0, map: 0 };
  const real = rows - 1;
  const mask = new Float32Array(rows * text);
  const target = new Float32Array(rows * engineClasses);
  for (let row = 0; row < real; row++) {
    mask.fill(1, row * text, row * text + Math.min(row + 1, text));
    target[row * engineClasses + (row % engineClasses)] = 1;
  }
  const feeds = {
    text: drawn(`${name}.text`, [rows, text, engineDims.text], 2),
    textMask: mask,
    'dropout.text': drawn(`${name}.dropout`, [rows, 2 * HIDDEN], 2).map((value) => (value > 0 ? 2 : 0)),
    target,
    weight: new Float32Array(rows).fill(1 / real, 0, real),
  };
  return { shape, ids: Array.from({ length: real }, (_, row) => `${name}/${row}`), feeds };
}

/** The same batch with its features as float16 bits, and with those rounded values as float32. */
export function halved(batch: HostBatch): { readonly half: HostBatch; readonly single: HostBatch } {
  const source = batch.feeds['text'] as Float32Array;
  const bits = new Uint16Array(source.length);
  if (encodeHalf(source, bits) !== -1) throw new Error('a feature does not fit float16');
  const single = Float32Array.from(bits, (h) => {
    const exponent = (h >> 10) & 31;
    const magnitude = exponent === 0 ? (h & 1023) * 2 ** -24 : (1024 + (h & 1023)) * 2 ** (exponent - 25);
    return h & 0x8000 ? -magnitude : magnitude;
  });
  return {
    half: { ...batch, feeds: { ...batch.feeds, text: bits } },
    single: { ...batch, feeds: { ...batch.feeds, text: single } },
  };
}
