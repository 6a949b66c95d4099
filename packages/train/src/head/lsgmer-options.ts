import type { FeatureDims, HeadConfig, OptionSpec } from './contract.ts';
import {
  AUDIO_ALEXNET,
  CLASSIFIER_DROPOUT,
  CLASSIFIER_WIDTH,
  CROSS_RESIDUAL,
  type FeatureUse,
  divides,
  HEADS,
  LABEL_INIT,
  LOSS_FOCAL,
  optionsOf,
  type OptionsOf,
  refuse,
  TEXT_ENCODER,
  useProblems,
  WIDTH,
} from './shared-options.ts';

/**
 * Every choice that the head knows. The first value of a list is the default reading of the paper's equation;
 * the others are the readings that its text also allows. docs and `lsgmer train --options` print this table.
 */
export const LSGMER_OPTIONS = [
  {
    key: 'modality',
    type: ['both', 'text', 'audio'],
    default: 'both',
    source: 'own',
    help: 'text, audio: no cross attention (H_1 = H_0) and no fusion gate; label attention, APC and the moving average stay.',
  },
  WIDTH,
  HEADS,
  TEXT_ENCODER,
  AUDIO_ALEXNET,
  CROSS_RESIDUAL,
  {
    key: 'label.attention',
    type: 'boolean',
    default: true,
    source: 'Eq. 5-8',
    help: 'false: no label attention; H is H_1 averaged over time (ablation no-lsma-joo).',
  },
  {
    key: 'label.query',
    type: ['labels', 'frames'],
    default: 'labels',
    source: 'Eq. 5, 6',
    help: 'labels: the labels ask, tokens and frames answer; frames: the reverse, and label.reduce has no meaning.',
  },
  {
    key: 'label.tables',
    type: ['shared', 'per-modality'],
    default: 'shared',
    source: 'Eq. 5, 6',
    help: 'One label table, or one per modality (APC then compares with their mean).',
  },
  {
    key: 'label.reduce',
    type: ['mean', 'per-label', 'concat'],
    default: 'mean',
    source: 'Eq. 7, 8',
    help: 'mean over the N label rows; each row gates by itself, then the mean; or the rows joined and projected to d.',
  },
  LABEL_INIT,
  {
    key: 'ma.alpha',
    type: 'number',
    default: 0.99,
    source: 'Eq. 9',
    min: 0,
    max: 1,
    help: "L_t = alpha L_(t-1) + (1 - alpha) L'_(t-1); 0: no moving average.",
  },
  {
    key: 'ma.every',
    type: ['epoch', 'step'],
    default: 'epoch',
    source: 'Eq. 9',
    help: 'What one t is.',
  },
  {
    key: 'ma.role',
    type: ['reset', 'shadow'],
    default: 'reset',
    source: 'Eq. 9',
    help: "reset: training goes on from L_t; shadow: training goes on from L', the average serves evaluation.",
  },
  {
    key: 'ma.evaluate',
    type: ['after', 'before'],
    default: 'after',
    source: 'Eq. 9',
    help: "Evaluation uses L_t, or L' as it was before the averaging.",
  },
  {
    key: 'ma.moments',
    type: ['keep', 'clear'],
    default: 'keep',
    source: 'Eq. 9',
    help: "The optimiser's moments of the labels after a reset; clear sets them to 0, its step count goes on.",
  },
  {
    key: 'gate',
    type: ['scalar', 'vector', 'equal'],
    default: 'scalar',
    source: 'Eq. 10, 11',
    help: 'One weight per modality, one per modality and dimension, or one half each.',
  },
  CLASSIFIER_WIDTH,
  CLASSIFIER_DROPOUT,
  {
    key: 'apc.temperature',
    type: 'number',
    default: 1,
    source: 'Eq. 14, 15',
    min: 0.001,
    help: 'q = softmax(cosine / temperature).',
  },
  {
    key: 'apc.detach',
    type: ['none', 'p', 'q', 'labels'],
    default: 'none',
    source: 'Eq. 14, 15',
    help: 'What APC sends no gradient into: the prediction p, the attribution q, or the labels inside q.',
  },
  {
    key: 'apc.reduce',
    type: ['mean', 'batch'],
    default: 'mean',
    source: 'Eq. 16, 17',
    help: 'mean over classes and rows (literal); batch: sum over classes, mean over rows, N times as strong.',
  },
  {
    key: 'loss.ce',
    type: 'number',
    default: 1,
    source: 'Eq. 19',
    min: 0,
    help: "Weight of the cross entropy (the equation's alpha).",
  },
  LOSS_FOCAL,
  {
    key: 'loss.apc',
    type: 'number',
    default: 0.05,
    source: 'Eq. 19',
    min: 0,
    help: "Weight of APC (the equation's beta): 0.05 for IEMOCAP, 0.1 for MELD; 0: cross entropy only.",
  },
] as const satisfies readonly OptionSpec[];

/** A configuration with every key present and typed. */
export type LsgmerOptions = OptionsOf<typeof LSGMER_OPTIONS>;

/** The head's own keys of a configuration, defaults filled in; other keys are left alone. */
export function readOptions(config: HeadConfig): LsgmerOptions {
  return optionsOf(LSGMER_OPTIONS, config);
}

/** Which features the head reads, and how. */
export function featureUse(options: LsgmerOptions): FeatureUse {
  return {
    text: usesText(options) ? options['text.encoder'] : null,
    audio: usesAudio(options) ? options['audio.alexnet'] : null,
  };
}

/**
 * Typed options of a configuration that fits the features and classes at hand. That each value is one that its
 * option accepts is the configuration's business; here is what depends on more than one of them.
 * @throws UserErrors with one line for each problem.
 */
export function checkOptions(config: HeadConfig, dims: FeatureDims, classes: number): LsgmerOptions {
  const options = readOptions(config);
  const { d, heads } = options;
  refuse([...divides(heads, d), ...useProblems(featureUse(options), d, dims, classes, true)]);
  return options;
}

export const usesText = (options: LsgmerOptions): boolean => options.modality !== 'audio';
export const usesAudio = (options: LsgmerOptions): boolean => options.modality !== 'text';

/** Label embeddings exist where anything looks at them: label attention (Eq. 5, 6) or APC (Eq. 14). */
export const usesLabels = (options: LsgmerOptions): boolean =>
  options['label.attention'] || options['loss.apc'] > 0;

/** The modalities of a configuration, audio first as in Eq. 10. */
export function modalities(options: LsgmerOptions): ('audio' | 'text')[] {
  return options.modality === 'both' ? ['audio', 'text'] : [options.modality];
}

/** Name of the label table that a modality attends to. */
export function labelTable(options: LsgmerOptions, modality: 'audio' | 'text'): string {
  const split = options['label.tables'] === 'per-modality' && options.modality === 'both';
  return split ? `label.table.${modality}` : 'label.table';
}
