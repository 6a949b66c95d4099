import { UserErrors } from '@lsgmer/datasets';
import type { FeatureDims, HeadConfig, OptionSpec } from './contract.ts';

/** Options that several heads share: one name and one meaning for each. */
export const WIDTH = {
  key: 'd',
  type: 'integer',
  default: 256,
  source: 'Eq. 1',
  min: 2,
  help: 'Width of every hidden vector and label embedding.',
} as const satisfies OptionSpec;

export const HEADS = {
  key: 'heads',
  type: 'integer',
  default: 4,
  source: 'Eq. 3-6',
  min: 1,
  help: 'Attention heads; divides d.',
} as const satisfies OptionSpec;

export const TEXT_ENCODER = {
  key: 'text.encoder',
  type: ['bilstm', 'linear'],
  default: 'bilstm',
  source: 'Eq. 1',
  help: 'bilstm: one layer, d/2 per direction, the backward one starts at the last real token; linear: one Linear per token.',
} as const satisfies OptionSpec;

export const AUDIO_ALEXNET = {
  key: 'audio.alexnet',
  type: ['time', 'broadcast', 'none'],
  default: 'time',
  source: 'Eq. 2',
  help: 'time: the map is projected, interpolated at frame centres and added; broadcast: pooled to 6x6, flattened, projected and added to every frame; none: WavLM alone.',
} as const satisfies OptionSpec;

export const CLASSIFIER_WIDTH = {
  key: 'classifier.width',
  type: 'integer',
  default: 0,
  source: 'Eq. 12',
  min: 0,
  help: 'Hidden units of the classifier; 0: d.',
} as const satisfies OptionSpec;

export const CLASSIFIER_DROPOUT = {
  key: 'classifier.dropout',
  type: 'number',
  default: 0,
  source: 'Eq. 12',
  min: 0,
  max: 0.95,
  help: 'Share of hidden units dropped in training.',
} as const satisfies OptionSpec;

export const CROSS_RESIDUAL = {
  key: 'cross.residual',
  type: ['none', 'add', 'add-norm'],
  default: 'none',
  source: 'Eq. 3, 4',
  help: 'What surrounds cross attention: nothing, a residual, or a residual and layer norm.',
} as const satisfies OptionSpec;

export type ValueOf<S> = S extends { type: readonly (infer Choice)[] }
  ? Choice
  : S extends { type: 'boolean' }
    ? boolean
    : number;

/** A configuration of these options with every key present and typed. */
export type OptionsOf<Specs extends readonly OptionSpec[]> = {
  readonly [S in Specs[number] as S['key']]: ValueOf<S>;
};

/** A head's own keys of a configuration, defaults filled in; other keys are left alone. */
export function optionsOf<const Specs extends readonly OptionSpec[]>(
  specs: Specs,
  config: HeadConfig,
): OptionsOf<Specs> {
  const entries = specs.map((spec) => [spec.key, config[spec.key] ?? spec.default]);
  return Object.fromEntries(entries) as OptionsOf<Specs>;
}

export const LABEL_INIT = {
  key: 'label.init',
  type: ['1', '0.02', 'xavier'],
  default: '1',
  source: 'own',
  help: 'Label embeddings start normal with this standard deviation, or Xavier-uniform.',
} as const satisfies OptionSpec;

export const LOSS_FOCAL = {
  key: 'loss.focal',
  type: 'number',
  default: 0,
  source: 'own',
  min: 0,
  max: 10,
  help: 'Gamma of the focal loss: terms of the cross entropy times (1 - p)^gamma; 0: plain.',
} as const satisfies OptionSpec;

/** Rows of the picture that AlexNet's `features` leaves of 256 pixels: a map step is channel * 7 + row. */
export const MAP_ROWS = 7;

/** Which features a configuration reads, and how. */
export interface FeatureUse {
  readonly text: OptionsOf<[typeof TEXT_ENCODER]>['text.encoder'] | null;
  /** What becomes of the spectrogram map beside the audio. */
  readonly audio: OptionsOf<[typeof AUDIO_ALEXNET]>['audio.alexnet'] | null;
}

/** Of a head that reads both modalities. */
export const useOf = (options: OptionsOf<[typeof TEXT_ENCODER, typeof AUDIO_ALEXNET]>): FeatureUse => ({
  text: options['text.encoder'],
  audio: options['audio.alexnet'],
});

/** What does not fit: attention heads that do not divide the width. */
export const divides = (heads: number, d: number): string[] =>
  d % heads === 0 ? [] : [`heads: ${heads} does not divide d = ${d}; choose heads that do`];

/**
 * What does not fit: features that are used and not there, a width that cannot be halved, too few classes.
 * @param modality whether the head can be told to do without one (`modality=text`)
 */
export function useProblems(
  use: FeatureUse,
  d: number,
  dims: FeatureDims,
  classes: number,
  modality = false,
): string[] {
  const or = (other: string): string => (modality ? ` or set modality=${other}` : '');
  const key = modality ? 'modality' : 'features';
  const problems: string[] = [];
  if (use.text === 'bilstm' && d % 2 !== 0)
    problems.push(`d: found ${d}, expected an even number (half of it per direction of the BiLSTM)`);
  if (use.text !== null && dims.text < 1)
    problems.push(`${key}: needs text features and none were given; add one${or('audio')}`);
  if (use.audio !== null && dims.audio < 1)
    problems.push(`${key}: needs audio features and none were given; add one${or('text')}`);
  const map = use.audio === 'time' || use.audio === 'broadcast';
  if (map && dims.map < 1)
    problems.push(
      'audio.alexnet: needs a spectrogram map and none was given; add one or set audio.alexnet=none',
    );
  if (use.audio === 'broadcast' && dims.map % MAP_ROWS !== 0)
    problems.push(
      `audio.alexnet: broadcast needs map steps of channels x ${MAP_ROWS} rows, found ${dims.map} values`,
    );
  if (classes < 2) problems.push(`classes: found ${classes}, expected at least 2`);
  return problems;
}

/** @throws UserErrors with one line for each problem */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UserErrors(problems);
}

/** Hidden units of the classifier. */
export const classifierWidth = (options: OptionsOf<[typeof WIDTH, typeof CLASSIFIER_WIDTH]>): number =>
  options['classifier.width'] === 0 ? options.d : options['classifier.width'];

/** Width of the classifier's dropout mask; 0 where nothing is dropped. */
export const droppedUnits = (
  options: OptionsOf<[typeof WIDTH, typeof CLASSIFIER_WIDTH, typeof CLASSIFIER_DROPOUT]>,
): number => (options['classifier.dropout'] > 0 ? classifierWidth(options) : 0);
