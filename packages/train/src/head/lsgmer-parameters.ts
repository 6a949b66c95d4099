import type { FeatureDims, ParameterSpec } from './contract.ts';
import { crossParameters } from './cross.ts';
import { featureUse, labelTable, modalities, usesLabels, type LsgmerOptions } from './lsgmer-options.ts';
import {
  attentionParameters,
  classifierParameters,
  encoderParameters,
  labelInit,
  linearParameters,
} from './parameters.ts';
import { classifierWidth } from './shared-options.ts';

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
  specs.push(...encoderParameters(featureUse(options), dims, d));
  if (options.modality === 'both') {
    for (const modality of modalities(options)) {
      specs.push(...crossParameters(modality, d, options['cross.residual']));
    }
  }
  if (usesLabels(options)) {
    const init = labelInit(options['label.init'], classes, d);
    for (const name of new Set(modalities(options).map((modality) => labelTable(options, modality))))
      specs.push({ name, shape: [classes, d], init, stream: 'labels', averaged: true });
  }
  if (options['label.attention']) {
    for (const modality of modalities(options)) {
      specs.push(...attentionParameters(`label.${modality}`, d));
      if (options['label.query'] === 'labels' && options['label.reduce'] === 'concat')
        specs.push(...linearParameters(`label.${modality}.concat`, classes * d, d));
    }
  }
  if (options.modality === 'both' && options.gate !== 'equal')
    specs.push(...linearParameters('gate', 2 * d, options.gate === 'scalar' ? 2 : 2 * d));
  return [...specs, ...classifierParameters(d, classifierWidth(options), classes)];
}
