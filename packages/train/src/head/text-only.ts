import type { Head } from './contract.ts';
import { classify, classLoss } from './classifier.ts';
import { batchSpecs, encodeText } from './encoders.ts';
import { maskedMean } from './ops.ts';
import { classifierParameters, encoderParameters } from './parameters.ts';
import {
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  classifierWidth,
  droppedUnits,
  LOSS_FOCAL,
  optionsOf,
  refuse,
  TEXT_ENCODER,
  useProblems,
  WIDTH,
} from './shared-options.ts';

const OPTIONS = [WIDTH, TEXT_ENCODER, CLASSIFIER_WIDTH, CLASSIFIER_DROPOUT, LOSS_FOCAL] as const;

/** Text alone: encoder (Eq. 1), mean over tokens, classifier; cross entropy. No labels, no audio. */
export const textOnly: Head = {
  name: 'text-only',
  summary: 'text alone: encoder, mean over tokens, classifier',
  options: OPTIONS,
  parameters(config, dims, classes) {
    const options = optionsOf(OPTIONS, config);
    const { d } = options;
    const use = { text: options['text.encoder'], audio: null };
    refuse(useProblems(use, d, dims, classes));
    return [
      ...encoderParameters(use, dims, d),
      ...classifierParameters(d, classifierWidth(options), classes),
    ];
  },
  inputs(config, dims, classes, shape) {
    const options = optionsOf(OPTIONS, config);
    const use = { text: options['text.encoder'], audio: null };
    refuse(useProblems(use, options.d, dims, classes));
    return batchSpecs(use, dims, classes, shape, { classifier: droppedUnits(options) });
  },
  forward(parameters, batch, config, training) {
    const options = optionsOf(OPTIONS, config);
    const { h0, mask } = encodeText(parameters, batch, options['text.encoder']);
    const fused = maskedMean(h0, mask); // [B, d]
    return { logits: classify(parameters, batch, fused, options, training), fused, extra: {} };
  },
  loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
};
