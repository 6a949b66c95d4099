import { classify, classLoss } from './classifier.ts';
import type { Head, HeadConfig, OptionSpec, Tensors } from './contract.ts';
import { batchSpecs, encodeAudio, encodeText, type Stream } from './encoders.ts';
import { maskedMean } from './ops.ts';
import { classifierParameters, encoderParameters } from './parameters.ts';
import {
  AUDIO_ALEXNET,
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  classifierWidth,
  droppedUnits,
  type FeatureUse,
  LOSS_FOCAL,
  optionsOf,
  refuse,
  TEXT_ENCODER,
  useProblems,
  WIDTH,
} from './shared-options.ts';

/** What tells one of these heads from the other. */
interface Modality {
  readonly name: string;
  readonly summary: string;
  /** The option of its encoder. */
  readonly encoder: OptionSpec;
  readonly use: (config: HeadConfig) => FeatureUse;
  readonly encode: (parameters: Tensors, batch: Tensors, config: HeadConfig) => Stream;
}

const SHARED = [WIDTH, CLASSIFIER_WIDTH, CLASSIFIER_DROPOUT, LOSS_FOCAL] as const;

/** One modality: its encoder, mean over real steps, a two-layer classifier; cross entropy. No labels, no attention. */
function singleModality({ name, summary, encoder, use, encode }: Modality): Head {
  return {
    name,
    summary,
    options: [WIDTH, encoder, CLASSIFIER_WIDTH, CLASSIFIER_DROPOUT, LOSS_FOCAL],
    parameters(config, dims, classes) {
      const options = optionsOf(SHARED, config);
      const { d } = options;
      refuse(useProblems(use(config), d, dims, classes));
      return [
        ...encoderParameters(use(config), dims, d),
        ...classifierParameters(d, classifierWidth(options), classes),
      ];
    },
    inputs(config, dims, classes, shape) {
      const options = optionsOf(SHARED, config);
      refuse(useProblems(use(config), options.d, dims, classes));
      return batchSpecs(use(config), dims, classes, shape, { classifier: droppedUnits(options) });
    },
    forward(parameters, batch, config, training) {
      const { h0, mask } = encode(parameters, batch, config);
      const fused = maskedMean(h0, mask); // [B, d]
      const logits = classify(parameters, batch, fused, optionsOf(SHARED, config), training);
      return { logits, fused, extra: {} };
    },
    loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
  };
}

const textEncoder = (config: HeadConfig) => optionsOf([TEXT_ENCODER], config)['text.encoder'];
const alexnet = (config: HeadConfig) => optionsOf([AUDIO_ALEXNET], config)['audio.alexnet'];

/** Text alone (Eq. 1). */
export const textOnly = singleModality({
  name: 'text-only',
  summary: 'text alone: encoder, mean over tokens, classifier',
  encoder: TEXT_ENCODER,
  use: (config) => ({ text: textEncoder(config), audio: null }),
  encode: (parameters, batch, config) => encodeText(parameters, batch, textEncoder(config)),
});

/** Audio alone: frames and spectrogram map (Eq. 2). */
export const audioOnly = singleModality({
  name: 'audio-only',
  summary: 'audio alone: frames and spectrogram map, mean over frames, classifier',
  encoder: AUDIO_ALEXNET,
  use: (config) => ({ text: null, audio: alexnet(config) }),
  encode: (parameters, batch, config) => encodeAudio(parameters, batch, alexnet(config)),
});
