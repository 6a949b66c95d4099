import type { LabelledId } from './source.ts';

/** How classes weigh in the cross entropy. */
export type ClassWeighting = 'none' | 'inverse' | 'sqrt' | 'effective';

/** What training aims at, from a label: a smoothed and weighted distribution. */
export interface TargetRule {
  /** Share of the target that is spread evenly over all classes. */
  readonly smoothing: number;
  /** By class; undefined: all equal. */
  readonly weights: readonly number[] | undefined;
}

/** The plain rule: one-hot, unweighted. */
export const plainTargets: TargetRule = { smoothing: 0, weights: undefined };

/**
 * Weights of the classes from the labels of a training part, scaled so that their mean over its rows is 1: `inverse`
 * to the class's frequency, to its square root (`sqrt`), or to the effective number of its rows, (1 - beta^n) / (1 - beta)
 * (`effective`; Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples"). A class without a row has 0.
 */
export function classWeights(
  kind: ClassWeighting,
  rows: readonly LabelledId[],
  classes: number,
  beta: number,
): readonly number[] | undefined {
  if (kind === 'none') return undefined;
  const counts = Array.from({ length: classes }, () => 0);
  for (const { label } of rows) counts[label] = (counts[label] as number) + 1;
  const raw = counts.map((n) => {
    if (n === 0) return 0;
    if (kind === 'inverse') return 1 / n;
    if (kind === 'sqrt') return 1 / Math.sqrt(n);
    return beta === 1 ? 1 / n : (1 - beta) / (1 - beta ** n);
  });
  const total = counts.reduce((sum, n, k) => sum + n * (raw[k] as number), 0);
  return raw.map((weight) => (weight * rows.length) / total);
}

/**
 * What scales an update's targets so that its weighted mean is over the weights of its rows, as torch's
 * cross entropy has it: rows / sum of their classes' weights; 1 without weights.
 */
export function targetScale(labels: readonly number[], { weights }: TargetRule): number {
  if (weights === undefined) return 1;
  return labels.length / labels.reduce((sum, label) => sum + (weights[label] as number), 0);
}

/** Writes one row of `target`, as torch.nn.CrossEntropyLoss(weight, label_smoothing) weighs the classes. */
export function fillTarget(
  label: number,
  { smoothing, weights }: TargetRule,
  scale: number,
  out: Float32Array,
): void {
  const classes = out.length;
  for (let k = 0; k < classes; k++) {
    const share = smoothing / classes + (k === label ? 1 - smoothing : 0);
    out[k] = share * (weights?.[k] ?? 1) * scale;
  }
}
