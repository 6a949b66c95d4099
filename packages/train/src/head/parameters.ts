import type { FeatureDims, Init, ParameterSpec } from './contract.ts';
import { POOLED } from './interpolation.ts';
import {
  classifierWidth,
  labelTable,
  MAP_ROWS,
  modalities,
  usesAudio,
  usesLabels,
  usesMap,
  usesText,
  type LsgmerOptions,
} from './options.ts';

const uniform = (bound: number): Init => ({ kind: 'uniform', bound });
const constant = (value: number): Init => ({ kind: 'constant', value });

function weight(name: string, shape: number[], init: Init): ParameterSpec {
  return { name, shape, init, stream: 'weights', averaged: false };
}

/** As torch.nn.Linear: weight and bias uniform within 1 / sqrt(inputs). */
function linear(name: string, inputs: number, outputs: number): ParameterSpec[] {
  const init = uniform(1 / Math.sqrt(inputs));
  return [weight(`${name}.w`, [inputs, outputs], init), weight(`${name}.b`, [outputs], init)];
}

/**
 * As torch.nn.MultiheadAttention: the joint [3d, d] input projection Xavier-uniform, the output projection as a
 * Linear's weight, biases 0. There is no key bias (see AttentionWeights).
 */
function attention(name: string, d: number): ParameterSpec[] {
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

function labelInit(options: LsgmerOptions, classes: number): Init {
  const choice = options['label.init'];
  if (choice === 'xavier') return uniform(Math.sqrt(6 / (classes + options.d)));
  return { kind: 'normal', sd: Number(choice) };
}

/**
 * Every parameter of a configuration, in the order of the flat vector: encoders (Eq. 1, 2), cross attention
 * (Eq. 3, 4), label tables and label attention (Eq. 5 to 8), fusion gate (Eq. 10), classifier (Eq. 12).
 * Only what the configuration uses exists. The paper says nothing of initial values: Linear, LSTM,
 * MultiheadAttention and LayerNorm start as PyTorch's do.
 */
export function lsgmerParameters(
  options: LsgmerOptions,
  dims: FeatureDims,
  classes: number,
): ParameterSpec[] {
  const { d } = options;
  const specs: ParameterSpec[] = [];
  if (usesText(options)) {
    if (options['text.encoder'] === 'linear') specs.push(...linear('text.linear', dims.text, d));
    else specs.push(...bilstm('text.lstm', dims.text, d / 2));
  }
  if (usesAudio(options)) specs.push(...linear('audio.linear', dims.audio, d));
  if (usesMap(options)) {
    const pooled = (dims.map / MAP_ROWS) * POOLED * POOLED;
    specs.push(...linear('audio.map', options['audio.alexnet'] === 'time' ? dims.map : pooled, d));
  }
  if (options.modality === 'both') {
    for (const modality of modalities(options)) {
      specs.push(...attention(`cross.${modality}`, d));
      if (options['cross.residual'] === 'add-norm')
        specs.push(
          weight(`cross.${modality}.norm.gain`, [d], constant(1)),
          weight(`cross.${modality}.norm.bias`, [d], constant(0)),
        );
    }
  }
  if (usesLabels(options)) {
    const init = labelInit(options, classes);
    for (const name of new Set(modalities(options).map((modality) => labelTable(options, modality))))
      specs.push({ name, shape: [classes, d], init, stream: 'labels', averaged: true });
  }
  if (options['label.attention']) {
    for (const modality of modalities(options)) {
      specs.push(...attention(`label.${modality}`, d));
      if (options['label.query'] === 'labels' && options['label.reduce'] === 'concat')
        specs.push(...linear(`label.${modality}.concat`, classes * d, d));
    }
  }
  if (options.modality === 'both' && options.gate !== 'equal')
    specs.push(...linear('gate', 2 * d, options.gate === 'scalar' ? 2 : 2 * d));
  const width = classifierWidth(options);
  specs.push(...linear('classifier.hidden', d, width), ...linear('classifier.output', width, classes));
  return specs;
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
