import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import type { OnnxConfig } from '../encoders/onnx-config.ts';
import { findOnnxFiles } from './onnx-files.ts';
import { VOCABULARY_NAMES, type VocabularyFiles, findVocabulary } from './tokenizer-file.ts';

/** The files that a model is made from. Absolute paths. */
export interface ModelFiles {
  /** Where they came from, as it is shown and recorded: a folder, a file, or `owner/name@commit`. */
  readonly origin: string;
  /** At least one. */
  readonly weights: readonly string[];
  /** An ONNX encoder's: what its graphs, which are the weights then, are fed with. */
  readonly description?: OnnxConfig;
  /** Absent where the checkpoint itself says what it is (WavLM's original, torchvision's AlexNet). */
  readonly config?: string;
  readonly preprocessor?: string;
  readonly tokenizer?: string;
  /** Where there may be no tokenizer.json. */
  readonly vocabulary?: VocabularyFiles;
}

/** Where weights may lie, the preferred name first; an index stands for its parts. */
const WEIGHTS = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

const SHARD = /^(model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin)$/;

/**
 * The names of a repository's files that a model is made from.
 * @throws UserError when there are no weights, or no configuration
 */
export function neededFiles(names: ReadonlySet<string>, origin: string): string[] {
  const weights = WEIGHTS.find((name) => names.has(name));
  if (weights === undefined || !names.has('config.json')) throw missingFiles(origin, names);
  const parts = weights.endsWith('.index.json')
    ? [...names].filter(
        (name) => SHARD.test(name) && name.endsWith(weights.includes('safetensors') ? 'safetensors' : 'bin'),
      )
    : [];
  const tokenizer = names.has('tokenizer.json') ? ['tokenizer.json'] : VOCABULARY_NAMES;
  return ['config.json', 'preprocessor_config.json', ...tokenizer, weights, ...parts].filter((name) =>
    names.has(name),
  );
}

/**
 * Finds the files of a model in a folder, or takes a checkpoint file that needs no others.
 * @throws UserError that names what is missing
 */
export function findModelFiles(path: string, origin = path): ModelFiles {
  const place = resolve(path);
  if (!existsSync(place))
    throw new UserError(`${path} does not exist: expected a model's folder or checkpoint`);
  if (/\.(json|onnx)$/.test(place)) return { origin, ...findOnnxFiles(place) };
  if (!statSync(place).isDirectory()) return { origin, weights: [place], ...beside(place) };
  const names = new Set(readdirSync(place));
  const lone = [...names].filter((name) => /\.(pt|pth)$/.test(name));
  // An original checkpoint brings its own settings.
  if (!names.has('config.json') && lone.length === 1)
    return { origin, weights: [join(place, lone[0] as string)] };
  const needed = neededFiles(names, origin);
  const at = (name: string): string => join(place, name);
  const vocabulary = findVocabulary(place);
  const index = needed.find((name) => name.endsWith('.index.json'));
  const whole = needed.filter((name) => (WEIGHTS as readonly string[]).includes(name) && name !== index);
  return {
    origin,
    weights: index === undefined ? whole.map(at) : partsOf(place, index),
    config: at('config.json'),
    ...(names.has('preprocessor_config.json') ? { preprocessor: at('preprocessor_config.json') } : {}),
    ...(names.has('tokenizer.json') ? { tokenizer: at('tokenizer.json') } : {}),
    ...(vocabulary === undefined ? {} : { vocabulary }),
  };
}

/** A checkpoint file in a folder with a config.json belongs to it. */
function beside(file: string): Partial<ModelFiles> {
  const folder = dirname(file);
  const present = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? join(folder, name) : undefined;
  const config = present('config.json');
  if (config === undefined) return {};
  const [preprocessor, tokenizer] = [present('preprocessor_config.json'), present('tokenizer.json')];
  const vocabulary = findVocabulary(folder);
  return {
    config,
    ...(preprocessor === undefined ? {} : { preprocessor }),
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(vocabulary === undefined ? {} : { vocabulary }),
  };
}

function partsOf(folder: string, index: string): string[] {
  const path = join(folder, index);
  let parts: string[];
  try {
    const { weight_map: map } = JSON.parse(readFileSync(path, 'utf8')) as {
      weight_map: { [name: string]: string };
    };
    parts = [...new Set(Object.values(map))].sort();
  } catch (error) {
    throw new UserError(`${path} is no index of weights (${(error as Error).message})`);
  }
  const missing = parts.filter((part) => basename(part) !== part || !existsSync(join(folder, part)));
  if (missing.length > 0 || parts.length === 0)
    throw new UserError(
      `${path} names ${missing.join(', ') || 'no files'}, which ${folder} lacks: fetch the whole model`,
    );
  return parts.map((part) => join(folder, part));
}

function missingFiles(origin: string, names: ReadonlySet<string>): UserError {
  const lacks = names.has('config.json') ? `weights (${WEIGHTS.join(' or ')})` : 'config.json';
  const other = [...names].find((name) => /\.(onnx|h5|msgpack|ot|gguf)$/.test(name));
  const hint = other === undefined ? '' : `; ${other} is not read as weights`;
  const found = [...names].slice(0, 8).join(', ');
  return new UserError(`${origin} has no ${lacks}${hint}: found ${found === '' ? 'nothing' : found}`);
}
