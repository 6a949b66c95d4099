import type { FeatureDims, Init, ParameterSpec } from './contract.ts';
import { POOLED } from './interpolation.ts';
import { type FeatureUse, MAP_ROWS } from './shared-options.ts';

const uniform = (bound: number): Init => ({ kind: 'uniform', bound });
const constant = (value: number): Init => ({ kind: 'constant', value });

export function weight(name: string, shape: number[], init: Init): ParameterSpec {
  return { name, shape, init, stream: 'weights', averaged: false };
}

/** As torch.nn.Linear: weight and bias uniform within 1 / sqrt(inputs). */
export function linearParameters(name: string, inputs: number, outputs: number): ParameterSpec[] {
  const init = uniform(1 / Math.sqrt(inputs));
  return [weight(`${name}.w`, [inputs, outputs], init), weight(`${name}.b`, [outputs], init)];
}

/** A Linear without bias. */
export function projectionParameters(name: string, inputs: number, outputs: number): ParameterSpec {
  return weight(name, [inputs, outputs], uniform(1 / Math.sqrt(inputs)));
}

/**
 * As torch.nn.MultiheadAttention: the joint [3d, d] input projection Xavier-uniform, the output projection as a
 * Linear's weight, biases 0. There is no key bias (see AttentionWeights).
 */
export function attentionParameters(name: string, d: number): ParameterSpec[] {
  const joint = uniform(Math.sqrt(6 / (d + 3 * d)));
  return [
    weight(`${name}.wq`, [d, d], joint),
    weight(`${name}.bq`, [d], constant(0)),
    weight(`${name}.wk`, [d, d], joint),
    weight(`${name}.wv`, [d, d], joint),
    weight(`${name}.bv`, [d], constant(0)),
    weight(`${name}.wo`, [d, d], uniform(1 / Math.sqrt(d))),
    weight(`${name}.bo`, [d], constant(0)),
  ];
}

/** How label embeddings start: `label.init`. */
export function labelInit(choice: '1' | '0.02' | 'xavier', classes: number, d: number): Init {
  if (choice === 'xavier') return uniform(Math.sqrt(6 / (classes + d)));
  return { kind: 'normal', sd: Number(choice) };
}

/** Gain 1 and bias 0. */
export function normParameters(name: string, d: number): ParameterSpec[] {
  return [weight(`${name}.gain`, [d], constant(1)), weight(`${name}.bias`, [d], constant(0))];
}

/** Eq. 1 and 2: what `encodeText` and `encodeAudio` take. */
export function encoderParameters(
  { text, audio }: FeatureUse,
  dims: FeatureDims,
  d: number,
): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  if (text === 'linear') specs.push(...linearParameters('text.linear', dims.text, d));
  if (text === 'bilstm') specs.push(...bilstm('text.lstm', dims.text, d / 2));
  if (audio !== null) specs.push(...linearParameters('audio.linear', dims.audio, d));
  if (audio === 'time') specs.push(...linearParameters('audio.map', dims.map, d));
  if (audio === 'broadcast') {
    specs.push(...linearParameters('audio.map', (dims.map / MAP_ROWS) * POOLED * POOLED, d));
  }
  return specs;
}

/** Eq. 12: what `classify` takes. */
export function classifierParameters(inputs: number, width: number, classes: number): ParameterSpec[] {
  return [
    ...linearParameters('classifier.hidden', inputs, width),
    ...linearParameters('classifier.output', width, classes),
  ];
}

/** As torch.nn.LSTM: everything uniform within 1 / sqrt(hidden); [forward, backward] lead every shape. */
function bilstm(name: string, inputs: number, hidden: number): ParameterSpec[] {
  const init = uniform(1 / Math.sqrt(hidden));
  return [
    weight(`${name}.wx`, [2, inputs, 4 * hidden], init),
    weight(`${name}.wh`, [2, hidden, 4 * hidden], init),
    weight(`${name}.bih`, [2, 4 * hidden], init),
    weight(`${name}.bhh`, [2, 4 * hidden], init),
  ];
}
