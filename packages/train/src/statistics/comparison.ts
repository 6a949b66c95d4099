import { UserError, UserErrors } from '@lsgmer/datasets';
import type { CellScores, GroupScores } from '../catalogue/group-scores.ts';
import { type MetricKey, metricKeys } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import { type Aggregate, aggregates, bootstrap, drawnFrom, DRAWS, type Draws } from './bootstrap.ts';
import { type ClusteredFold, clusterFold, countByUnit, type Unit } from './clusters.ts';
import { type Estimate, estimate } from './estimate.ts';
import { holm } from './holm.ts';
import { type McNemar, mcnemar } from './mcnemar.ts';
import { scorePlace } from './scores-of-counts.ts';

/** An estimate for each score and for both ways to sum folds up. */
export type Estimates<T = Estimate> = {
  readonly [aggregate in Aggregate]: { readonly [score in MetricKey]: T };
};

/** The difference of a row to the first one, with Holm's correction over the rows of the table. */
export interface Difference extends Estimate {
  readonly holm: number;
}

export interface ComparedRow {
  readonly scores: GroupScores;
  readonly label: string;
  /** Seeds that have every fold. */
  readonly seeds: readonly number[];
  /** The row by itself. */
  readonly levels: Estimates;
  /** Row less first row, over the seeds that both have; null for the first row. */
  readonly difference: {
    readonly seeds: readonly number[];
    readonly estimates: Estimates<Difference>;
    readonly mcnemar: readonly (McNemar & { readonly seed: number })[];
  } | null;
}

/** A table of rows against its first one. */
export interface Comparison {
  readonly unit: Unit;
  readonly draws: number;
  readonly folds: readonly { readonly fold: string; readonly units: number; readonly utterances: number }[];
  readonly units: number;
  /** Utterances that every row has; those of single rows only are left out, and counted. */
  readonly utterances: number;
  readonly leftOut: number;
  /** Utterances without a dialogue, each a unit by itself (unit `dialogue` only). */
  readonly alone: number;
  readonly rows: readonly ComparedRow[];
}

export interface ComparisonOptions {
  /** The dialogue of an utterance; null where it is in none. */
  readonly dialogueOf: (id: string) => string | null;
  /** `utterance`: the bootstrap over utterances, which is too narrow where those of a dialogue go together. */
  readonly unit?: Unit;
  readonly draws?: number;
  /** Of the draws. */
  readonly seed?: number;
}

/**
 * Compares rows with the first of them: paired by seed and fold, with units drawn within each test fold, the same for
 * all rows. Seeds are never pooled as if they were independent samples: each draw gives one difference a seed.
 * @throws UserErrors where rows cannot be compared: other classes, folds or truth, no complete or no common seed, runs
 *   that must not be averaged
 */
export function compareRows(rows: readonly GroupScores[], options: ComparisonOptions): Comparison {
  const { unit = 'dialogue', draws = DRAWS, seed = 1 } = options;
  requireAlike(rows);
  const first = rows[0] as GroupScores;
  const { classes, folds: foldIds } = first.group;
  const lacksDialogue = (id: string): boolean => options.dialogueOf(id) === null;
  const common = foldIds.map((fold) => commonTruth(fold, rows));
  const folds = foldIds.map((fold, f) =>
    clusterFold(fold, common[f]?.truth ?? [], unit === 'dialogue' ? options.dialogueOf : () => null),
  );
  const series = rows.flatMap((row) => row.complete.map((s) => ({ row, seed: s })));
  const counts = series.map(({ row, seed: s }) =>
    folds.map((fold) =>
      countByUnit(
        fold,
        cellOf(row, s, fold.fold).predictions,
        classes.length,
        `${row.group.label}, seed ${s}`,
      ),
    ),
  );
  const drawn = bootstrap(folds, counts, classes.length, { draws, seed });
  const units = folds.reduce((sum, fold) => sum + fold.units, 0);
  const place = (row: GroupScores, s: number): number =>
    series.findIndex((one) => one.row === row && one.seed === s);
  const table = { drawn, place, unitsDf: Math.max(1, units - folds.length) };
  const compared = rows.map((row): ComparedRow => ({
    scores: row,
    label: row.group.label,
    seeds: row.complete,
    levels: each((aggregate, score) => level(table, row, aggregate, score)),
    difference: row === first ? null : differences(table, folds, row, first),
  }));
  return {
    unit,
    draws,
    folds: folds.map(({ fold, units: n, ids }) => ({ fold, units: n, utterances: ids.length })),
    units,
    utterances: folds.reduce((sum, fold) => sum + fold.ids.length, 0),
    leftOut: common.reduce((sum, one) => sum + one.leftOut, 0),
    alone: unit === 'dialogue' ? folds.flatMap((fold) => fold.ids).filter(lacksDialogue).length : 0,
    rows: corrected(compared),
  };
}

