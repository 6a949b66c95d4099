import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import {
  type Json,
  UserError,
  digestJson,
  makeFolder,
  sha256Hex,
  syncFolder,
  writeFileAtomic,
} from '@lsgmer/datasets';
import { modelBytes } from '@lsgmer/onnx/runtime';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import { CheckpointWeights } from '../checkpoint/checkpoint-weights.ts';
import { wavlmName, wavlmSettings } from '../checkpoint/wavlm-original.ts';
import { graphFile } from '../encoders/hidden-output.ts';
import { buildEncoder } from './build-encoder.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions } from './feature-options.ts';
import { linkOrCopy } from './link-file.ts';
import { type BuiltConfig, isTextConfig } from './model-config.ts';
import { writeOnnxModel } from './onnx-model.ts';
import { parseConfig, readJson } from './parse-config.ts';
import { encoderOutputs } from './model-features.ts';
import type { ModelFiles } from './model-files.ts';
import { type EncoderModel, MODEL_FILES, isModelFolder, readModel, readRecord } from './model-folder.ts';
import { ListingWeights, PlacedWeights, PlacingWeights, WEIGHTS_FILE } from './placed-weights.ts';
import { rememberedFolder, rememberFolder } from './remembered-models.ts';
import { maxTokens } from '../encoders/text-config.ts';
import { tokenizerText } from './tokenizer-file.ts';
import { TextTokenizer } from '../tokenizer/text-tokenizer.ts';

/** Raised by hand when what lies in a model folder changes: folders of another layout are not looked at. */
const LAYOUT = 2;

/** What a model is made of, read and checked, before anything is written. */
interface Parts {
  readonly config: BuiltConfig;
  readonly weights: CheckpointWeights;
  readonly checkpoint: Checkpoint;
  readonly ignored: readonly string[];
  /** Files beside the graph, by name. */
  readonly texts: { readonly [name: string]: string };
}

/**
 * Makes a model's folder from its checkpoint, or finds it made: config, tokenizer, weights (linked where the
 * checkpoint holds them as the graph needs them) and the graph that gives the wanted outputs.
 *
 * @param name of the feature
 * @param models folder in which models lie; on the file system of the checkpoint, weights are not copied
 * @throws UserError(s) when the checkpoint is not what its configuration says
 */
export async function prepareModel(
  name: string,
  files: ModelFiles,
  models: string,
  options: FeatureOptions = DEFAULT_FEATURE_OPTIONS,
): Promise<EncoderModel> {
  const identity = identityOf(name, files);
  let folder = rememberedFolder(models, identity);
  if (folder === undefined || !isModelFolder(folder)) {
    folder = await make(name, files, models);
    rememberFolder(models, identity, folder);
  }
  writeGraph(folder, options);
  return readModel(folder, options);
}

/** By path, size, time and number of each file: reading a gigabyte again to see that it is the same takes seconds. */
function identityOf(name: string, files: ModelFiles): string {
  const { vocabulary, weights, config, preprocessor, tokenizer } = files;
  const paths = [...weights, config, preprocessor, tokenizer, ...Object.values(vocabulary ?? {})];
  const stats = paths.map((path): Json => {
    if (path === undefined) return null;
    const real = realpathSync(path);
    const { size, mtimeMs, ino } = statSync(real);
    return { path: real, size, mtimeMs, ino };
  });
  return digestJson({ layout: LAYOUT, name, stats });
}

