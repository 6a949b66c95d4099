import type { ClassWeighting } from '../batches/targets.ts';
import type { HeadConfig, OptionSpec } from '../head/contract.ts';

/** Options of the trainer itself; a head adds its own. Defaults are the paper's setting (facts of the protocol). */
export const trainerOptions: readonly OptionSpec[] = [
  {
    key: 'epochs',
    type: 'integer',
    default: 50,
    min: 1,
    source: 'Sec. IV-B',
    help: 'Passes over the training part.',
  },
  {
    key: 'batch.size',
    type: 'integer',
    default: 32,
    min: 1,
    source: 'own',
    help: 'Utterances of one update.',
  },
  {
    key: 'batch.accumulate',
    type: 'integer',
    default: 1,
    min: 1,
    source: 'own',
    help: 'Batches whose gradients are added up for one update.',
  },
  {
    key: 'batch.frames',
    type: 'integer',
    default: 12_800,
    min: 1,
    source: 'own',
    help: 'Padded frames that run at once; a larger batch is accumulated from smaller ones (same update).',
  },
  {
    key: 'batch.shapes',
    type: 'integer',
    default: 6,
    min: 1,
    max: 64,
    source: 'own',
    help: 'Distinct padded lengths: more waste less padding, fewer need less memory.',
  },
  {
    key: 'batch.block',
    type: 'integer',
    default: 4,
    min: 1,
    source: 'own',
    help: 'Updates of one padded length in a row: graphs of long utterances are made less often.',
  },
  {
    key: 'lr',
    type: 'number',
    default: 5e-4,
    min: 0,
    source: 'Sec. IV-B',
    help: 'Learning rate of AdamW; its peak under a schedule.',
  },
  {
    key: 'lr.schedule',
    type: ['constant', 'cosine', 'linear'],
    default: 'constant',
    source: 'own',
    help: 'How the rate goes on after the warm-up: as it is, or to 0 along half a cosine or a line.',
  },
  {
    key: 'lr.warmup',
    type: 'number',
    default: 0,
    min: 0,
    max: 0.9,
    source: 'own',
    help: 'Share of all updates in which the rate rises from 0.',
  },
  {
    key: 'clip',
    type: 'number',
    default: 0,
    min: 0,
    source: 'own',
    help: "Longest gradient; a longer one is shortened to it, as torch's clip_grad_norm_ does; 0: none.",
  },
  {
    key: 'adamw.beta1',
    type: 'number',
    default: 0.9,
    min: 0,
    max: 1,
    source: 'own',
    help: 'Decay of the first moment.',
  },
  {
    key: 'adamw.beta2',
    type: 'number',
    default: 0.999,
    min: 0,
    max: 1,
    source: 'own',
    help: 'Decay of the second moment.',
  },
  {
    key: 'adamw.eps',
    type: 'number',
    default: 1e-8,
    min: 0,
    source: 'own',
    help: 'Added to the root of the second moment.',
  },
  {
    key: 'adamw.decay',
    type: 'number',
    default: 0.01,
    min: 0,
    source: 'own',
    help: 'Weight decay, decoupled.',
  },
  {
    key: 'adamw.decay.on',
    type: ['all', 'weights'],
    default: 'all',
    source: 'own',
    help: 'Every tensor, or none of the biases and gains.',
  },
  {
    key: 'labels.smoothing',
    type: 'number',
    default: 0,
    min: 0,
    max: 0.9,
    source: 'own',
    help: 'Share of each target that is spread over all classes.',
  },
  {
    key: 'class.weights',
    type: ['none', 'inverse', 'sqrt', 'effective'],
    default: 'none',
    source: 'own',
    help: 'Weight of a class in the cross entropy, from the training labels of the fold: inverse to its count, to the square root, or to the effective number of its rows.',
  },
  {
    key: 'class.beta',
    type: 'number',
    default: 0.999,
    min: 0,
    max: 1,
    source: 'own',
    help: 'Beta of the effective number, (1 - beta^n) / (1 - beta).',
  },
  {
    key: 'sampling',
    type: ['uniform', 'balanced'],
    default: 'uniform',
    source: 'own',
    help: 'Each utterance once an epoch, or all classes equally often.',
  },
  {
    key: 'modality.dropout',
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    source: 'own',
    help: 'Share of training rows that lose text or audio, each as often, for one update.',
  },
  {
    key: 'standardise',
    type: ['none', 'train', 'speaker'],
    default: 'none',
    source: 'own',
    help: 'Features less their mean, over their standard deviation, by dimension: over the training part of the fold, or over each speaker (test speakers too: transductive).',
  },
  {
    key: 'labels.seed',
    type: 'integer',
    default: -1,
    min: -1,
    source: 'own',
    help: "Seed of the label embeddings' initial values; -1: the run's seed.",
  },
  {
    key: 'labels.permute',
    type: 'boolean',
    default: false,
    source: 'own',
    help: 'Permute the labels of the training part by the seed: a check that must score at chance.',
  },
];

/** The trainer's part of a configuration, by field. */
export interface TrainerConfig {
  readonly epochs: number;
  /** Utterances of one update. */
  readonly batchSize: number;
  /** Batches of one update. */
  readonly accumulate: number;
  /** Most padded frames (rows x longest) in memory at once. */
  readonly batchFrames: number;
  /** Most distinct padded shapes. */
  readonly batchShapes: number;
  /** Updates of one shape that follow each other. */
  readonly batchBlock: number;
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly decay: number;
  /** Biases and gains decay, too. */
  readonly decayAll: boolean;
  readonly schedule: 'constant' | 'cosine' | 'linear';
  /** Share of all updates. */
  readonly warmup: number;
  /** Longest gradient; 0: any. */
  readonly clip: number;
  readonly smoothing: number;
  readonly classWeights: ClassWeighting;
  readonly classBeta: number;
  readonly balanced: boolean;
  readonly modalityDropout: number;
  readonly standardise: 'none' | 'train' | 'speaker';
  /** Undefined: the run's seed. */
  readonly labelSeed: number | undefined;
  readonly permuteLabels: boolean;
}

/** Reads the trainer's fields from checked values. */
export function trainerConfig(values: HeadConfig): TrainerConfig {
  const number = (key: string): number => values[key] as number;
  return {
    epochs: number('epochs'),
    batchSize: number('batch.size'),
    accumulate: number('batch.accumulate'),
    batchFrames: number('batch.frames'),
    batchShapes: number('batch.shapes'),
    batchBlock: number('batch.block'),
    lr: number('lr'),
    beta1: number('adamw.beta1'),
    beta2: number('adamw.beta2'),
    eps: number('adamw.eps'),
    decay: number('adamw.decay'),
    decayAll: values['adamw.decay.on'] === 'all',
    schedule: values['lr.schedule'] as TrainerConfig['schedule'],
    warmup: number('lr.warmup'),
    clip: number('clip'),
    smoothing: number('labels.smoothing'),
    classWeights: values['class.weights'] as ClassWeighting,
    classBeta: number('class.beta'),
    balanced: values['sampling'] === 'balanced',
    modalityDropout: number('modality.dropout'),
    standardise: values['standardise'] as TrainerConfig['standardise'],
    labelSeed: number('labels.seed') === -1 ? undefined : number('labels.seed'),
    permuteLabels: values['labels.permute'] as boolean,
  };
}
