import { Rng } from '@lsgmer/datasets';
import type { ClusteredFold, UnitCounts } from './clusters.ts';
import { SCORES, scoresOfCounts } from './scores-of-counts.ts';

/** How folds become one number: one confusion matrix of all, or the mean of the folds' own scores. */
export type Aggregate = 'pooled' | 'folds';
export const aggregates: readonly Aggregate[] = ['pooled', 'folds'];

/** One set of predictions over all folds (a variant with a seed): its counts by fold. */
export type Series = readonly UnitCounts[];

/** Scores of every series: the observed ones, and those of every draw. */
export interface Draws {
  readonly draws: number;
  readonly series: number;
  /** [series, aggregate, score] */
  readonly observed: Float64Array;
  /** [series, aggregate, score, draw] */
  readonly drawn: Float64Array;
}

export const DRAWS = 10_000;
const PARTS = aggregates.length * SCORES;

/** Where the draws of one score begin in `drawn`; the observed one lies at the same place over `draws`. */
export function drawnFrom(draws: number, series: number, aggregate: Aggregate, score: number): number {
  return ((series * aggregates.length + aggregates.indexOf(aggregate)) * SCORES + score) * draws;
}

/**
 * Draws units with replacement within each test fold, as many as the fold has, and scores every series on the same
 * draws, so that any difference of two series is paired. Sums of counts by unit are all that a draw needs.
 * @param seed the same seed gives the same draws
 */
export function bootstrap(
  folds: readonly ClusteredFold[],
  series: readonly Series[],
  classes: number,
  { draws = DRAWS, seed = 1 }: { readonly draws?: number; readonly seed?: number } = {},
): Draws {
  const scorer = new Scorer(folds.length, classes);
  const ones = folds.map((fold) => new Float64Array(fold.units).fill(1));
  const observed = new Float64Array(series.length * PARTS);
  series.forEach((one, s) => scorer.score(one, ones, observed, s * PARTS, 1));

  const drawn = new Float64Array(series.length * PARTS * draws);
  const rng = Rng.for('bootstrap', seed);
  const weights = folds.map((fold) => new Float64Array(fold.units));
  for (let draw = 0; draw < draws; draw++) {
    for (const [f, { units }] of folds.entries()) {
      const weight = weights[f] as Float64Array;
      weight.fill(0);
      for (let i = 0; i < units; i++) (weight[rng.int(units)] as number)++;
    }
    for (const [s, one] of series.entries())
      scorer.score(one, weights, drawn, s * PARTS * draws + draw, draws);
  }
  return { draws, series: series.length, observed, drawn };
}

/** Sums weighted counts and scores them, in buffers of its own. */
class Scorer {
  private readonly classes: number;
  private readonly fold: Float64Array;
  private readonly all: Float64Array;
  private readonly scores = new Float64Array(SCORES);
  private readonly means = new Float64Array(SCORES);
  private readonly folds: number;

  constructor(folds: number, classes: number) {
    this.folds = folds;
    this.classes = classes;
    this.fold = new Float64Array(classes * (classes + 1));
    this.all = new Float64Array(classes * (classes + 1));
  }

  /** Writes [aggregate, score] to `out`, from `at`, `stride` apart. */
  score(
    series: Series,
    weights: readonly Float64Array[],
    out: Float64Array,
    at: number,
    stride: number,
  ): void {
    const { fold, all, scores, means, classes } = this;
    all.fill(0);
    means.fill(0);
    for (let f = 0; f < this.folds; f++) {
      fold.fill(0);
      addCounts(series[f] as UnitCounts, weights[f] as Float64Array, fold);
      scoresOfCounts(fold, classes, scores, 0);
      for (let k = 0; k < SCORES; k++) means[k] = (means[k] as number) + (scores[k] as number) / this.folds;
      for (let i = 0; i < all.length; i++) all[i] = (all[i] as number) + (fold[i] as number);
    }
    scoresOfCounts(all, classes, scores, 0);
    for (let k = 0; k < SCORES; k++) {
      out[at + k * stride] = scores[k] as number;
      out[at + (SCORES + k) * stride] = means[k] as number;
    }
  }
}

function addCounts({ starts, cells, counts }: UnitCounts, weight: Float64Array, into: Float64Array): void {
  for (let u = 0; u < weight.length; u++) {
    const w = weight[u] as number;
    if (w === 0) continue;
    const end = starts[u + 1] as number;
    for (let e = starts[u] as number; e < end; e++) {
      const cell = cells[e] as number;
      into[cell] = (into[cell] as number) + w * (counts[e] as number);
    }
  }
}
