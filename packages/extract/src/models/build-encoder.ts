import type { Graph } from '@lsgmer/onnx/runtime';
import { buildAlexnet } from '../encoders/alexnet.ts';
import type { HiddenOutput } from '../encoders/hidden-output.ts';
import { buildSpeechEncoder } from '../encoders/speech-encoder.ts';
import { buildTextEncoder } from '../encoders/text-encoder.ts';
import type { WeightSource } from '../encoders/weight-source.ts';
import { type BuiltConfig, isTextConfig } from './model-config.ts';

/**
 * The graph of a configuration.
 * @param outputs a transformer's hidden states; `last_hidden_state` unless given
 */
export function buildEncoder(
  config: BuiltConfig,
  weights: WeightSource,
  outputs?: readonly HiddenOutput[],
): Graph {
  if (config.model_type === 'alexnet') return buildAlexnet(config, weights);
  if (isTextConfig(config)) return buildTextEncoder(config, weights, outputs);
  return buildSpeechEncoder(config, weights, outputs);
}
