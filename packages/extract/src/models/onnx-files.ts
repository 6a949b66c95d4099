import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { ModelFile } from '@lsgmer/onnx/runtime';
import { OnnxConfig } from '../encoders/onnx-config.ts';
import { speechField } from '../encoders/speech-config.ts';
import { maxTokens } from '../encoders/text-config.ts';
import { type ModelConfig, isSpeechConfig, isTextConfig } from './model-config.ts';
import { type VocabularyFiles, findVocabulary } from './tokenizer-file.ts';
import { parseConfig, parsePreprocessor } from './parse-config.ts';

/** Absolute paths. */
export interface OnnxFiles {
  /** The graphs and what lies beside them. */
  readonly weights: readonly string[];
  readonly description: OnnxConfig;
  readonly tokenizer?: string;
  readonly vocabulary?: VocabularyFiles;
}

/**
 * The files of an ONNX encoder: a description and the graphs that it names, or one graph that Hugging Face's tools
 * exported, whose config.json lies beside it or one folder up.
 * @throws UserError when a file is missing, or describes what cannot be run
 */
export function findOnnxFiles(path: string): OnnxFiles {
  const description = path.endsWith('.json') ? readDescription(path) : describeExport(path);
  const folder = dirname(path);
  const graphs = description.models.map(({ file }) => join(folder, file));
  const weights = [...new Set(graphs)].flatMap((graph) => [graph, ...besideGraph(graph)]);
  const tokenizer = description.input.kind === 'tokens' ? nearby(folder, 'tokenizer.json') : undefined;
  if (description.input.kind !== 'tokens' || tokenizer !== undefined)
    return { weights, description, ...(tokenizer === undefined ? {} : { tokenizer }) };
  const vocabulary = findVocabulary(folder) ?? findVocabulary(dirname(folder));
  if (vocabulary === undefined)
    throw new UserError(`${folder} has no tokenizer.json, which a text encoder needs`);
  return { weights, description, vocabulary };
}

function readDescription(path: string): OnnxConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path} is not JSON (${(error as Error).message})`);
  }
  const type = (value as { model_type?: unknown } | null)?.model_type;
  if (type !== 'onnx') {
    throw new UserError(
      `${path}: "model_type" is ${JSON.stringify(type ?? null)}: the description of an ONNX encoder says "onnx"; of a model with weights give the folder`,
    );
  }
  const parsed = OnnxConfig.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${path}: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}`);
  }
  const config = parsed.data;
  if (config.input.kind !== 'tokens' && config.framesPerSecond === undefined)
    throw new UserError(`${path}: "framesPerSecond": missing: when the frames of sound are must be known`);
  return config;
}

/** The files of a graph's weights; they must lie beside it. */
function besideGraph(graph: string): string[] {
  if (!existsSync(graph)) throw new UserError(`${graph} does not exist: the description names it`);
  return read(graph)
    .externalFiles()
    .map((file) => {
      const path = join(dirname(graph), file);
      if (basename(file) === file && existsSync(path)) return path;
      throw new UserError(
        `${path}, in which weights of ${graph} lie, is missing: it belongs beside the graph`,
      );
    });
}

function read(graph: string): ModelFile {
  try {
    return ModelFile.read(graph);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}

/** What the inputs of an export are fed with, by their names. */
const SOURCES: Readonly<Record<string, string>> = {
  input_ids: 'input',
  input_values: 'input',
  attention_mask: 'mask',
  token_type_ids: 'zeros',
};

function describeExport(path: string): OnnxConfig {
  const configPath = nearby(dirname(path), 'config.json');
  if (configPath === undefined) {
    throw new UserError(
      `${path}: no config.json lies beside it or one folder up, so what it is fed with is not known: describe it (docs/features.md, "ONNX encoders")`,
    );
  }
  const config = parseConfig(JSON.parse(readFileSync(configPath, 'utf8')), configPath);
  const model = read(path);
  const unknown = model.inputs.map(({ name }) => name).filter((name) => !(name in SOURCES));
  if (unknown.length > 0)
    throw new UserError(
      `${path} has the input ${unknown.join(', ')}, of which nothing is known: describe the graph`,
    );
  const inputs = Object.fromEntries(model.inputs.map(({ name }) => [name, SOURCES[name] as string]));
  return {
    model_type: 'onnx',
    models: [{ file: basename(path), inputs }],
    output: 'last_hidden_state',
    layout: 'steps',
    ...sizesOf(config, path),
  };
}

function sizesOf(
  config: ModelConfig,
  path: string,
): Pick<OnnxConfig, 'input' | 'dim' | 'framesPerSecond' | 'firstSeconds'> {
  if (isTextConfig(config))
    return { input: { kind: 'tokens', maxTokens: maxTokens(config) }, dim: config.hidden_size };
  if (!isSpeechConfig(config))
    throw new UserError(`${path}: an ${config.model_type} in ONNX has to be described`);
  const { field, stride } = speechField(config);
  const preprocessor = nearby(dirname(path), 'preprocessor_config.json');
  if (preprocessor === undefined)
    throw new UserError(
      `${path}: no preprocessor_config.json lies beside it or one folder up (do_normalize)`,
    );
  const { do_normalize: normalise, sampling_rate: rate } = parsePreprocessor(preprocessor);
  return {
    input: { kind: 'waveform', rate, normalise, least: field },
    dim: config.hidden_size,
    framesPerSecond: rate / stride,
    firstSeconds: field / 2 / rate,
  };
}

function nearby(folder: string, name: string): string | undefined {
  return [join(folder, name), join(dirname(folder), name)].find((path) => existsSync(path));
}
