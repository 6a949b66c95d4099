import { tf } from '@lsgmer/onnx';
import type { Head, HeadConfig, OptionSpec, ParameterSpec, Tensors } from './contract.ts';
import { classify, classLoss } from './classifier.ts';
import type { Modality } from './cross.ts';
import { batchSpecs, encodeAudio, encodeText, type Stream } from './encoders.ts';
import { linear, linearWeights, need, project, unitRows } from './ops.ts';
import {
  classifierParameters,
  encoderParameters,
  labelInit,
  linearParameters,
  projectionParameters,
} from './parameters.ts';
import {
  AUDIO_ALEXNET,
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  classifierWidth,
  droppedUnits,
  LABEL_INIT,
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
  {
    key: 'label.tables',
    type: ['per-modality', 'shared'],
    default: 'per-modality',
    source: 'LE-MER, label embeddings',
    help: 'One table of label embeddings per modality, or one for both.',
  },
  LABEL_INIT,
  {
    key: 'label.similarity',
    type: ['cosine', 'dot'],
    default: 'cosine',
    source: 'LE-MER, label-token and label-frame interaction',
    help: 'How a label compares with a token or frame: cosine of the two, or dot product of projections over sqrt(d).',
  },
  {
    key: 'label.temperature',
    type: 'number',
    default: 0.1,
    source: 'own',
    min: 0.001,
    help: 'Similarities are divided by it before the softmax over tokens or frames.',
  },
  {
    key: 'fusion',
    type: ['labels', 'equal'],
    default: 'labels',
    source: 'LE-MER, label-guided attentive fusion',
    help: 'labels: each label weighs its two modalities; equal: one half each.',
  },
  {
    key: 'label.pool',
    type: ['mean', 'concat'],
    default: 'mean',
    source: 'own',
    help: "The labels' fused vectors: their mean [d], or side by side [N d].",
  },
  CLASSIFIER_WIDTH,
  CLASSIFIER_DROPOUT,
  LOSS_FOCAL,
] as const satisfies readonly OptionSpec[];

type Options = ReturnType<typeof read>;

const read = (config: HeadConfig) => optionsOf(OPTIONS, config);

/** Audio first, as everywhere. */
const MODALITIES: readonly Modality[] = ['audio', 'text'];

const tableOf = (options: Options, modality: Modality): string =>
  options['label.tables'] === 'shared' ? 'label.table' : `label.table.${modality}`;

/** Similarity of every label with every step: [B, N, L]. */
function similarity(
  parameters: Tensors,
  modality: Modality,
  labels: tf.Tensor,
  { h0 }: Stream,
  options: Options,
): tf.Tensor {
  const [rows, steps, d] = h0.shape as [number, number, number];
  const classes = labels.shape[0];
  const dot = options['label.similarity'] === 'dot';
  const asked = dot
    ? tf.mul(project(labels, need(parameters, `label.${modality}.wq`)), 1 / Math.sqrt(d))
    : unitRows(labels);
  const answers = dot ? project(h0, need(parameters, `label.${modality}.wk`)) : unitRows(h0);
  const products = tf.matMul(tf.reshape(answers, [rows * steps, d]), asked, false, true);
  return tf.transpose(tf.reshape(products, [rows, steps, classes]), [0, 2, 1]);
}

/** What each label sees in a modality: [B, N, d], and where it looked: [B, N, L]. */
function labelAware(
  parameters: Tensors,
  modality: Modality,
  labels: tf.Tensor,
  stream: Stream,
  options: Options,
): { readonly seen: tf.Tensor; readonly weights: tf.Tensor } {
  const { h0, keys } = stream;
  const [rows, steps] = h0.shape as [number, number];
  const scores = tf.div(
    similarity(parameters, modality, labels, stream, options),
    options['label.temperature'],
  );
  const weights = tf.softmax(tf.add(scores, tf.reshape(keys.scores, [rows, 1, steps])));
  return { seen: tf.mul(tf.matMul(weights, h0), keys.present), weights };
}

/**
 * Each label weighs what it sees in the modalities: additive attention with the label as its query, softmax over the
 * modalities that are there.
 * @returns [B, N, 2], audio first
 */
