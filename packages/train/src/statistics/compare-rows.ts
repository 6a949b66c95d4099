import { UserError, UserErrors } from '@lsgmer/datasets';
import type { GroupScores } from '../catalogue/group-scores.ts';
import {
  type ComparedSeries,
  compareSeries,
  type ComparisonOptions,
  type SeriesComparison,
  type SeriesRow,
} from './comparison.ts';

/** A row of runs, compared. */
export interface ComparedRow extends ComparedSeries {
  readonly scores: GroupScores;
}
export type Comparison = SeriesComparison<ComparedRow>;

/**
 * Compares rows of finished runs with the first of them (see `compareSeries`).
 * @throws UserErrors where rows cannot be compared: other classes, folds or truth, no complete or no common seed, runs
 *   that must not be averaged
 */
export function compareRows(rows: readonly GroupScores[], options: ComparisonOptions): Comparison {
  requireAlike(rows);
  const { rows: compared, ...rest } = compareSeries(rows.map(seriesRow), options);
  return { ...rest, rows: compared.map((row, i) => ({ ...row, scores: rows[i] as GroupScores })) };
}

function seriesRow({ group, complete, seeds }: GroupScores): SeriesRow {
  return {
    label: group.label,
    classes: group.classes.length,
    folds: group.folds,
    seeds: complete,
    predictions: (seed, fold) => {
      const cell = seeds.find((one) => one.seed === seed)?.folds.find((one) => one.fold === fold);
      if (cell === undefined) throw new Error(`${group.label}: no cell of seed ${seed}, fold ${fold}`);
      return cell.predictions;
    },
  };
}

function requireAlike(rows: readonly GroupScores[]): void {
  const first = rows[0];
  if (first === undefined) throw new UserError('nothing to compare');
  const problems: string[] = [];
  for (const row of rows) {
    const { group } = row;
    const differs = (what: string, of: (one: GroupScores) => string): void => {
      if (of(row) !== of(first))
        problems.push(`${group.label}: ${what} ${of(row)}, but ${first.group.label} has ${of(first)}`);
    };
    differs('dataset and task', (one) => `${one.group.dataset} ${one.group.task}`);
    differs('classes', (one) => one.group.classes.join(', '));
    differs('folds', (one) => one.group.folds.join(', '));
    differs('the epoch taken is', (one) => one.select);
    for (const why of group.mixed) problems.push(`${group.label}: its runs must not be averaged: ${why}`);
    if (row.complete.length === 0) problems.push(lackingText(row));
    else if (!row.complete.some((seed) => first.complete.includes(seed)) && first.complete.length > 0)
      problems.push(
        `${group.label} has seeds ${row.complete.join(', ')}, ${first.group.label} has ${first.complete.join(', ')}: none in common to pair by`,
      );
  }
  if (problems.length > 0) throw new UserErrors(problems);
}

function lackingText({ group, seeds }: GroupScores): string {
  const list = seeds.map(
    ({ seed, lacking }) =>
      `seed ${seed} lacks ${lacking.map(({ fold, reason }) => `${fold} (${reason})`).join(', ')}`,
  );
  return `${group.label}: no seed has every fold: ${list.join('; ')}; train them, or compare on fewer folds with --fold`;
}
