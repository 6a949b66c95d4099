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

/** Predictions that make a row of a table: by seed and fold, of equal classes and folds in all rows. */
export interface SeriesRow {
  readonly label: string;
  readonly classes: number;
  readonly folds: readonly string[];
  /** Seeds that have every fold. */
  readonly seeds: readonly number[];
  /** @param fold one of `folds` */
  predictions(seed: number, fold: string): readonly Prediction[];
}

export interface ComparedSeries {
  readonly label: string;
  /** Seeds that have every fold. */
  readonly seeds: readonly number[];
  /** The row by itself. */
  readonly levels: Estimates;
  /** Row less first row, over the seeds that both have; null for the first row. */
  readonly difference: {
    readonly seeds: readonly number[];
    readonly estimates: Estimates<Difference>;
    /** Every prediction of both rows is the same, in every seed and fold. */
    readonly identical: boolean;
    readonly mcnemar: readonly (McNemar & { readonly seed: number })[];
  } | null;
}

/** A table of rows against its first one. */
export interface SeriesComparison<Row extends ComparedSeries = ComparedSeries> {
  /** What was drawn: utterances too where the corpus has no dialogues. */
  readonly unit: Unit;
  /** Utterances were drawn because that was asked for, whatever dialogues there are: intervals are too narrow. */
  readonly tooNarrow: boolean;
  readonly draws: number;
  readonly folds: readonly { readonly fold: string; readonly units: number; readonly utterances: number }[];
  readonly units: number;
  /** Utterances that every row has; those of single rows only are left out, and counted. */
  readonly utterances: number;
  readonly leftOut: number;
  /** Utterances without a dialogue, each a unit by itself (unit `dialogue` only). */
  readonly alone: number;
  readonly rows: readonly Row[];
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
 * @param rows at least one; each has a seed, and one in common with the first
 * @throws UserError where the truth differs between rows
 */
export function compareSeries(rows: readonly SeriesRow[], options: ComparisonOptions): SeriesComparison {
  const { unit = 'dialogue', draws = DRAWS, seed = 1 } = options;
  const first = rows[0] as SeriesRow;
  const { classes, folds: foldIds } = first;
  const lacksDialogue = (id: string): boolean => options.dialogueOf(id) === null;
  const common = foldIds.map((fold) => commonTruth(fold, rows));
  const folds = foldIds.map((fold, f) =>
    clusterFold(fold, common[f]?.truth ?? [], unit === 'dialogue' ? options.dialogueOf : () => null),
  );
  const series = rows.flatMap((row) => row.seeds.map((s) => ({ row, seed: s })));
  const counts = series.map(({ row, seed: s }) =>
    folds.map((fold) => countByUnit(fold, row.predictions(s, fold.fold), classes, `${row.label}, seed ${s}`)),
  );
  const drawn = bootstrap(folds, counts, classes, { draws, seed });
  const units = folds.reduce((sum, fold) => sum + fold.units, 0);
  const place = (row: SeriesRow, s: number): number =>
    series.findIndex((one) => one.row === row && one.seed === s);
  const table = { drawn, place, unitsDf: Math.max(1, units - folds.length) };
  const compared = rows.map((row): ComparedSeries => ({
    label: row.label,
    seeds: row.seeds,
    levels: each((aggregate, score) => level(table, row, aggregate, score)),
    difference: row === first ? null : differences(table, folds, row, first),
  }));
  const utterances = folds.reduce((sum, fold) => sum + fold.ids.length, 0);
  const alone = unit === 'dialogue' ? folds.flatMap((fold) => fold.ids).filter(lacksDialogue).length : 0;
  const noDialogues = unit === 'dialogue' && alone === utterances;
  return {
    unit: noDialogues ? 'utterance' : unit,
    tooNarrow: unit === 'utterance',
    draws,
    folds: folds.map(({ fold, units: n, ids }) => ({ fold, units: n, utterances: ids.length })),
    units,
    utterances,
    leftOut: common.reduce((sum, one) => sum + one.leftOut, 0),
    alone: noDialogues ? 0 : alone,
    rows: corrected(compared),
  };
}

interface Table {
  readonly drawn: Draws;
  readonly place: (row: SeriesRow, seed: number) => number;
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
  row: SeriesRow,
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

function level(table: Table, row: SeriesRow, aggregate: Aggregate, score: MetricKey): Estimate {
  const values = row.seeds.map((seed) => valuesOf(table, row, seed, aggregate, score));
  return estimate(
    values.map((one) => one.observed),
    values.map((one) => one.drawn),
    table.unitsDf,
  );
}

function differences(
  table: Table,
  folds: readonly ClusteredFold[],
  row: SeriesRow,
  first: SeriesRow,
): NonNullable<ComparedSeries['difference']> {
  const seeds = row.seeds.filter((seed) => first.seeds.includes(seed));
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
    // shares of 1: a difference of scores lies between -1 and 1, a t interval of few seeds need not
    const [low, high] = found.interval;
    return { ...found, interval: [Math.max(-1, low), Math.min(1, high)], holm: NaN };
  });
  const ids = folds.flatMap((fold) => fold.ids);
  const identical = seeds.every((seed) => {
    const [a, b] = [predictionsById(row, seed, folds), predictionsById(first, seed, folds)];
    return ids.every((id) => a.get(id)?.prediction === b.get(id)?.prediction);
  });
  const bySeed = seeds.map((seed) => ({
    seed,
    ...mcnemar(ids, predictionsById(row, seed, folds), predictionsById(first, seed, folds)),
  }));
  return { seeds, estimates, identical, mcnemar: bySeed };
}

/** Holm's family: all rows against the first, for each score and way to sum up. */
function corrected(rows: readonly ComparedSeries[]): ComparedSeries[] {
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

function predictionsById(
  row: SeriesRow,
  seed: number,
  folds: readonly ClusteredFold[],
): Map<string, Prediction> {
  return new Map(
    folds.flatMap(({ fold }) => row.predictions(seed, fold).map((one) => [one.id, one] as const)),
  );
}

/** Utterances of a fold that all runs of all rows have, in the first run's order. */
function commonTruth(
  fold: string,
  rows: readonly SeriesRow[],
): { truth: { id: string; label: number }[]; leftOut: number } {
  const sets = rows.flatMap((row) =>
    row.seeds.map((seed) => row.predictions(seed, fold).map(({ id, label }) => ({ id, label }))),
  );
  const count = new Map<string, number>();
  for (const { id } of sets.flat()) count.set(id, (count.get(id) ?? 0) + 1);
  const truth = (sets[0] ?? []).filter(({ id }) => count.get(id) === sets.length);
  return { truth, leftOut: count.size - truth.length };
}
