import type { Head } from './contract.ts';
import { classify, classLoss } from './classifier.ts';
import { batchSpecs, encodeAudio } from './encoders.ts';
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
  useProblems,
  WIDTH,
} from './shared-options.ts';

const OPTIONS = [WIDTH, AUDIO_ALEXNET, CLASSIFIER_WIDTH, CLASSIFIER_DROPOUT, LOSS_FOCAL] as const;

/** Audio alone: frames and spectrogram map (Eq. 2), mean over frames, classifier; cross entropy. No labels, no text. */
export const audioOnly: Head = {
  name: 'audio-only',
  summary: 'audio alone: frames and spectrogram map, mean over frames, classifier',
  options: OPTIONS,
  parameters(config, dims, classes) {
    const options = optionsOf(OPTIONS, config);
    const { d } = options;
    const use = { text: null, audio: options['audio.alexnet'] };
    refuse(useProblems(use, d, dims, classes));
    return [
      ...encoderParameters(use, dims, d),
      ...classifierParameters(d, classifierWidth(options), classes),
    ];
  },
  inputs(config, dims, classes, shape) {
    const options = optionsOf(OPTIONS, config);
    const use = { text: null, audio: options['audio.alexnet'] };
    refuse(useProblems(use, options.d, dims, classes));
    return batchSpecs(use, dims, classes, shape, { classifier: droppedUnits(options) });
  },
  forward(parameters, batch, config, training) {
    const options = optionsOf(OPTIONS, config);
    const { h0, mask } = encodeAudio(parameters, batch, options['audio.alexnet']);
    const fused = maskedMean(h0, mask); // [B, d]
    return { logits: classify(parameters, batch, fused, options, training), fused, extra: {} };
  },
  loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
};
