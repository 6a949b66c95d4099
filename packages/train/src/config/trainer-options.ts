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
    help: 'Learning rate of AdamW, constant.',
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
    help: 'Weight decay, decoupled, on every tensor.',
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
    batchFrames: number('batch.frames'),
    batchShapes: number('batch.shapes'),
    batchBlock: number('batch.block'),
    lr: number('lr'),
    beta1: number('adamw.beta1'),
    beta2: number('adamw.beta2'),
    eps: number('adamw.eps'),
    decay: number('adamw.decay'),
    labelSeed: number('labels.seed') === -1 ? undefined : number('labels.seed'),
    permuteLabels: values['labels.permute'] as boolean,
  };
}
