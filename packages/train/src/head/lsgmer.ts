import { tf } from '@lsgmer/onnx';
import { attentionWeights, received } from './attention.ts';
import { classify } from './classifier.ts';
import type {
  BatchShape,
  FeatureDims,
  Head,
  HeadConfig,
  HeadLoss,
  HeadOutput,
  InputSpec,
  ParameterSpec,
  Tensors,
} from './contract.ts';
import { crossed, type Modality } from './cross.ts';
import { batchSpecs, encodeAudio, encodeText, type Stream } from './encoders.ts';
import { fuse, gated, gatedPerLabel, gatedPerStep } from './gate.ts';
import { foldedLabelMean, frameQueries, labelQueries, type LabelAttended } from './label-attention.ts';
import { attributionConsistency, crossEntropy, weightedSum } from './loss.ts';
import { linear, linearWeights, maskedMean, meanWeights, need } from './ops.ts';
import {
  checkOptions,
  featureUse,
  labelTable,
  LSGMER_OPTIONS,
  modalities,
  readOptions,
  usesAudio,
  usesText,
  type LsgmerOptions,
} from './lsgmer-options.ts';
import { lsgmerParameters } from './lsgmer-parameters.ts';
import { droppedUnits } from './shared-options.ts';
import { means, type Sequence } from './sequence.ts';

/** Eq. 5 to 8: H of a modality, [B, d], and what its labels looked at. */
function labelGuided(
  parameters: Tensors,
  modality: Modality,
  { h0, mask, keys }: Stream,
  h1: Sequence,
  options: LsgmerOptions,
): { readonly hidden: tf.Tensor; readonly attended?: LabelAttended } {
  if (!options['label.attention']) return { hidden: tf.squeeze(means(h1, meanWeights(mask)), [1]) };
  const labels = need(parameters, labelTable(options, modality));
  const weights = attentionWeights(parameters, `label.${modality}`);
  if (options['label.query'] === 'frames') {
    const attended = frameQueries(labels, h1, weights, options.heads);
    return { hidden: gatedPerStep(h0, attended.signal, mask), attended };
  }
  const mean = maskedMean(h0, mask);
  const reduce = options['label.reduce'];
  if (reduce === 'mean') {
    const attended = foldedLabelMean(labels, h1, keys, weights, options.heads);
    return { hidden: gated(mean, attended.signal), attended };
  }
  const attended = labelQueries(labels, h1, keys, weights, options.heads);
  if (reduce === 'per-label') return { hidden: gatedPerLabel(mean, attended.signal), attended };
  const [rows, classes, d] = attended.signal.shape as [number, number, number];
  const joined = tf.reshape(attended.signal, [rows, classes * d]);
  const signal = linear(joined, linearWeights(parameters, `label.${modality}.concat`));
  return { hidden: gated(mean, signal), attended };
}

/** The label table that APC compares with (Eq. 14): the shared one, or the mean of the modalities' own. */
function comparedLabels(parameters: Tensors, options: LsgmerOptions): tf.Tensor {
  const names = [...new Set(modalities(options).map((modality) => labelTable(options, modality)))];
  const tables = names.map((name) => need(parameters, name));
  return tables.length === 1 ? (tables[0] as tf.Tensor) : tf.mean(tf.stack(tables), 0);
}

function forward(parameters: Tensors, batch: Tensors, config: HeadConfig, training: boolean): HeadOutput {
  const options = readOptions(config);
  const extra: { [name: string]: tf.Tensor } = {};
  const streams: { [M in Modality]?: Stream } = {};
  if (usesAudio(options)) streams.audio = encodeAudio(parameters, batch, options['audio.alexnet']);
  if (usesText(options)) streams.text = encodeText(parameters, batch, options['text.encoder']);
  const { audio, text } = streams;

  const guided = (modality: Modality, stream: Stream, h1: Sequence): tf.Tensor => {
    const { hidden, attended } = labelGuided(parameters, modality, stream, h1, options);
    if (attended) extra[`attention.${modality}`] = attended.weights;
    return hidden;
  };
  let fused: tf.Tensor; // [B, d]
  if (audio && text) {
    const [audioAsks, textAsks] = [
      crossed(parameters, 'audio', audio, text, options),
      crossed(parameters, 'text', text, audio, options),
    ];
    if (!training) {
      extra['cross.text'] = received(audioAsks, audio.mask);
      extra['cross.audio'] = received(textAsks, text.mask);
    }
    const [forAudio, forText] = [guided('audio', audio, audioAsks), guided('text', text, textAsks)];
    const weights = options.gate === 'equal' ? undefined : linearWeights(parameters, 'gate');
    const result = fuse(forAudio, forText, options.gate, weights);
    fused = result.fused;
    extra['gate'] = result.gate;
  } else if (audio) fused = guided('audio', audio, { values: audio.h0 });
  else if (text) fused = guided('text', text, { values: text.h0 });
  else throw new Error('no modality');

  return { logits: classify(parameters, batch, fused, options, training), fused, extra };
}

/** Eq. 19: ce * L_ce + apc * L_apc, each the sum over rows of the row's loss times its weight. */
function loss(parameters: Tensors, output: HeadOutput, batch: Tensors, config: HeadConfig): HeadLoss {
  const options = readOptions(config);
  const weight = need(batch, 'weight');
  const ce = weightedSum(crossEntropy(output.logits, need(batch, 'target'), options['loss.focal']), weight);
  const ceShare: tf.Scalar = tf.mul(ce, options['loss.ce']);
  if (options['loss.apc'] === 0) return { loss: ceShare, ce, apc: tf.scalar(0) };
  const rows = attributionConsistency(output.logits, output.fused, comparedLabels(parameters, options), {
    temperature: options['apc.temperature'],
    detach: options['apc.detach'],
    reduce: options['apc.reduce'],
  });
  const apc = weightedSum(rows, weight);
  return { loss: tf.add(ceShare, tf.mul(apc, options['loss.apc'])), ce, apc };
}

function inputs(config: HeadConfig, dims: FeatureDims, classes: number, shape: BatchShape): InputSpec[] {
  const options = checkOptions(config, dims, classes);
  return batchSpecs(featureUse(options), dims, classes, shape, { classifier: droppedUnits(options) });
}

/**
 * LSGMER: label signal-guided multimodal emotion recognition (arXiv 2504.05158), on tfjs-core ops only.
 * B rows, n tokens, m frames, N labels, d hidden width. Padding changes nothing: padded steps get attention
 * weight 0 and stay out of every mean, padded rows have loss weight 0; their feature values need only be finite.
 */
export const lsgmer: Head = {
  name: 'lsgmer',
  summary: 'LSGMER (arXiv 2504.05158): cross-modal and label attention, gate, APC, moving average',
  options: LSGMER_OPTIONS,
  parameters(config, dims, classes): ParameterSpec[] {
    return lsgmerParameters(checkOptions(config, dims, classes), dims, classes);
  },
  inputs,
  forward,
  loss,
};
