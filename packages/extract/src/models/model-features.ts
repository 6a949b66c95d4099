import { type Computation, UserError } from '@lsgmer/datasets';
import { type HiddenOutput, hiddenOutputs } from '../encoders/hidden-output.ts';
import { type Finish, finishedDim, finishedTimes } from '../features/finish.ts';
import type { InputForm } from '../features/form.ts';
import type { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { type FeatureOptions, featureName } from './feature-options.ts';
import { type ModelConfig, isSpeechConfig } from './model-config.ts';

/** One feature that a model gives: an output of its graph, and what is done to it. */
export interface ModelFeature {
  /** Name of the feature in the store, for instance `wavlm-large` or `wavlm-large.l12`. */
  readonly name: string;
  /** Name of the graph's output. */
  readonly output: string;
  readonly finish: Finish;
  /** As stored, after the finish. */
  readonly dim: number;
  readonly firstSeconds: number | null;
  readonly stepSeconds: number | null;
  /** Encoder, digests, and how its input is prepared; the decoding policy and the stored dtype come on top. */
  readonly computation: Computation;
}

/** An output of a model's graph, and the layer that it stands for. */
export interface EncoderOutput {
  readonly output: string;
  readonly layer: 'last' | number;
  /** A transformer's. */
  readonly hidden?: HiddenOutput;
}

/**
 * The outputs that the options ask for.
 * @throws UserError where the model has none such
 */
export function encoderOutputs(
  model: string,
  config: ModelConfig,
  form: InputForm,
  options: FeatureOptions,
): EncoderOutput[] {
  const { layers, finalNorm, specialTokens, stride } = options;
  const refuse = (what: string): never => {
    throw new UserError(`${model}: ${what}`);
  };
  if (specialTokens === 'dropped' && form.kind !== 'text')
    refuse('only a text encoder has special tokens to drop');
  if (stride !== 1 && form.kind === 'text') refuse('a stride averages frames: tokens have none');
  if (config.model_type === 'alexnet' || config.model_type === 'onnx') {
    if (layers !== 'last')
      refuse('layers are chosen of transformer encoders: this one gives its features only');
    if (finalNorm !== undefined) refuse('it has no closing layer norm');
    return [{ output: config.model_type === 'onnx' ? config.output : 'features', layer: 'last' }];
  }
  const count = config.num_hidden_layers;
  if (finalNorm !== undefined && !hasFinalNorm(config)) refuse('it has no closing layer norm');
  if (layers !== 'last') {
    const wrong = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer > count);
    if (wrong !== undefined) refuse(`layer ${wrong} is not there: it has layers 0 to ${count}`);
    const twice = layers.find((layer, i) => layers.indexOf(layer) !== i);
    if (twice !== undefined) refuse(`layer ${twice} is asked for twice`);
    if (layers.length === 0) refuse('no layer is asked for');
  }
  return hiddenOutputs(layers, count, finalNorm).map((hidden, i) => ({
    output: hidden.name,
    layer: layers === 'last' ? 'last' : (layers[i] as number),
    hidden,
  }));
}

/** Whether the encoder ends with a layer norm of its own. */
function hasFinalNorm(config: ModelConfig): boolean {
  return isSpeechConfig(config) && config.do_stable_layer_norm;
}

/**
 * The features that a graph's outputs become.
 * @param made what the fingerprint says of the model and of its input
 */
export function modelFeatures(
  model: string,
  outputs: readonly EncoderOutput[],
  form: InputForm,
  tokenizer: TextTokenizer | undefined,
  options: FeatureOptions,
  made: Computation,
): ModelFeature[] {
  const { specialTokens, stride, pool } = options;
  const drop =
    specialTokens === 'dropped' && tokenizer !== undefined
      ? tokenizer.specialTokens
      : { before: 0, after: 0 };
  const finish = { drop, stride, pool };
  return outputs.map(({ output, layer }) => ({
    name: featureName(model, layer, options),
    output,
    finish,
    dim: finishedDim(form.dim, finish),
    ...finishedTimes(form, finish),
    computation: {
      ...made,
      layer: output,
      ...(form.kind === 'text' ? { specialTokens } : {}),
      // Left out where nothing is done, as it was before there was a choice.
      ...(stride === 1 ? {} : { stride: { frames: stride, by: 'mean, the last group may be smaller' } }),
      ...(pool === 'none' ? {} : { pool: { by: pool, over: 'time', deviation: 'of the population' } }),
    },
  }));
}
