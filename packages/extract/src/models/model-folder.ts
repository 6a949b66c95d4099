import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import { SAMPLE_RATE } from '../decode/policy.ts';
import { graphFile } from '../encoders/hidden-output.ts';
import { maxTokens } from '../encoders/text-config.ts';
import type { InputForm } from '../features/form.ts';
import { melPictureForm } from '../features/mel-picture.ts';
import { tokenForm } from '../features/tokens.ts';
import { waveformForm } from '../features/waveform.ts';
import { TextTokenizer } from '../tokenizer/text-tokenizer.ts';
import { type ComputeDtype, computedAs } from './compute-dtype.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions, type ModelReference } from './feature-options.ts';
import { MODEL_TYPES, ModelConfig, describeConfig, isTextConfig } from './model-config.ts';
import { Placement } from './placed-weights.ts';
import { type ModelFeature, encoderOutputs, modelFeatures } from './model-features.ts';

/**
 * A model on disk:
 *
 *     config.json               architecture and sizes, with Hugging Face's keys; model_type decides
 *     preprocessor_config.json  audio: do_normalize
 *     tokenizer.json            text
 *     model.onnx                the graph with its weights; model-<digest>.onnx where it gives other outputs
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

const PreprocessorConfig = z.object({
  do_normalize: z.boolean(),
  sampling_rate: z.literal(SAMPLE_RATE).default(SAMPLE_RATE),
});

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

/** Raised by hand whenever the same inputs come to give other features. */
const COMPUTATION_VERSION = 1;

/**
 * Reads a model folder.
 * @throws UserError that names the file when one is missing, damaged, or describes what cannot be run, or when
 *   the model has no such features
 */
export function readModel(folder: string, asked: FeatureOptions = DEFAULT_FEATURE_OPTIONS): EncoderModel {
  const record = readRecord(folder);
  const config = parseConfig(readJson(folder, MODEL_FILES.config), join(folder, MODEL_FILES.config));
  checkPlacement(folder, record.placement);
  const options = { ...asked, compute: computedBy(config, asked.compute) };
  const form = formOf(folder, config);
  const tokenizer = isTextConfig(config)
    ? TextTokenizer.read(join(folder, MODEL_FILES.tokenizer), maxTokens(config))
    : undefined;
  if (tokenizer?.digest !== record.tokenizer) {
    throw new UserError(
      `${join(folder, MODEL_FILES.tokenizer)} is not the tokenizer that the model was made with: its sha256 is ` +
        `${tokenizer?.digest ?? 'absent'}, expected ${record.tokenizer ?? 'none'}`,
    );
  }
  const outputs = encoderOutputs(record.name, config, form, options);
  const graphPath = join(folder, graphFile(outputs.map(({ output }) => output)));
  if (!existsSync(graphPath))
    throw new UserError(`${graphPath} is missing: remove ${folder} and make the model again`);
  const made = {
    version: COMPUTATION_VERSION,
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
  return parse(readJson(folder, MODEL_FILES.record), join(folder, MODEL_FILES.record), ModelRecord);
}

/**
 * A model's configuration.
 * @param origin the file that it stands in, for messages
 * @throws UserError when it describes what is not built here
 */
export function parseConfig(value: unknown, origin: string): ModelConfig {
  const type = (value as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== 'string')
    throw new UserError(
      `${origin} has no model_type, by which the architecture is known: take it from the model's repository`,
    );
  if (!MODEL_TYPES.includes(type)) {
    throw new UserError(
      `${origin}: "model_type": ${type} is not built here: expected ${MODEL_TYPES.join(', ')}; an ONNX export of it ` +
        'can be described (README, "Encoders")',
    );
  }
  return parse(value, origin, ModelConfig);
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

function formOf(folder: string, config: ModelConfig): InputForm {
  if (isTextConfig(config)) return tokenForm(config);
  if (config.model_type === 'alexnet') return melPictureForm(config);
  const path = join(folder, MODEL_FILES.preprocessor);
  const preprocessor = parse(readJson(folder, MODEL_FILES.preprocessor), path, PreprocessorConfig);
  return waveformForm(config, preprocessor.do_normalize);
}

function readJson(folder: string, name: string): unknown {
  const path = join(folder, name);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path} cannot be read (${(error as Error).message}): is ${folder} a model folder?`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not JSON (${(error as Error).message})`);
  }
}

function parse<T>(value: unknown, path: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(`${path}: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}`);
}
