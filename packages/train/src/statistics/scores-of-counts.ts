import { type MetricKey, metricKeys } from '../evaluate/metrics.ts';

/** Places of the four scores in the arrays of this folder: the order of `metricKeys`. */
export const SCORES = metricKeys.length;
export const scorePlace: { readonly [key in MetricKey]: number } = { wa: 0, ua: 1, wf1: 2, mf1: 3 };

/**
 * The scores of a confusion matrix given as flat counts, as `metricsOf` defines them, without making objects: a
 * bootstrap asks millions of times.
 * @param counts [classes, classes + 1]: truth by prediction; the last column counts utterances without one
 * @param out written from `at`: wa, ua, wf1, mf1; NaN for no utterance at all
 */
export function scoresOfCounts(
  counts: ArrayLike<number>,
  classes: number,
  out: Float64Array,
  at: number,
): void {
  const width = classes + 1;
  let n = 0;
  let right = 0;
  let recalls = 0;
  let inTruth = 0;
  let weightedF1 = 0;
  let f1s = 0;
  let seen = 0;
  for (let k = 0; k < classes; k++) {
    let support = 0;
    let predicted = 0;
    for (let j = 0; j < width; j++) support += counts[k * width + j] as number;
    for (let j = 0; j < classes; j++) predicted += counts[j * width + k] as number;
    const hit = counts[k * width + k] as number;
    n += support;
    right += hit;
    if (support > 0) {
      recalls += hit / support;
      inTruth++;
    }
    if (support + predicted > 0) {
      const f1 = (2 * hit) / (support + predicted);
      f1s += f1;
      weightedF1 += f1 * support;
      seen++;
    }
  }
  out[at] = right / n;
  out[at + 1] = recalls / inTruth;
  out[at + 2] = weightedF1 / n;
  out[at + 3] = f1s / seen;
}
