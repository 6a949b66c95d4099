import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import {
  type EngineFactory,
  eagerEngine,
  onnxEngine,
  openTrained,
  readCatalogue,
  readRunEntry,
  type RunEntry,
  type SelectionRule,
  type TrainedHead,
} from '@lsgmer/train';
import type { CommonOptions, Context } from './context.ts';
import { useTfjsBackend } from './engine-choice.ts';
import { findHead } from './head-choice.ts';
import { requireUndamaged } from './run-choice.ts';

/** Options of the commands that use a trained head. */
export interface TrainedOptions extends CommonOptions {
  run: string;
  select: SelectionRule;
  head?: string | undefined;
}

export const RUN_POSITIONAL = {
  type: 'string',
  demandOption: true,
  describe: 'a finished run: first digits of its id, or its folder',
} as const;
export const RULE_OPTION = {
  choices: ['last', 'dev', 'oracle-test'] as const,
  default: 'last' as SelectionRule,
  describe: 'whose epoch: oracle-test is the best on the test part itself, and flatters',
};
export const HEAD_FILE_OPTION = {
  type: 'string',
  describe: 'where the file of its head lies now, if it is one of your own and has moved',
} as const;

/** @throws UserError where no run or several are meant */
export function findRun(context: Context, name: string): RunEntry {
  if (/[/\\]/.test(name) || existsSync(join(context.folder, name, 'config.json')))
    return readRunEntry(isAbsolute(name) ? name : resolve(context.folder, name));
  const { entries, damaged } = readCatalogue(context.runs);
  const found = entries.filter((entry) => entry.id.startsWith(name));
  if (found.length === 0) requireUndamaged(damaged.filter(({ path }) => basename(path).startsWith(name)));
  if (found.length === 1) return found[0] as RunEntry;
  if (entries.length === 0)
    throw new UserError(`no runs in ${context.runs}: train first, or name their folder with --runs`);
  const what = found.length === 0 ? 'no run' : `${found.length} runs`;
  throw new UserError(
    `${what} ${found.length === 0 ? '' : 'begin with '}'${name}' in ${context.runs}: lsgmer runs list --each shows their ids`,
  );
}

/** Opens the trained head that is named. @throws UserError with what is wrong */
export async function chooseTrained(context: Context, options: TrainedOptions): Promise<TrainedHead> {
  const run = findRun(context, options.run);
  const { head, headSource } = run.identity;
  const name = headSource === undefined ? head : (options.head ?? run.headFile ?? head);
  if (headSource !== undefined && !existsSync(resolve(context.folder, name)))
    throw new UserError(
      `run ${run.id} has a head of its own, and ${name} is not there any more: give its file with --head`,
    );
  return openTrained(run, await findHead(name, context.folder), options.select);
}

/** The kind of engine that the run was trained with, so that it computes the same bits. */
export async function engineOfRun(
  context: Context,
  { identity }: RunEntry,
  threads?: number,
): Promise<EngineFactory> {
  if (identity.engine === 'tfjs') {
    await useTfjsBackend(context.reporter);
    return eagerEngine();
  }
  const device = (['cpu', 'cuda', 'webgpu'] as const).find((one) => one === identity.device) ?? 'cpu';
  return onnxEngine({ device, ...(threads === undefined ? {} : { threads }) });
}