interface Table {
  readonly drawn: Draws;
  readonly place: (row: GroupScores, seed: number) => number;
  readonly unitsDf: number;
}

function each<T>(of: (aggregate: Aggregate, score: MetricKey) => T): Estimates<T> {
  const scores = (aggregate: Aggregate): { [score in MetricKey]: T } =>
    Object.fromEntries(metricKeys.map((score) => [score, of(aggregate, score)])) as {
      [score in MetricKey]: T;
    };
  return Object.fromEntries(aggregates.map((one) => [one, scores(one)])) as unknown as Estimates<T>;
}

function valuesOf(
  { drawn, place }: Table,
  row: GroupScores,
  seed: number,
  aggregate: Aggregate,
  score: MetricKey,
) {
  const s = place(row, seed);
  const from = drawnFrom(drawn.draws, s, aggregate, scorePlace[score]);
  return {
    observed: drawn.observed[drawnFrom(1, s, aggregate, scorePlace[score])] as number,
    drawn: drawn.drawn.subarray(from, from + drawn.draws),
  };
}

function level(table: Table, row: GroupScores, aggregate: Aggregate, score: MetricKey): Estimate {
  const values = row.complete.map((seed) => valuesOf(table, row, seed, aggregate, score));
  return estimate(
    values.map((one) => one.observed),
    values.map((one) => one.drawn),
    table.unitsDf,
  );
}

function differences(
  table: Table,
  folds: readonly ClusteredFold[],
  row: GroupScores,
  first: GroupScores,
): NonNullable<ComparedRow['difference']> {
  const seeds = row.complete.filter((seed) => first.complete.includes(seed));
  const estimates = each((aggregate, score): Difference => {
    const pairs = seeds.map((seed) => {
      const a = valuesOf(table, row, seed, aggregate, score);
      const b = valuesOf(table, first, seed, aggregate, score);
      return {
        observed: a.observed - b.observed,
        drawn: a.drawn.map((x, i) => x - (b.drawn[i] as number)),
      };
    });
    const found = estimate(
      pairs.map((one) => one.observed),
      pairs.map((one) => one.drawn),
      table.unitsDf,
    );
    return { ...found, holm: NaN };
  });
  const ids = folds.flatMap((fold) => fold.ids);
  const bySeed = seeds.map((seed) => ({
    seed,
    ...mcnemar(ids, predictionsById(row, seed, folds), predictionsById(first, seed, folds)),
  }));
  return { seeds, estimates, mcnemar: bySeed };
}

/** Holm's family: all rows against the first, for each score and way to sum up. */
function corrected(rows: readonly ComparedRow[]): ComparedRow[] {
  const adjusted = each((aggregate, score) =>
    holm(rows.map((row) => row.difference?.estimates[aggregate][score].p ?? NaN)),
  );
  return rows.map((row, i) => {
    if (row.difference === null) return row;
    const { estimates } = row.difference;
    const withHolm = each((aggregate, score): Difference => ({
      ...estimates[aggregate][score],
      holm: adjusted[aggregate][score][i] as number,
    }));
    return { ...row, difference: { ...row.difference, estimates: withHolm } };
  });
}

function cellOf(row: GroupScores, seed: number, fold: string): CellScores {
  const cell = row.seeds.find((one) => one.seed === seed)?.folds.find((one) => one.fold === fold);
  if (cell === undefined) throw new Error(`${row.group.label}: no cell of seed ${seed}, fold ${fold}`);
  return cell;
}

function predictionsById(
  row: GroupScores,
  seed: number,
  folds: readonly ClusteredFold[],
): Map<string, Prediction> {
  return new Map(
    folds.flatMap(({ fold }) => cellOf(row, seed, fold).predictions.map((one) => [one.id, one] as const)),
  );
}

/** Utterances of a fold that all runs of all rows have, in the first run's order. */
function commonTruth(
  fold: string,
  rows: readonly GroupScores[],
): { truth: { id: string; label: number }[]; leftOut: number } {
  const sets = rows.flatMap((row) =>
    row.complete.map((seed) => cellOf(row, seed, fold).predictions.map(({ id, label }) => ({ id, label }))),
  );
  const count = new Map<string, number>();
  for (const { id } of sets.flat()) count.set(id, (count.get(id) ?? 0) + 1);
  const truth = (sets[0] ?? []).filter(({ id }) => count.get(id) === sets.length);
  return { truth, leftOut: count.size - truth.length };
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
