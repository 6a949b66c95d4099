import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, digestJson, sha256Hex, writeFileAtomic } from '@lsgmer/datasets';
import { type Graph, modelBytes } from '@lsgmer/onnx/runtime';
import { type AlexnetConfig, buildAlexnet } from '../encoders/alexnet.ts';
import { type HiddenOutput, graphFile } from '../encoders/hidden-output.ts';
import type { TextConfig } from '../encoders/text-config.ts';
import { buildTextEncoder } from '../encoders/text-encoder.ts';
import { buildSpeechEncoder } from '../encoders/speech-encoder.ts';
import type { WavlmConfig } from '../encoders/speech-config.ts';
import { RandomWeights, RecordedWeights, type Spread, type WeightSource } from '../encoders/weight-source.ts';
import { trainByteLevelBpe } from '../tokenizer/train-bpe.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions } from './feature-options.ts';
import type { ModelConfig } from './model-config.ts';
import { encoderOutputs } from './model-features.ts';
import { type EncoderModel, MODEL_FILES, isModelFolder, readModel } from './model-folder.ts';

/**
 * The three encoders of the paper at toy size with seeded random weights, for the demo and the tests. Random
 * features tell words and sounds apart, as random projections do, and know nothing of language or speech: hence
 * the names.
 */
export const TINY_NAMES = ['random-tiny-roberta', 'random-tiny-wavlm', 'random-tiny-alexnet'] as const;
export type TinyName = (typeof TINY_NAMES)[number];

/** Raised by hand when the weights or sizes below change: the folder's name follows. */
const TINY_VERSION = 3;
const SEED = 1;

/** Whole words of a small corpus become tokens; a large corpus is cut into pieces. */
const VOCABULARY = 1024;

const ROBERTA: TextConfig = {
  model_type: 'roberta',
  vocab_size: VOCABULARY,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  pad_token_id: 1,
  layer_norm_eps: 1e-5,
  hidden_act: 'gelu',
};

const WAVLM: WavlmConfig = {
  model_type: 'wavlm',
  hidden_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 192,
  conv_dim: [48, 48, 48, 48, 48, 48, 48],
  conv_kernel: [10, 3, 3, 3, 3, 2, 2],
  conv_stride: [5, 2, 2, 2, 2, 2, 2],
  conv_bias: false,
  feat_extract_norm: 'layer',
  do_stable_layer_norm: true,
  num_conv_pos_embeddings: 128,
  num_conv_pos_embedding_groups: 16,
  num_buckets: 320,
  max_bucket_distance: 800,
  layer_norm_eps: 1e-5,
  hidden_act: 'gelu',
  feat_extract_activation: 'gelu',
};

const ALEXNET: AlexnetConfig = { model_type: 'alexnet', channels: [32, 48, 64, 48, 32] };

/** Everything a model is made of, before it is written. */
interface TinyModel {
  readonly config: ModelConfig;
  readonly graph: (weights: WeightSource, outputs?: readonly HiddenOutput[]) => Graph;
  readonly spread: (name: string, shape: readonly number[]) => Spread;
  /** What is done to the random tensors. */
  readonly shape?: (weights: WeightSource) => WeightSource;
  /** Files beside the graph. */
  readonly files: { readonly [name: string]: string };
  readonly tokenizer?: string;
}

/**
 * Makes a tiny model, or finds it made already. The folder is named by what the model is made from, so that
 * corpora with other words have tokenizers of their own side by side; the files are the same on every machine.
 *
 * @param models folder in which models lie
 * @param texts the corpus' texts, in any order; only the text encoder's tokenizer looks at them
 */
export function makeTinyModel(
  name: TinyName,
  models: string,
  texts: readonly string[],
  options: FeatureOptions = DEFAULT_FEATURE_OPTIONS,
): EncoderModel {
  const recipe: Json = {
    version: TINY_VERSION,
    seed: SEED,
    name,
    texts: name === TINY_NAMES[0] ? [...texts].sort() : [],
  };
  const folder = join(models, `${name}-${digestJson(recipe).slice(0, 12)}`);
  const model = (): TinyModel => DESCRIBE[name](texts);
  if (!isModelFolder(folder)) write(folder, name, model());
  if (options.layers !== 'last' || options.finalNorm !== undefined)
    writeGraph(folder, name, model(), options);
  return readModel(folder, options);
}

function write(folder: string, name: TinyName, model: TinyModel): void {
  const weights = new RecordedWeights(weightsOf(model));
  const graph = modelBytes(model.graph(weights));
  for (const [file, text] of Object.entries(model.files)) writeFileAtomic(join(folder, file), text);
  writeFileAtomic(join(folder, MODEL_FILES.graph), graph);
  const record = {
    format: 1,
    name,
    weights: weights.digest(),
    ...(model.tokenizer === undefined ? {} : { tokenizer: sha256Hex(model.tokenizer) }),
  };
  writeFileAtomic(join(folder, MODEL_FILES.record), json(record));
}

