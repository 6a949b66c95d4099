import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import {
  type AnalysisAbout,
  type AnalysisRow,
  decodeAnalysis,
  decodeLabelHistory,
  type GroupScores,
  type LabelTable,
  type RunEntry,
} from '@lsgmer/train';

/** What a run left of its inner values. */
export interface RunAnalysis {
  readonly run: RunEntry;
  /** `rule` is the epoch that the inner values are from. */
  readonly about: AnalysisAbout;
  readonly rows: readonly AnalysisRow[];
}

/** analysis.arrow of a run; undefined where it left none (train --no-analysis). @throws UserError for a damaged file */
export function readAnalysis(run: RunEntry): RunAnalysis | undefined {
  const bytes = readIfThere(join(run.path, 'analysis.arrow'));
  if (bytes === undefined) return undefined;
  const { about, rows } = decoded(join(run.path, 'analysis.arrow'), () => decodeAnalysis(bytes));
  return { run, about, rows };
}

/** labels.arrow of a run; undefined where it left none. @throws UserError for a damaged file */
export function readLabels(run: RunEntry): readonly LabelTable[] | undefined {
  const bytes = readIfThere(join(run.path, 'labels.arrow'));
  if (bytes === undefined) return undefined;
  return decoded(join(run.path, 'labels.arrow'), () => decodeLabelHistory(bytes)).tables;
}

/** Finished runs of a group's first complete seed, fold by fold: those whose inner values figures and explorer show. */
export function referenceRuns({ group, complete }: GroupScores): RunEntry[] {
  const seed = complete[0] ?? group.seeds[0];
  return group.runs.filter((run) => run.status === 'finished' && run.identity.seed === seed);
}

function readIfThere(path: string): Uint8Array | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

function decoded<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}; delete the run's folder and train it again`);
  }
}
