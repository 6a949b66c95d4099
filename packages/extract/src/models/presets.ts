import { join, resolve } from 'node:path';
import { type Reporter, UserError, UserErrors } from '@lsgmer/datasets';
import { type HubAccess, fetchHubModel } from '../hub/hub-model.ts';
import { fetchCheckpoint } from '../hub/url-checkpoint.ts';
import { DEFAULT_FEATURE_OPTIONS, type FeatureOptions } from './feature-options.ts';
import { type ModelFiles, findModelFiles } from './model-files.ts';
import type { EncoderModel } from './model-folder.ts';
import { writeLogMel } from './log-mel-model.ts';
import { LOG_MEL, type ModelRequest, PAPER_MODELS } from './model-request.ts';
import { prepareModel } from './prepare-model.ts';
import { TINY_NAMES, type TinyName, makeTinyModel } from './tiny.ts';

/** Names of the feature presets (`FEATURES=`), and the features that each consists of. */
export const FEATURE_PRESETS = {
  tiny: TINY_NAMES,
  paper: PAPER_MODELS.map(({ name }) => name),
} as const;
export type FeaturePreset = keyof typeof FEATURE_PRESETS;

/** Where weights are looked for, and where models are made. */
export interface ModelPlaces extends HubAccess {
  /** Models made from checkpoints, for all datasets: best on the file system of the hub's cache. */
  readonly models: string;
  /** TORCH_HOME/hub/checkpoints. */
  readonly torchCache: string;
}

export interface PrepareOptions {
  readonly places: ModelPlaces;
  /** Folder of the dataset's random tiny models. */
  readonly tinyModels: string;
  /** All texts of the corpus, from which the tiny tokenizer is built. */
  readonly texts: readonly string[];
  /** By the model's name; the plain last layer where there is nothing. */
  readonly options?: ReadonlyMap<string, FeatureOptions>;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal;
}

/** The models of a preset. @throws UserError for another name */
export function presetModels(name: string): readonly (ModelRequest | TinyName)[] {
  if (name === 'tiny') return TINY_NAMES;
  if (name === 'paper') return PAPER_MODELS;
  throw new UserError(
    `unknown feature preset "${name}": expected ${Object.keys(FEATURE_PRESETS).join(' or ')}`,
  );
}

/**
 * Gets models ready: fetches what is not there, and turns checkpoints into graphs where that was not done before.
 * @throws UserErrors with one line for each model that cannot be had
 */
export async function prepareModels(
  wanted: readonly (ModelRequest | TinyName)[],
  prepare: PrepareOptions,
): Promise<EncoderModel[]> {
  const { tinyModels, texts, options, places } = prepare;
  const models: EncoderModel[] = [];
  const problems: string[] = [];
  for (const one of wanted) {
    const name = typeof one === 'string' ? one : one.name;
    const chosen = options?.get(name) ?? DEFAULT_FEATURE_OPTIONS;
    try {
      models.push(
        typeof one === 'string'
          ? makeTinyModel(one, tinyModels, texts, chosen)
          : await prepareModel(name, await findFiles(one, prepare), places.models, chosen),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const lines = error instanceof UserErrors ? error.problems : [error.message];
      problems.push(...lines.map((line) => (line.startsWith(`${name}: `) ? line : `${name}: ${line}`)));
    }
  }
  if (problems.length > 0) {
    // Somebody who has no weights yet, not one whose checkpoint is refused, wants to know what works without.
    const paper = wanted.some((one) => typeof one !== 'string' && PAPER_MODELS.includes(one));
    throw new UserErrors(
      paper
        ? [
            ...problems,
            'FEATURES=tiny (--preset tiny) tries the whole pipeline without weights, with random encoders',
          ]
        : problems,
    );
  }
  return models;
}

async function findFiles(
  { source }: ModelRequest,
  { places, reporter, signal }: PrepareOptions,
): Promise<ModelFiles> {
  // As it is recorded beside the features: from any folder.
  if (source.kind === 'path') return findModelFiles(source.path, resolve(source.path));
  if (source.kind === 'log-mel') return findModelFiles(writeLogMel(places.models), LOG_MEL);
  if (source.kind === 'url')
    return findModelFiles(
      await fetchCheckpoint(source.url, places.torchCache, places.offline, reporter, signal),
      source.url,
    );
  const { folder, commit } = await fetchHubModel(source, places, reporter, signal);
  return findModelFiles(folder, `${source.name}@${commit}`);
}

/** Where a dataset's random tiny models lie. */
export function tinyModelsFolder(store: string, dataset: string): string {
  return join(store, dataset, 'models');
}
