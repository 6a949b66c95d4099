import { tf } from '@lsgmer/onnx';
import type { Head } from './contract.ts';
import { classify, classLoss } from './classifier.ts';
import { batchSpecs, encodeAudio, encodeText } from './encoders.ts';
import { maskedMean } from './ops.ts';
import { classifierParameters, encoderParameters } from './parameters.ts';
import {
  AUDIO_ALEXNET,
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  classifierWidth,
  droppedUnits,
  LOSS_FOCAL,
  optionsOf,
  refuse,
  TEXT_ENCODER,
  useOf,
  useProblems,
  WIDTH,
} from './shared-options.ts';

const OPTIONS = [
  WIDTH,
  TEXT_ENCODER,
  AUDIO_ALEXNET,
  CLASSIFIER_WIDTH,
  CLASSIFIER_DROPOUT,
  LOSS_FOCAL,
] as const;

/**
 * Both modalities side by side: encoders (Eq. 1, 2), mean over steps each, concatenated (audio first, as in Eq. 10),
 * a two-layer classifier; cross entropy. No attention, no labels, no gate.
 */
export const concat: Head = {
  name: 'concat',
  summary: 'both modalities pooled and concatenated, two-layer classifier',
  options: OPTIONS,
  parameters(config, dims, classes) {
    const options = optionsOf(OPTIONS, config);
    const { d } = options;
    refuse(useProblems(useOf(options), d, dims, classes));
    const encoders = encoderParameters(useOf(options), dims, d);
    return [...encoders, ...classifierParameters(2 * d, classifierWidth(options), classes)];
  },
  inputs(config, dims, classes, shape) {
    const options = optionsOf(OPTIONS, config);
    refuse(useProblems(useOf(options), options.d, dims, classes));
    return batchSpecs(useOf(options), dims, classes, shape, { classifier: droppedUnits(options) });
  },
  forward(parameters, batch, config, training) {
    const options = optionsOf(OPTIONS, config);
    const audio = encodeAudio(parameters, batch, options['audio.alexnet']);
    const text = encodeText(parameters, batch, options['text.encoder']);
    const fused = tf.concat([maskedMean(audio.h0, audio.mask), maskedMean(text.h0, text.mask)], 1); // [B, 2d]
    return { logits: classify(parameters, batch, fused, options, training), fused, extra: {} };
  },
  loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
};
