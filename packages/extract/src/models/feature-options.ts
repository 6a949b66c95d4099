import { z } from 'zod';
import { POOLS, type Pool } from '../features/finish.ts';
import { COMPUTE_DTYPES, type ComputeDtype } from './compute-dtype.ts';

/** Which features are made of one model, and how: one forward pass gives them all. */
export interface FeatureOptions {
  /**
   * `last`, or numbers as in Hugging Face's `hidden_states`: 0 is what enters the first layer, k what leaves
   * layer k. One feature set each.
   */
  readonly layers: 'last' | readonly number[];
  /**
   * Whether the encoder's closing layer norm, where it has one, is applied to what is taken: to the last layer
   * only unless given.
   */
  readonly finalNorm?: boolean;
  /** Text only: whether the steps of `<s>` and `</s>` are kept. */
  readonly specialTokens: 'kept' | 'dropped';
  /** Audio only: so many frames are averaged to one. */
  readonly stride: number;
  readonly pool: Pool;
  /** In what the encoder computes. */
  readonly compute: ComputeDtype;
}

export const DEFAULT_FEATURE_OPTIONS: FeatureOptions = {
  layers: 'last',
  specialTokens: 'kept',
  stride: 1,
  pool: 'none',
  compute: 'fp32',
};

/** The options as they are written down beside a feature. */
export const FeatureOptionsJson = z.strictObject({
  layers: z.union([z.literal('last'), z.array(z.number())]),
  finalNorm: z.boolean().optional(),
  specialTokens: z.enum(['kept', 'dropped']),
  stride: z.number(),
  pool: z.enum(POOLS),
  compute: z.enum(COMPUTE_DTYPES).default('fp32'),
});

/** A model as another process can be told of it. */
export interface ModelReference {
  readonly folder: string;
  readonly options: FeatureOptions;
}

/**
 * Name of a feature: the model's, and what sets it apart from the model's plain last layer (`wavlm-large.l12`,
 * `wavlm-large.mean-std`).
 */
export function featureName(model: string, layer: 'last' | number, options: FeatureOptions): string {
  return [
    model,
    ...(layer === 'last' ? [] : [`l${layer}`]),
    ...(options.finalNorm === undefined ? [] : [options.finalNorm ? 'norm' : 'raw']),
    ...(options.specialTokens === 'kept' ? [] : ['words']),
    ...(options.stride === 1 ? [] : [`s${options.stride}`]),
    ...(options.pool === 'none' ? [] : [options.pool]),
    ...(options.compute === 'fp32' ? [] : [options.compute]),
  ].join('.');
}