function modalityWeights(
  parameters: Tensors,
  labels: readonly tf.Tensor[],
  seen: readonly tf.Tensor[],
  streams: readonly Stream[],
): tf.Tensor {
  const scores = MODALITIES.map((_, i) => {
    const [rows, classes] = (seen[i] as tf.Tensor).shape as [number, number];
    const asked = linear(labels[i] as tf.Tensor, linearWeights(parameters, 'fusion.label')); // [N, d]
    const answered = project(seen[i] as tf.Tensor, need(parameters, 'fusion.seen.w')); // [B, N, d]
    const score = project(tf.tanh(tf.add(answered, asked)), need(parameters, 'fusion.score.w'));
    const absent = tf.mul(tf.sub((streams[i] as Stream).keys.present, 1), 1e9); // [B, 1, 1]
    return tf.add(tf.reshape(score, [rows, classes, 1]), absent);
  });
  return tf.softmax(tf.concat(scores, 2));
}

/**
 * LE-MER: label-enhanced multimodal emotion recognition (arXiv 2309.02106), built from the parts of this package.
 * docs/decisions.md says which sentence of the paper became which equation here, and where this departs from it.
 */
export const leMer: Head = {
  name: 'le-mer',
  summary: 'LE-MER (arXiv 2309.02106): labels look at tokens and frames, then weigh the modalities',
  options: OPTIONS,
  parameters(config, dims, classes) {
    const options = read(config);
    const { d } = options;
    refuse(useProblems(useOf(options), d, dims, classes));
    const init = labelInit(options['label.init'], classes, d);
    const tables = new Set(MODALITIES.map((modality) => tableOf(options, modality)));
    const specs: ParameterSpec[] = encoderParameters(useOf(options), dims, d);
    for (const name of tables)
      specs.push({ name, shape: [classes, d], init, stream: 'labels', averaged: false });
    if (options['label.similarity'] === 'dot')
      for (const modality of MODALITIES)
        for (const part of ['wq', 'wk']) specs.push(projectionParameters(`label.${modality}.${part}`, d, d));
    if (options.fusion === 'labels')
      specs.push(
        ...linearParameters('fusion.label', d, d),
        projectionParameters('fusion.seen.w', d, d),
        projectionParameters('fusion.score.w', d, 1),
      );
    const width = options['label.pool'] === 'concat' ? classes * d : d;
    return [...specs, ...classifierParameters(width, classifierWidth(options), classes)];
  },
  inputs(config, dims, classes, shape) {
    const options = read(config);
    refuse(useProblems(useOf(options), options.d, dims, classes));
    return batchSpecs(useOf(options), dims, classes, shape, { classifier: droppedUnits(options) });
  },
  forward(parameters, batch, config, training) {
    const options = read(config);
    const streams = [
      encodeAudio(parameters, batch, options['audio.alexnet']),
      encodeText(parameters, batch, options['text.encoder']),
    ];
    const labels = MODALITIES.map((modality) => need(parameters, tableOf(options, modality)));
    const [audio, text] = MODALITIES.map((modality, i) =>
      labelAware(parameters, modality, labels[i] as tf.Tensor, streams[i] as Stream, options),
    ) as [ReturnType<typeof labelAware>, ReturnType<typeof labelAware>];
    const extra: { [name: string]: tf.Tensor } = {
      'attention.audio': audio.weights,
      'attention.text': text.weights,
    };
    let each: tf.Tensor = tf.mul(tf.add(audio.seen, text.seen), 0.5); // [B, N, d]
    if (options.fusion === 'labels') {
      const weights = modalityWeights(parameters, labels, [audio.seen, text.seen], streams);
      const [forAudio, forText] = tf.split(weights, 2, 2) as [tf.Tensor, tf.Tensor]; // [B, N, 1] each
      each = tf.add(tf.mul(audio.seen, forAudio), tf.mul(text.seen, forText));
      extra['gate'] = tf.mean(weights, 1); // [B, 2]
    }
    const [rows, classes, d] = each.shape as [number, number, number];
    const fused =
      options['label.pool'] === 'concat' ? tf.reshape(each, [rows, classes * d]) : tf.mean(each, 1);
    return { logits: classify(parameters, batch, fused, options, training), fused, extra };
  },
  loss: (_, output, batch, config) => classLoss(output.logits, batch, config),
};
