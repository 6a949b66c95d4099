import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import { graphFile } from '../encoders/hidden-output.ts';
import { maxTokens } from '../encoders/text-config.ts';
import { describedForm } from '../features/described.ts';
import type { InputForm } from '../features/form.ts';
import { melPictureForm } from '../features/mel-picture.ts';
import { tokenForm } from '../features/tokens.ts';
import { waveformForm } from '../features/waveform.ts';
import { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { type ComputeDtype, computedAs } from './compute-dtype.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions, type ModelReference } from './feature-options.ts';
import { type ModelConfig, describeConfig, isTextConfig } from './model-config.ts';
import { parse, parseConfig, parsePreprocessor, readJson } from './parse-config.ts';
import { Placement } from './placed-weights.ts';
import { type ModelFeature, encoderOutputs, modelFeatures } from './model-features.ts';

/**
 * A model on disk:
 *
 *     config.json               architecture and sizes, with Hugging Face's keys; model_type decides
 *     preprocessor_config.json  audio: do_normalize
 *     tokenizer.json            text
 *     model.onnx                the graph with its weights; model-<digest>.onnx where it gives other outputs, model.<form>.onnx
 *                               as it computes in another type or on a CPU, made when it is first needed (compute-dtype.ts)
 *     model.json                what it was made from; written last, so that a folder without it is not a model
 */
export const MODEL_FILES = {
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  tokenizer: 'tokenizer.json',
  graph: 'model.onnx',
  record: 'model.json',
} as const;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const ModelRecord = z.strictObject({
  format: z.literal(1),
  /** Name of the feature, for instance `random-tiny-wavlm`. */
  name: z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/),
  /** Digest of names, shapes and float32 values (RecordedWeights), whatever format they came in. */
  weights: Sha256,
  tokenizer: Sha256.optional(),
  /** Where the weights came from: a folder, a file, or `owner/name@commit`. */
  source: z.string().optional(),
  /** Tensors of the checkpoint that no hidden state depends on, so that they were left out. */
  ignored: z.array(z.string()).optional(),
  placement: Placement.optional(),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

/** A model that is ready to be loaded, and the features that one forward pass of it gives. */
export interface EncoderModel extends ModelReference {
  readonly name: string;
  readonly graphPath: string;
  readonly config: ModelConfig;
  readonly form: InputForm;
  /** Text models only. */
  readonly tokenizer?: TextTokenizer;
  /** At least one; names differ. */
  readonly features: readonly ModelFeature[];
  /** Written beside the computation, not part of the fingerprint: where the weights came from, what was left out. */
  readonly provenance: { readonly [key: string]: Json };
}

/** Raised by hand whenever the same inputs come to give other features. Speech, 2: convolutions are products on a CPU. */
const COMPUTATION_VERSION = { speech: 2, others: 1 };

/**
 * Reads a model folder.
 * @throws UserError that names the file when one is missing, damaged, or describes what cannot be run, or when
 *   the model has no such features
 */
export function readModel(folder: string, asked: FeatureOptions = DEFAULT_FEATURE_OPTIONS): EncoderModel {
  const record = readRecord(folder);
  const config = parseConfig(readJson(join(folder, MODEL_FILES.config)), join(folder, MODEL_FILES.config));
  checkPlacement(folder, record.placement);
  const options = { ...asked, compute: computedBy(config, asked.compute) };
  const form = formOf(folder, config);
  const tokenizer =
    form.kind === 'text'
      ? TextTokenizer.read(join(folder, MODEL_FILES.tokenizer), longestText(config))
      : undefined;
  if (tokenizer?.digest !== record.tokenizer) {
    throw new UserError(
      `${join(folder, MODEL_FILES.tokenizer)} is not the tokenizer that the model was made with: its sha256 is ` +
        `${tokenizer?.digest ?? 'absent'}, expected ${record.tokenizer ?? 'none'}`,
    );
  }
  const outputs = encoderOutputs(record.name, config, form, options);
  const graphPath = join(
    folder,
    config.model_type === 'onnx'
      ? (config.models[0]?.file as string)
      : graphFile(outputs.map(({ output }) => output)),
  );
  if (!existsSync(graphPath))
    throw new UserError(`${graphPath} is missing: remove ${folder} and make the model again`);
  const made = {
    version: COMPUTATION_VERSION['conv_dim' in config ? 'speech' : 'others'],
    encoder: describeConfig(config),
    weights: record.weights,
    ...(record.tokenizer === undefined ? {} : { tokenizer: record.tokenizer }),
    computed: computedAs(options.compute),
    ...form.computation,
  };
  return {
    name: record.name,
    folder,
    options,
    graphPath,
    config,
    form,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    features: modelFeatures(record.name, outputs, form, tokenizer, options, made),
    provenance: {
      model: { name: record.name, source: record.source ?? null, options: { ...options } as Json },
      ...(record.ignored === undefined ? {} : { ignoredWeights: record.ignored }),
    },
  };
}

/** @throws UserError where the folder is no model's */
export function readRecord(folder: string): ModelRecord {
  return parse(readJson(join(folder, MODEL_FILES.record)), join(folder, MODEL_FILES.record), ModelRecord);
}

/** The files that the graph points into must be there, whole. */
function checkPlacement(folder: string, placement: ModelRecord['placement']): void {
  for (const [file, size] of Object.entries(placement?.files ?? {})) {
    const found = statSync(join(folder, file), { throwIfNoEntry: false })?.size;
    if (found === size) continue;
    throw new UserError(
      `${join(folder, file)} ${found === undefined ? 'is missing' : `has ${found} bytes, expected ${size}`}: remove ${folder}, ` +
        'and the model is made again',
    );
  }
}

/** Convolutions are not quantised: AlexNet, which has nothing else and is fast, computes in float32 where int8 is asked for. */
function computedBy({ model_type }: ModelConfig, compute: ComputeDtype): ComputeDtype {
  return model_type === 'alexnet' && compute === 'int8' ? 'fp32' : compute;
}

/** Whether a folder holds a finished model. */
export function isModelFolder(folder: string): boolean {
  return existsSync(join(folder, MODEL_FILES.record));
}

/** Tokens that a text encoder takes. */
function longestText(config: ModelConfig): number {
  if (isTextConfig(config)) return maxTokens(config);
  return config.model_type === 'onnx' && config.input.kind === 'tokens' ? config.input.maxTokens : 0;
}

function formOf(folder: string, config: ModelConfig): InputForm {
  if (config.model_type === 'onnx') return describedForm(config);
  if (isTextConfig(config)) return tokenForm(config);
  if (config.model_type === 'alexnet') return melPictureForm(config);
  const preprocessor = parsePreprocessor(join(folder, MODEL_FILES.preprocessor));
  return waveformForm(config, preprocessor.do_normalize, preprocessor.sampling_rate);
}
