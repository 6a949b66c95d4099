import { attentionWeights, crossAttention, type Crossed } from './attention.ts';
import type { ParameterSpec, Tensors } from './contract.ts';
import type { Stream } from './encoders.ts';
import { need } from './ops.ts';
import { attentionParameters, normParameters } from './parameters.ts';
import type { CROSS_RESIDUAL, HEADS, OptionsOf } from './shared-options.ts';

export type Modality = 'audio' | 'text';

type Options = OptionsOf<[typeof HEADS, typeof CROSS_RESIDUAL]>;

/** Eq. 3, 4: what `crossed` takes for a modality that asks. */
export function crossParameters(
  modality: Modality,
  d: number,
  residual: Options['cross.residual'],
): ParameterSpec[] {
  const name = `cross.${modality}`;
  const norm = residual === 'add-norm' ? normParameters(`${name}.norm`, d) : [];
  return [...attentionParameters(name, d), ...norm];
}

/** Eq. 3, 4: H_1 of a modality that asks the other. */
export function crossed(
  parameters: Tensors,
  modality: Modality,
  own: Stream,
  other: Stream,
  options: Options,
): Crossed {
  const name = `cross.${modality}`;
  const residual = options['cross.residual'];
  const norm =
    residual === 'add-norm'
      ? { gain: need(parameters, `${name}.norm.gain`), bias: need(parameters, `${name}.norm.bias`) }
      : undefined;
  const weights = attentionWeights(parameters, name);
  const masks = { own: own.mask, other: other.mask };
  const cross = { own: own.h0, other: other.h0, keys: other.keys, masks, weights, heads: options.heads };
  return crossAttention(cross, residual, norm);
}
