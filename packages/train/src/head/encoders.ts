import { tf } from '@lsgmer/onnx';
import { mapInTime, mapPooled } from './alexnet-map.ts';
import type { BatchShape, FeatureDims, InputSpec, Tensors } from './contract.ts';
import { POOLED } from './interpolation.ts';
import { bilstm } from './lstm.ts';
import { type Keys, linearOfReal, linearWeights, need, realKeys } from './ops.ts';
import type { FeatureUse } from './shared-options.ts';

/** One modality on its way through a head. */
export interface Stream {
  /** H_0, [B, L, d] */
  readonly h0: tf.Tensor;
  /** [B, L], 1 = real step */
  readonly mask: tf.Tensor;
  readonly keys: Keys;
}

/** Eq. 1: text [B, n, Dt] -> H_t0 [B, n, d]. Parameters as of `textEncoder`. */
export function encodeText(
  parameters: Tensors,
  batch: Tensors,
  encoder: NonNullable<FeatureUse['text']>,
): Stream {
  const text = need(batch, 'text');
  const mask = need(batch, 'textMask');
  const h0 =
    encoder === 'linear'
      ? linearOfReal(text, mask, linearWeights(parameters, 'text.linear'))
      : bilstm(text, mask, {
          wx: need(parameters, 'text.lstm.wx'),
          wh: need(parameters, 'text.lstm.wh'),
          bih: need(parameters, 'text.lstm.bih'),
          bhh: need(parameters, 'text.lstm.bhh'),
        });
  return { h0, mask, keys: realKeys(mask) };
}

/** Eq. 2: audio [B, m, Da] and the spectrogram map -> H_a0 [B, m, d]. Parameters as of `audioEncoder`. */
export function encodeAudio(
  parameters: Tensors,
  batch: Tensors,
  alexnet: NonNullable<FeatureUse['audio']>,
): Stream {
  const mask = need(batch, 'audioMask');
  let h0 = linearOfReal(need(batch, 'audio'), mask, linearWeights(parameters, 'audio.linear'));
  if (alexnet !== 'none') {
    const weights = linearWeights(parameters, 'audio.map');
    const map = need(batch, 'map');
    const picture =
      alexnet === 'time'
        ? mapInTime(map, need(batch, 'mapPosition'), weights)
        : mapPooled(map, need(batch, 'mapPool'), weights);
    h0 = tf.add(h0, picture);
  }
  return { h0, mask, keys: realKeys(mask) };
}

/**
 * The inputs of a head that reads these features and learns classes from one-hot targets.
 * @param dropout values that are dropped, by place; none for a place with rate 0
 */
export function batchSpecs(
  use: FeatureUse,
  dims: FeatureDims,
  classes: number,
  { rows, text, audio, map }: BatchShape,
  dropout: { readonly [place: string]: number } = {},
): InputSpec[] {
  const specs: InputSpec[] = [];
  const add = (name: string, shape: number[], dtype: InputSpec['dtype'] = 'float32'): void => {
    specs.push({ name, shape, dtype });
  };
  if (use.text !== null) {
    add('text', [rows, text, dims.text], 'feature');
    add('textMask', [rows, text]);
  }
  if (use.audio !== null) {
    add('audio', [rows, audio, dims.audio], 'feature');
    add('audioMask', [rows, audio]);
  }
  if (use.audio === 'time' || use.audio === 'broadcast') {
    add('map', [rows, map, dims.map], 'feature');
    if (use.audio === 'time') add('mapPosition', [rows, audio]);
    else add('mapPool', [rows, POOLED, map]);
  }
  add('target', [rows, classes]);
  add('weight', [rows]);
  for (const [place, width] of Object.entries(dropout)) {
    if (width > 0) add(`dropout.${place}`, [rows, width]);
  }
  return specs;
}
