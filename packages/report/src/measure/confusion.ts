/** Confusion of several seeds, by the truth's class. */
export interface NormalisedConfusion {
  /** [truth][prediction], shares of the truth's utterances, mean over seeds; NaN for a class without an utterance. */
  readonly shares: readonly (readonly number[])[];
  /** By class of the truth: share without a prediction, counted as errors. */
  readonly unanswered: readonly number[];
  /** Utterances of each class, of one seed. */
  readonly support: readonly number[];
}

export interface ConfusionCounts {
  /** [truth][prediction] */
  readonly confusion: readonly (readonly number[])[];
  readonly unanswered: readonly number[];
}

/** Rows add up to 1 (with what has no prediction): the sum over seeds, divided by the truth's sum. */
export function normalisedConfusion(seeds: readonly ConfusionCounts[]): NormalisedConfusion {
  const first = seeds[0];
  if (first === undefined) throw new RangeError('no confusion matrix to normalise');
  const classes = first.confusion.length;
  const range = Array.from({ length: classes }, (_, k) => k);
  const total = (pick: (one: ConfusionCounts) => number): number =>
    seeds.reduce((sum, one) => sum + pick(one), 0);
  const unanswered = range.map((t) => total((one) => one.unanswered[t] as number));
  const counts = range.map((t) => range.map((p) => total((one) => one.confusion[t]?.[p] as number)));
  const support = counts.map((row, t) => row.reduce((a, b) => a + b, unanswered[t] as number));
  return {
    shares: counts.map((row, t) => row.map((count) => count / (support[t] as number))),
    unanswered: unanswered.map((count, t) => count / (support[t] as number)),
    support: support.map((count) => count / seeds.length),
  };
}
