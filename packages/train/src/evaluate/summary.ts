import { mean, type MetricKey, metricKeys, type Metrics, score, standardDeviation } from './metrics.ts';
import type { Prediction } from './predict.ts';

/** The four scores, as shares of 1. */
export type Scores = { readonly [key in MetricKey]: number };

export interface Spread {
  readonly mean: Scores;
  /** Standard deviation with n - 1; null for fewer than two values. */
  readonly sd: Scores | null;
}

/** Scores of one seed over its folds. */
export interface FoldsSummary {
  /** Mean and standard deviation over folds. */
  readonly overFolds: Spread;
  /** All folds' predictions scored as one set. */
  readonly pooled: Metrics;
}

export function scoresOf(metrics: Scores): Scores {
  return { wa: metrics.wa, ua: metrics.ua, wf1: metrics.wf1, mf1: metrics.mf1 };
}

/** Mean and spread of each score over independent values (folds, or seeds; never both at once). */
export function spread(values: readonly Scores[]): Spread {
  const each = (f: (xs: readonly number[]) => number): Scores => {
    const entries = metricKeys.map((key) => [key, f(values.map((value) => value[key]))]);
    return Object.fromEntries(entries) as Scores;
  };
  return { mean: each(mean), sd: values.length < 2 ? null : each(standardDeviation) };
}

export function scorePredictions(predictions: readonly Prediction[], classes: number): Metrics {
  return score(
    predictions.map((one) => one.label),
    predictions.map((one) => one.prediction),
    classes,
  );
}

/** @param folds predictions by fold; no utterance is in two of them */
export function summariseFolds(folds: readonly (readonly Prediction[])[], classes: number): FoldsSummary {
  return {
    overFolds: spread(folds.map((fold) => scorePredictions(fold, classes))),
    pooled: scorePredictions(folds.flat(), classes),
  };
}
