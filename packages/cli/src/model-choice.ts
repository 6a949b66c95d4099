import { homedir } from 'node:os';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import {
  COMPUTE_DTYPES,
  DEFAULT_FEATURE_OPTIONS,
  type FeatureOptions,
  type ModelPlaces,
  type ModelRequest,
  POOLS,
  type Pool,
  type TinyName,
  parseModelRequest,
  presetModels,
} from '@lsgmer/extract';

/** Options of the commands that run encoders, as yargs takes them. */
export const MODEL_OPTIONS = {
  preset: { type: 'string', describe: 'which encoders: paper (unless models are named) or tiny' },
  model: {
    type: 'string',
    array: true,
    describe:
      'an encoder, [NAME=]SOURCE: a folder, a checkpoint, or owner/name[@revision] on the hub (repeatable)',
  },
  layers: {
    type: 'string',
    array: true,
    describe: '[NAME=]last, a number, a list or a range (0-24): one feature set a layer from one pass',
  },
  'final-norm': {
    type: 'string',
    array: true,
    describe: "[NAME=]on or off: the encoder's closing layer norm (default: on the last layer only)",
  },
  'special-tokens': {
    type: 'string',
    array: true,
    describe: '[NAME=]kept or dropped: the steps of <s> and </s>',
  },
  pool: {
    type: 'string',
    array: true,
    describe: '[NAME=]none, mean or mean-std over time: one step an utterance',
  },
  stride: { type: 'string', array: true, describe: '[NAME=]frames that are averaged to one' },
  dtype: {
    type: 'string',
    array: true,
    describe:
      '[NAME=]fp32, fp16 (for GPUs) or int8 (CPU, three times as fast): in what it computes; fewer bits are compared with fp32 first',
  },
  offline: { type: 'boolean', default: false, describe: 'make no network call' },
} as const;

/** What yargs makes of them. */
export interface ModelOptions {
  preset?: string | undefined;
  model?: string[] | undefined;
  layers?: string[] | undefined;
  'final-norm'?: string[] | undefined;
  'special-tokens'?: string[] | undefined;
  pool?: string[] | undefined;
  stride?: string[] | undefined;
  dtype?: string[] | undefined;
  offline?: boolean | undefined;
}

/** The models that are asked for, and what is made of each. @throws UserError for what cannot be meant */
export function chooseModels(options: ModelOptions): {
  models: readonly (ModelRequest | TinyName)[];
  features: Map<string, FeatureOptions>;
} {
  const named = (options.model ?? []).map(parseModelRequest);
  const preset = options.preset ?? (named.length === 0 ? 'paper' : undefined);
  const models = [...(preset === undefined ? [] : presetModels(preset)), ...named];
  const names = models.map((model) => (typeof model === 'string' ? model : model.name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UserError(`two models are named ${twice}: write --model ANOTHER-NAME=...`);
  const features = new Map(names.map((name) => [name, DEFAULT_FEATURE_OPTIONS]));
  const set = (
    option: string,
    values: string[] | undefined,
    read: (value: string) => Partial<FeatureOptions>,
  ): void => {
    for (const text of values ?? []) {
      const [, only, value] = /^(?:([^=]+)=)?(.+)$/.exec(text) ?? [];
      if (only !== undefined && !features.has(only))
        throw new UserError(`--${option} ${text}: no model is named ${only}; there are ${names.join(', ')}`);
      for (const name of only === undefined ? names : [only])
        features.set(name, { ...(features.get(name) as FeatureOptions), ...read(value ?? '') });
    }
  };
  set('layers', options.layers, (value) => ({ layers: parseLayers(value) }));
  set('final-norm', options['final-norm'], (value) => ({
    finalNorm: one('final-norm', value, ['on', 'off'] as const) === 'on',
  }));
  set('special-tokens', options['special-tokens'], (value) => ({
    specialTokens: one('special-tokens', value, ['kept', 'dropped'] as const),
  }));
  set('pool', options.pool, (value): { pool: Pool } => ({ pool: one('pool', value, POOLS) }));
  set('stride', options.stride, (value) => ({ stride: parseStride(value) }));
  set('dtype', options.dtype, (value) => ({ compute: one('dtype', value, COMPUTE_DTYPES) }));
  return { models, features };
}

function one<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new UserError(`--${option} ${value}: expected ${choices.join(' or ')}`);
  return found;
}

/** `last`, `12`, `3,6,9`, `0-24`. */
function parseLayers(text: string): 'last' | number[] {
  if (text === 'last') return 'last';
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim()) ?? [];
    const from = Number(first);
    const to = Number(last ?? first);
    if (first === undefined || to < from)
      throw new UserError(
        `--layers ${text}: expected last, a number, a list such as 3,6,9 or a range such as 0-24`,
      );
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

function parseStride(text: string): number {
  const stride = Number(text);
  if (!/^\d+$/.test(text) || stride < 1 || stride > 100)
    throw new UserError(`--stride ${text}: expected a number of frames from 1 to 100, such as 2 or 4`);
  return stride;
}

/**
 * Where weights are: the variables of Hugging Face's tools and of torch, so that caches are shared.
 * Models made from checkpoints lie beside the hub's cache, where a link is no copy; LSGMER_MODELS moves them.
 */
export function modelPlaces(environment: NodeJS.ProcessEnv, offline: boolean): ModelPlaces {
  const set = (name: string): string | undefined => {
    const value = environment[name];
    return value === undefined || value === '' ? undefined : resolve(value);
  };
  const caches = set('XDG_CACHE_HOME') ?? join(homedir(), '.cache');
  const home = set('HF_HOME') ?? join(caches, 'huggingface');
  const token = environment['HF_TOKEN'] ?? savedToken(set('HF_TOKEN_PATH') ?? join(home, 'token'));
  return {
    cache: set('HF_HUB_CACHE') ?? set('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    endpoint: (environment['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, ''),
    ...(token === undefined || token === '' ? {} : { token }),
    offline:
      offline || ['1', 'true', 'yes', 'on'].includes((environment['HF_HUB_OFFLINE'] ?? '').toLowerCase()),
    models: set('LSGMER_MODELS') ?? join(home, 'lsgmer-models'),
    torchCache: join(set('TORCH_HOME') ?? join(caches, 'torch'), 'hub', 'checkpoints'),
  };
}

/** As `hf auth login` keeps it. */
function savedToken(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
