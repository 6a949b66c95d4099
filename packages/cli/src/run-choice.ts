import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, readManifest, UserError, UserErrors } from '@lsgmer/datasets';
import {
  type Catalogue,
  groupRuns,
  type MissingRule,
  outdatedRuns,
  readCatalogue,
  type RunGroup,
  type SelectionRule,
  selectGroups,
  type TaskFacts,
  taskFacts,
  withFolds,
} from '@lsgmer/train';
import type { CommonOptions, Context } from './context.ts';
import { rememberLocally } from './settings.ts';

/** Options of every command that reads finished runs. */
export interface RunChoiceOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  fold?: string | undefined;
}

export const DATASET_OPTION = { type: 'string', describe: 'name of the dataset' } as const;
export const TASK_OPTION = { type: 'string', describe: 'task (default: the only one with runs)' } as const;
export const FOLD_OPTION = { type: 'string', describe: 'only these folds, ids with commas' } as const;
export const SELECT_OPTION = {
  choices: ['last', 'dev', 'oracle-test'] as const,
  default: 'last' as SelectionRule,
  describe: 'epoch that counts; oracle-test is the best on the test part itself, and flatters',
};
export const MISSING_OPTION = {
  choices: ['error', 'mask', 'wrong', 'drop'] as const,
  default: 'error' as MissingRule,
  describe: 'test utterances without features',
};

/** Runs of one dataset and task, as rows of a table. */
export interface RunChoice {
  readonly dataset: string;
  readonly task: string;
  readonly groups: readonly RunGroup[];
  readonly damaged: Catalogue['damaged'];
  /** Null without a manifest in the stores. */
  readonly facts: TaskFacts | null;
}

/**
 * The runs that a command is about. @throws UserError with the choices where dataset or task are not clear, and where
 * there is no run.
 */
export function chooseRuns(context: Context, options: RunChoiceOptions): RunChoice {
  const { entries, damaged } = readCatalogue(context.runs, { dataset: options.dataset, task: options.task });
  if (entries.length === 0) {
    requireUndamaged(damaged);
    const of = [options.dataset, options.task].filter((one) => one !== undefined).join(' ');
    throw new UserError(
      `no runs${of === '' ? '' : ` of ${of}`} in ${context.runs}: train first, or name their folder with --runs`,
    );
  }
  const datasets = [...new Set(entries.map((entry) => entry.identity.dataset))];
  const { lastDataset } = context.local;
  const last = lastDataset !== undefined && datasets.includes(lastDataset) ? lastDataset : undefined;
  const dataset = options.dataset ?? (datasets.length === 1 ? datasets[0] : last);
  if (dataset === undefined)
    throw new UserError(`runs of which dataset? Name it with --dataset: ${datasets.join(', ')}`);
  if (options.dataset !== undefined) rememberLocally(context.folder, { lastDataset: dataset });
  const ofDataset = entries.filter((entry) => entry.identity.dataset === dataset);
  const tasks = [...new Set(ofDataset.map((entry) => entry.identity.task))];
  const task = options.task ?? (tasks.length === 1 ? tasks[0] : undefined);
  if (task === undefined)
    throw new UserError(`${dataset} has runs of several tasks: name one with --task: ${tasks.join(', ')}`);
  const manifest = manifestOf(context, dataset);
  const groups = groupRuns(ofDataset.filter((entry) => entry.identity.task === task)).map((group) =>
    manifest === null ? group : { ...group, outdated: outdatedRuns(manifest, group) },
  );
  const folds = options.fold?.split(',').map((one) => one.trim());
  return {
    dataset,
    task,
    groups: folds === undefined ? groups : groups.map((group) => withFolds(group, folds)),
    damaged,
    facts: manifest === null ? null : taskFacts(manifest, task),
  };
}

/** Where nothing but damaged runs is found. @throws UserErrors with each folder's problem, if there is one */
export function requireUndamaged(damaged: Catalogue['damaged']): void {
  if (damaged.length > 0) throw new UserErrors(damaged.map(({ problem }) => problem));
}

function manifestOf(context: Context, dataset: string): Manifest | null {
  const stored = context.stores.some((store) => existsSync(join(store, dataset, 'manifest.json')));
  return stored ? readManifest(context.stores, dataset) : null;
}

/** Rows by name, in the order given, each once; all of them without a name. */
export function rowsNamed(groups: readonly RunGroup[], names: readonly string[]): RunGroup[] {
  if (names.length === 0) return [...groups];
  return [...new Set(names.flatMap((name) => selectGroups(groups, name)))];
}
