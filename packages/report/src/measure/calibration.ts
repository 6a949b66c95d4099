import { NO_PREDICTION, type Prediction } from '@lsgmer/train';

export interface ReliabilityBin {
  /** Confidence, from (exclusive, but for the first bin) to (inclusive). */
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Mean probability of the predicted class; NaN for an empty bin. */
  readonly confidence: number;
  /** Share that was right; NaN for an empty bin. */
  readonly accuracy: number;
}

export interface Calibration {
  readonly bins: readonly ReliabilityBin[];
  /** Predictions that count: those with probabilities. */
  readonly n: number;
  /** Expected calibration error: mean over predictions of |accuracy - confidence| of their bin. */
  readonly ece: number;
  /** Mean of -ln p of the true class. */
  readonly nll: number;
  /** Mean over predictions of the sum over classes of (p - truth)^2. */
  readonly brier: number;
}

/** Of equal width between 0 and 1. */
const BINS = 10;
/** Probabilities are stored to 9 digits. */
const LEAST = 1e-9;

/** Reliability of the predicted class's probability (Guo et al. 2017, On Calibration of Modern Neural Networks). */
export function calibration(predictions: readonly Prediction[]): Calibration {
  const counts = Array.from({ length: BINS }, () => ({ n: 0, confidence: 0, right: 0 }));
  let [n, nll, brier] = [0, 0, 0];
  for (const { label, prediction, probabilities } of predictions) {
    if (prediction === NO_PREDICTION) continue;
    const confidence = probabilities[prediction] as number;
    const bin = counts[
      Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1))
    ] as (typeof counts)[number];
    bin.n++;
    bin.confidence += confidence;
    if (prediction === label) bin.right++;
    n++;
    nll -= Math.log(Math.max(LEAST, probabilities[label] as number));
    probabilities.forEach((p, k) => (brier += (p - (k === label ? 1 : 0)) ** 2));
  }
  const bins = counts.map((one, i) => ({
    from: i / BINS,
    to: (i + 1) / BINS,
    n: one.n,
    confidence: one.confidence / one.n,
    accuracy: one.right / one.n,
  }));
  const ece = counts.reduce((sum, one) => sum + Math.abs(one.right - one.confidence), 0) / n;
  return { bins, n, ece, nll: nll / n, brier: brier / n };
}