async function make(name: string, files: ModelFiles, models: string): Promise<string> {
  const parts = files.description === undefined ? await readParts(files) : undefined;
  makeFolder(models);
  const temporary = join(models, `.making-${name}-${process.pid}-${randomBytes(4).toString('hex')}`);
  mkdirSync(temporary);
  try {
    const digest =
      parts === undefined
        ? await writeOnnxModel(temporary, name, files)
        : write(temporary, name, files, parts);
    const folder = join(models, `${name}-${digest.slice(0, 12)}`);
    if (isModelFolder(folder)) return folder;
    // One that is damaged (its record is missing) makes room.
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    syncFolder(models);
    return folder;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function readParts(files: ModelFiles): Promise<Parts> {
  const checkpoint = await openCheckpoint(files.weights);
  const original = checkpoint.settings !== undefined && files.config === undefined;
  const described = original
    ? wavlmSettings(checkpoint.settings, files.weights[0] as string)
    : { config: configOf(files, checkpoint), preprocessor: undefined };
  const from = files.config ?? files.weights[0] ?? files.origin;
  const config = parseConfig(described.config, from);
  if (config.model_type === 'onnx')
    throw new UserError(`${from} describes an ONNX encoder: give the file itself`);
  const weights = new CheckpointWeights(checkpoint, config.model_type, original ? wavlmName : undefined);
  const listing = new ListingWeights();
  buildEncoder(config, listing);
  const ignored = weights.check(listing.sources);
  const texts: { [name: string]: string } = { [MODEL_FILES.config]: json(config) };
  if (isTextConfig(config)) {
    const text = tokenizerText(files, config.model_type);
    new TextTokenizer(text, maxTokens(config), files.tokenizer ?? files.vocabulary?.vocab).check(
      config.vocab_size,
    );
    texts[MODEL_FILES.tokenizer] = text;
  } else if (config.model_type !== 'alexnet') {
    texts[MODEL_FILES.preprocessor] =
      described.preprocessor === undefined ? preprocessorOf(files) : json(described.preprocessor);
  }
  return { config, weights, checkpoint, ignored, texts };
}

function configOf(files: ModelFiles, { tensors }: Checkpoint): unknown {
  if (files.config !== undefined) return readJson(files.config);
  // torchvision's AlexNet has no configuration: its tensors tell the sizes.
  const channels = [0, 3, 6, 8, 10].map((index) => tensors.get(`features.${index}.weight`)?.shape[0]);
  if (channels.every((count) => count !== undefined)) return { model_type: 'alexnet', channels };
  throw new UserError(
    `${files.origin}: there is no config.json beside it, and it is neither torchvision's AlexNet nor an original WavLM ` +
      "checkpoint: put the model's config.json into its folder",
  );
}

function preprocessorOf({ origin, preprocessor }: ModelFiles): string {
  if (preprocessor !== undefined) return readFileSync(preprocessor, 'utf8');
  throw new UserError(
    `${origin} has no preprocessor_config.json, which says whether waveforms are normalised (do_normalize): ` +
      "take it from the model's repository",
  );
}

/** @returns digest of the model, after which its folder is named */
function write(folder: string, name: string, files: ModelFiles, parts: Parts): string {
  const { config, weights, checkpoint, ignored, texts } = parts;
  const links = new Map(
    checkpoint.files.map((file, i) => [file, `checkpoint-${i}${extname(realName(file))}`] as const),
  );
  const placing = new PlacingWeights(weights, folder, (file) => links.get(file) as string);
  const graph = modelBytes(buildEncoder(config, placing));
  const sizes: { [file: string]: number } = { [WEIGHTS_FILE]: placing.close() };
  const used = new Set(Object.values(placing.tensors).map(([file]) => file));
  for (const [file, link] of links) {
    if (!used.has(link)) continue;
    linkOrCopy(realpathSync(file), join(folder, link));
    sizes[link] = statSync(file).size;
  }
  for (const [file, text] of Object.entries(texts)) writeFileAtomic(join(folder, file), text);
  writeFileAtomic(join(folder, MODEL_FILES.graph), graph);
  const tokenizer = texts[MODEL_FILES.tokenizer];
  const record = {
    format: 1,
    name,
    weights: placing.digest(),
    ...(tokenizer === undefined ? {} : { tokenizer: sha256Hex(tokenizer) }),
    source: files.origin,
    ignored,
    placement: { files: sizes, tensors: placing.tensors },
  };
  writeFileAtomic(join(folder, MODEL_FILES.record), json(record));
  return digestJson({ layout: LAYOUT, weights: record.weights, texts: { ...texts } });
}

/** Without the hub cache's links, whose names say nothing of the format. */
function realName(file: string): string {
  return basename(file);
}

/** Writes the graph that gives what the options ask for, where it is not there. */
function writeGraph(folder: string, options: FeatureOptions): void {
  const { name, config, form } = readModel(folder);
  if (config.model_type === 'onnx') return;
  const outputs = encoderOutputs(name, config, form, options);
  const path = join(folder, graphFile(outputs.map(({ output }) => output)));
  if (existsSync(path)) return;
  const { placement } = readRecord(folder);
  if (placement === undefined)
    throw new UserError(`${folder} cannot give other layers: remove it and make it again`);
  const hidden = outputs.flatMap((output) => output.hidden ?? []);
  writeFileAtomic(path, modelBytes(buildEncoder(config, new PlacedWeights(folder, placement), hidden)));
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