/** A further graph, which gives other layers. */
function writeGraph(folder: string, name: TinyName, model: TinyModel, options: FeatureOptions): void {
  const outputs = encoderOutputs(name, model.config, readModel(folder).form, options);
  const path = join(folder, graphFile(outputs.map(({ output }) => output)));
  const hidden = outputs.flatMap((output) => output.hidden ?? []);
  if (!existsSync(path)) writeFileAtomic(path, modelBytes(model.graph(weightsOf(model), hidden)));
}

function weightsOf(model: TinyModel): WeightSource {
  const random = new RandomWeights(SEED, model.spread);
  return model.shape?.(random) ?? random;
}

const DESCRIBE: Readonly<Record<TinyName, (texts: readonly string[]) => TinyModel>> = {
  'random-tiny-roberta': (texts) => {
    const tokenizer = trainByteLevelBpe(texts, VOCABULARY);
    const config = { ...ROBERTA, vocab_size: Object.keys(tokenizer.model.vocab).length };
    const text = json(tokenizer);
    return {
      config,
      graph: (weights, outputs) => buildTextEncoder(config, weights, outputs),
      spread: transformerSpread,
      files: { [MODEL_FILES.config]: json(config), [MODEL_FILES.tokenizer]: text },
      tokenizer: text,
    };
  },
  'random-tiny-wavlm': () => ({
    config: WAVLM,
    graph: (weights, outputs) => buildSpeechEncoder(WAVLM, weights, outputs),
    shape: averageOverTime,
    spread: transformerSpread,
    files: {
      [MODEL_FILES.config]: json(WAVLM),
      [MODEL_FILES.preprocessor]: json({ do_normalize: true, sampling_rate: 16_000 }),
    },
  }),
  'random-tiny-alexnet': () => ({
    config: ALEXNET,
    graph: (weights) => buildAlexnet(ALEXNET, weights),
    spread: rectifierSpread,
    files: { [MODEL_FILES.config]: json(ALEXNET) },
  }),
};

/**
 * Norms are neutral and matrices keep the variance of what goes in, but what each half of a layer adds to the
 * residual stream is small: after random mixing a step still says mostly what it itself was. The convolutions'
 * norms have biases, so that channels bend at different levels: pitch and timbre can be read from them better.
 */
function transformerSpread(name: string, shape: readonly number[]): Spread {
  if (/norm\.weight$/i.test(name) || name.endsWith('gru_rel_pos_const')) return { mean: 1, sd: 0 };
  if (/conv_layers\.\d\.layer_norm\.bias$/.test(name)) return { mean: 0, sd: 0.5 };
  if (name.endsWith('word_embeddings.weight')) return { mean: 0, sd: 1 };
  if (name.endsWith('position_embeddings.weight')) return { mean: 0, sd: 0.1 };
  if (name.endsWith('token_type_embeddings.weight') || name.endsWith('bias')) return { mean: 0, sd: 0 };
  if (name.endsWith('rel_attn_embed.weight')) return { mean: 0, sd: 0.5 };
  const inputs = shape.slice(1).reduce((product, dim) => product * dim, 1);
  const gain = /(output\.dense|out_proj|output_dense|pos_conv_embed\.conv)\.weight$/.test(name) ? 0.3 : 1;
  return { mean: 0, sd: (name.includes('conv_layers') ? Math.SQRT2 : gain) / Math.sqrt(inputs) };
}

/**
 * From the second convolution on, the taps of a kernel are made equal, its variance kept: the first layer's random
 * filters are then followed by averages over time, so that a frame holds something like energies in frequency
 * bands. (With independent taps, timbre is hardly left after seven layers: a linear probe for the demo's valence
 * cue gets 88 % instead of 99 %.)
 */
function averageOverTime(weights: WeightSource): WeightSource {
  return {
    tensor(name, shape) {
      const values = weights.tensor(name, shape);
      if (!/conv_layers\.[1-9]\.conv\.weight$/.test(name)) return values;
      const taps = shape.at(-1) as number;
      for (let at = 0; at < values.length; at += taps) {
        let sum = 0;
        for (let k = 0; k < taps; k++) sum += values[at + k] as number;
        values.fill(sum / Math.sqrt(taps), at, at + taps);
      }
      return values;
    },
  };
}

/** He et al. 2015: activations neither die nor explode behind rectifiers. */
function rectifierSpread(name: string, shape: readonly number[]): Spread {
  if (name.endsWith('bias')) return { mean: 0, sd: 0 };
  const inputs = shape.slice(1).reduce((product, dim) => product * dim, 1);
  return { mean: 0, sd: Math.sqrt(2 / inputs) };
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
