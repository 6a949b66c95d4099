import { tf } from '@lsgmer/onnx';
import { received } from './attention.ts';
import type { Head, HeadConfig, OptionSpec } from './contract.ts';
import { classify, classLoss } from './classifier.ts';
import { crossed, crossParameters } from './cross.ts';
import { batchSpecs, encodeAudio, encodeText } from './encoders.ts';
import { fuse } from './gate.ts';
import { linearWeights, meanWeights } from './ops.ts';
import { classifierParameters, encoderParameters, linearParameters } from './parameters.ts';
import { means } from './sequence.ts';
import {
  AUDIO_ALEXNET,
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  classifierWidth,
  CROSS_RESIDUAL,
  divides,
  droppedUnits,
  HEADS,
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
  HEADS,
  TEXT_ENCODER,
  AUDIO_ALEXNET,
  { ...CROSS_RESIDUAL, default: 'add-norm' },
  {
    key: 'fusion',
    type: ['concat', 'gate'],
    default: 'concat',
    source: 'own',
    help: 'concat: both means side by side; gate: their mean weighted by a softmax over the two (as in Eq. 10, 11).',
  },
  CLASSIFIER_WIDTH,
  CLASSIFIER_DROPOUT,
  LOSS_FOCAL,
] as const satisfies readonly OptionSpec[];

const read = (config: HeadConfig) => optionsOf(OPTIONS, config);

/**
 * Cross-modal attention without labels: each modality asks the other (Eq. 3, 4, with residual and layer norm unless
 * told otherwise), mean over steps, fusion, classifier; cross entropy.
 */
export const crossModal: Head = {
  name: 'cross',
  summary: 'cross-modal attention both ways, pooled and fused, without labels',
  options: OPTIONS,
  parameters(config, dims, classes) {
    const options = read(config);
    const { d, heads } = options;
    refuse([...divides(heads, d), ...useProblems(useOf(options), d, dims, classes)]);
    const gate = options.fusion === 'gate';
    return [
      ...encoderParameters(useOf(options), dims, d),
      ...crossParameters('audio', d, options['cross.residual']),
      ...crossParameters('text', d, options['cross.residual']),
      ...(gate ? linearParameters('gate', 2 * d, 2) : []),
      ...classifierParameters(gate ? d : 2 * d, classifierWidth(options), classes),
    ];
  },
  inputs(config, dims, classes, shape) {
    const options = read(config);
    refuse([...divides(options.heads, options.d), ...useProblems(useOf(options), options.d, dims, classes)]);
    return batchSpecs(useOf(options), dims, classes, shape, { classifier: droppedUnits(options) });
  },
  forward(parameters, batch, config, training) {
    const options = read(config);
    const audio = encodeAudio(parameters, batch, options['audio.alexnet']);
    const text = encodeText(parameters, batch, options['text.encoder']);
    const audioAsks = crossed(parameters, 'audio', audio, text, options);
    const textAsks = crossed(parameters, 'text', text, audio, options);
    const forAudio = tf.squeeze(means(audioAsks, meanWeights(audio.mask)), [1]); // [B, d]
    const forText = tf.squeeze(means(textAsks, meanWeights(text.mask)), [1]);
    const extra: { [name: string]: tf.Tensor } = {};
    if (!training) {
      extra['cross.text'] = received(audioAsks, audio.mask);
      extra['cross.audio'] = received(textAsks, text.mask);
    }
    let fused: tf.Tensor = tf.concat([forAudio, forText], 1); // [B, 2d]
    if (options.fusion === 'gate') {
      const weighed = fuse(forAudio, forText, 'scalar', linearWeights(parameters, 'gate'));
      fused = weighed.fused; // [B, d]
      extra['gate'] = weighed.gate;
    }
    return { logits: classify(parameters, batch, fused, options, training), fused, extra };
  },
  loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
};
