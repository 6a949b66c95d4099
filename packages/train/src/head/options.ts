import { UserErrors } from '@lsgmer/datasets';
import type { FeatureDims, HeadConfig, OptionSpec } from './contract.ts';

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
  {
    key: 'd',
    type: 'integer',
    default: 256,
    source: 'Eq. 1',
    min: 2,
    help: 'Width of every hidden vector and label embedding.',
  },
  {
    key: 'heads',
    type: 'integer',
    default: 4,
    source: 'Eq. 3-6',
    min: 1,
    help: 'Attention heads; divides d.',
  },
  {
    key: 'text.encoder',
    type: ['bilstm', 'linear'],
    default: 'bilstm',
    source: 'Eq. 1',
    help: 'bilstm: one layer, d/2 per direction, the backward one starts at the last real token; linear: one Linear per token.',
  },
  {
    key: 'audio.alexnet',
    type: ['time', 'broadcast', 'none'],
    default: 'time',
    source: 'Eq. 2',
    help: 'time: the map is projected, interpolated at frame centres and added; broadcast: pooled to 6x6, flattened, projected and added to every frame; none: WavLM alone.',
  },
  {
    key: 'cross.residual',
    type: ['none', 'add', 'add-norm'],
    default: 'none',
    source: 'Eq. 3, 4',
    help: 'What surrounds cross attention: nothing, a residual, or a residual and layer norm.',
  },
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
  {
    key: 'label.init',
    type: ['1', '0.02', 'xavier'],
    default: '1',
    source: 'own',
    help: 'Label embeddings start normal with this standard deviation, or Xavier-uniform.',
  },
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
  {
    key: 'classifier.width',
    type: 'integer',
    default: 0,
    source: 'Eq. 12',
    min: 0,
    help: 'Hidden units of the classifier; 0: d.',
  },
  {
    key: 'classifier.dropout',
    type: 'number',
    default: 0,
    source: 'Eq. 12',
    min: 0,
    max: 0.95,
    help: 'Share of hidden units dropped in training.',
  },
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
  {
    key: 'loss.apc',
    type: 'number',
    default: 0.05,
    source: 'Eq. 19',
    min: 0,
    help: "Weight of APC (the equation's beta): 0.05 for IEMOCAP, 0.1 for MELD; 0: cross entropy only.",
  },
] as const satisfies readonly OptionSpec[];

type ValueOf<S> = S extends { type: readonly (infer Choice)[] }
  ? Choice
  : S extends { type: 'boolean' }
    ? boolean
    : number;

/** A configuration with every key present and typed. */
export type LsgmerOptions = {
  readonly [S in (typeof LSGMER_OPTIONS)[number] as S['key']]: ValueOf<S>;
};

/** The head's own keys of a configuration, defaults filled in; other keys are left alone. */
export function readOptions(config: HeadConfig): LsgmerOptions {
  const entries = LSGMER_OPTIONS.map((spec) => [spec.key, config[spec.key] ?? spec.default]);
  return Object.fromEntries(entries) as LsgmerOptions;
}

/**
 * Typed options of a configuration that fits the features and classes at hand. That each value is one that its
 * option accepts is the configuration's business; here is what depends on more than one of them.
 * @throws UserErrors with one line for each problem.
 */
export function checkOptions(config: HeadConfig, dims: FeatureDims, classes: number): LsgmerOptions {
  const options = readOptions(config);
  const problems: string[] = [];
  const { d, heads } = options;
  if (d % heads !== 0) problems.push(`heads: ${heads} does not divide d = ${d}; choose heads that do`);
  if (usesText(options) && options['text.encoder'] === 'bilstm' && d % 2 !== 0)
    problems.push(`d: found ${d}, expected an even number (half of it per direction of the BiLSTM)`);
  if (usesText(options) && dims.text < 1)
    problems.push('modality: needs text features and none were given; add one or set modality=audio');
  if (usesAudio(options) && dims.audio < 1)
    problems.push('modality: needs audio features and none were given; add one or set modality=text');
  if (usesMap(options) && dims.map < 1)
    problems.push(
      'audio.alexnet: needs a spectrogram map and none was given; add one or set audio.alexnet=none',
    );
  if (usesMap(options) && options['audio.alexnet'] === 'broadcast' && dims.map % MAP_ROWS !== 0)
    problems.push(
      `audio.alexnet: broadcast needs map steps of channels x ${MAP_ROWS} rows, found ${dims.map} values`,
    );
  if (classes < 2) problems.push(`classes: found ${classes}, expected at least 2`);
  if (problems.length > 0) throw new UserErrors(problems);
  return options;
}

/** Rows of the picture that AlexNet's `features` leaves of 256 pixels: a map step is channel * 7 + row. */
export const MAP_ROWS = 7;

export const usesText = (options: LsgmerOptions): boolean => options.modality !== 'audio';
export const usesAudio = (options: LsgmerOptions): boolean => options.modality !== 'text';
export const usesMap = (options: LsgmerOptions): boolean =>
  usesAudio(options) && options['audio.alexnet'] !== 'none';

/** Label embeddings exist where anything looks at them: label attention (Eq. 5, 6) or APC (Eq. 14). */
export const usesLabels = (options: LsgmerOptions): boolean =>
  options['label.attention'] || options['loss.apc'] > 0;

/** Hidden units of the classifier. */
export const classifierWidth = (options: LsgmerOptions): number =>
  options['classifier.width'] === 0 ? options.d : options['classifier.width'];

/** The modalities of a configuration, audio first as in Eq. 10. */
export function modalities(options: LsgmerOptions): ('audio' | 'text')[] {
  return options.modality === 'both' ? ['audio', 'text'] : [options.modality];
}

/** Name of the label table that a modality attends to. */
export function labelTable(options: LsgmerOptions, modality: 'audio' | 'text'): string {
  const split = options['label.tables'] === 'per-modality' && options.modality === 'both';
  return split ? `label.table.${modality}` : 'label.table';
}
