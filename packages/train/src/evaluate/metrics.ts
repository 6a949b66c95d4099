/**
 * Scores of a set of predictions, equal to scikit-learn's (`accuracy_score`, `balanced_accuracy_score`,
 * `precision_recall_fscore_support` with zero_division 0).
 */

/** Metric keys as they appear in files: weighted accuracy, unweighted accuracy, weighted F1, macro F1. */
export type MetricKey = 'wa' | 'ua' | 'wf1' | 'mf1';
export const metricKeys: readonly MetricKey[] = ['wa', 'ua', 'wf1', 'mf1'];

export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Utterances of the class in the truth. */
  readonly support: number;
}

export interface Metrics {
  /** Accuracy: right of all. */
  readonly wa: number;
  /** Mean of the recalls of the classes that occur in the truth (balanced_accuracy_score). */
  readonly ua: number;
  /** Mean of the F1 of all classes, weighted by support. */
  readonly wf1: number;
  /** Mean of the F1 of the classes that occur in truth or prediction. */
  readonly mf1: number;
  /** By class index. */
  readonly classes: readonly ClassScore[];
  /** confusion[truth][prediction], counts. */
  readonly confusion: readonly (readonly number[])[];
  /** By class of the truth: utterances without any prediction, counted as errors. */
  readonly unanswered: readonly number[];
  /** Utterances scored, unanswered ones included. */
  readonly n: number;
  /** Classes without an utterance in the truth: they are left out of `ua`. */
  readonly absent: number;
}

/** In place of a class index: no prediction at all. It counts as an error, and for no class. */
export const NO_PREDICTION = -1;

/**
 * Counts confusion[truth][prediction], and what has no prediction.
 * @param classes number of classes; labels lie in [0, classes)
 * @throws RangeError for unequal lengths or a label out of range
 */
export function confusionMatrix(
  truth: ArrayLike<number>,
  prediction: ArrayLike<number>,
  classes: number,
): Pick<Metrics, 'confusion' | 'unanswered'> {
  if (truth.length !== prediction.length) {
    throw new RangeError(`${truth.length} labels but ${prediction.length} predictions`);
  }
  const confusion = Array.from({ length: classes }, () => zeros(classes));
  const unanswered = zeros(classes);
  for (let i = 0; i < truth.length; i++) {
    const label = truth[i] as number;
    const guess = prediction[i] as number;
    const row = confusion[label];
    if (row === undefined || (guess !== NO_PREDICTION && row[guess] === undefined)) {
      throw new RangeError(`label ${label} or prediction ${guess} at ${i} is not in 0..${classes - 1}`);
    }
    if (guess === NO_PREDICTION) unanswered[label] = (unanswered[label] as number) + 1;
    else row[guess] = (row[guess] as number) + 1;
  }
  return { confusion, unanswered };
}

/** All metrics of a confusion matrix. Every score of an empty set is NaN. */
export function metricsOf({ confusion, unanswered }: Pick<Metrics, 'confusion' | 'unanswered'>): Metrics {
  const support = confusion.map((row, k) => sum(row) + (unanswered[k] as number));
  const predicted = confusion.map((_, j) => sum(confusion.map((row) => row[j] as number)));
  const n = sum(support);
  const classes = confusion.map((row, k): ClassScore => {
    const right = row[k] as number;
    const truths = support[k] as number;
    const guesses = predicted[k] as number;
    return {
      precision: ratio(right, guesses),
      recall: ratio(right, truths),
      f1: ratio(2 * right, truths + guesses),
      support: truths,
    };
  });
  const inTruth = classes.filter((c) => c.support > 0);
  const seen = classes.filter((c, k) => c.support > 0 || (predicted[k] as number) > 0);
  return {
    wa: sum(confusion.map((row, k) => row[k] as number)) / n,
    ua: mean(inTruth.map((c) => c.recall)),
    wf1: sum(classes.map((c) => c.f1 * c.support)) / n,
    mf1: mean(seen.map((c) => c.f1)),
    classes,
    confusion,
    unanswered,
    n,
    absent: classes.length - inTruth.length,
  };
}

/** Metrics of predictions (or NO_PREDICTION) against the truth, both as class indices. */
export function score(truth: ArrayLike<number>, prediction: ArrayLike<number>, classes: number): Metrics {
  return metricsOf(confusionMatrix(truth, prediction, classes));
}

function zeros(n: number): number[] {
  return Array.from({ length: n }, () => 0);
}

/** zero_division 0. */
function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** NaN for no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Standard deviation with n - 1; NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const centre = mean(values);
  return Math.sqrt(sum(values.map((x) => (x - centre) ** 2)) / (values.length - 1));
}
