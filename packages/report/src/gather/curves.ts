import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { type EpochRecord, parseEpochs } from '@lsgmer/train';
import type { ReportData } from './report-data.ts';

/** Epoch records of a group's finished runs. */
export interface GroupCurves {
  readonly label: string;
  readonly folds: readonly string[];
  readonly runs: readonly {
    readonly seed: number;
    readonly fold: string;
    readonly epochs: readonly EpochRecord[];
  }[];
}

/** Reads metrics.jsonl of all finished runs that may be averaged; records of another format are left out, with a line each. */
export function readCurves(data: ReportData): { readonly groups: GroupCurves[]; readonly left: string[] } {
  const left: string[] = [];
  const groups = data.groups.map(({ group }): GroupCurves => {
    if (group.mixed.length > 0) return { label: group.label, folds: group.folds, runs: [] };
    const runs = group.runs.flatMap((run) => {
      const file = join(run.path, 'metrics.jsonl');
      if (run.status !== 'finished' || !existsSync(file)) return [];
      try {
        const epochs = parseEpochs(readFileSync(file, 'utf8'), file);
        return [{ seed: run.identity.seed, fold: run.identity.fold, epochs }];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        left.push(`${group.label}, run ${run.id}: metrics.jsonl is of another format: no curves of it`);
        return [];
      }
    });
    return { label: group.label, folds: group.folds, runs };
  });
  return { groups: groups.filter((group) => group.runs.length > 0), left };
}
