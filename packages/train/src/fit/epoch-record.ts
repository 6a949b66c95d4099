import { lossOf, type Prediction } from '../evaluate/predict.ts';
import { mean } from '../evaluate/metrics.ts';
import { scorePredictions, scoresOf } from '../evaluate/summary.ts';
import type { LabelMovement } from '../head/moving-average.ts';
import type { EpochRecord, EpochSums, PartScores } from '../record/run-state.ts';

/** What an epoch left behind. */
export interface EpochOutcome {
  /** From 1. */
  readonly epoch: number;
  readonly sums: EpochSums;
  readonly movement: LabelMovement;
  /** Learning rate of the last update. */
  readonly lr: number;
  readonly dev: readonly Prediction[];
  readonly test: readonly Prediction[];
  readonly classes: number;
}

/** The line of metrics.jsonl. */
export function epochRecord({ epoch, sums, movement, lr, dev, test, classes }: EpochOutcome): EpochRecord {
  const [audio, text] = sums.gate;
  return {
    epoch,
    loss: sums.loss / sums.rows,
    ce: sums.ce / sums.rows,
    apc: sums.apc / sums.rows,
    trainWa: sums.right / sums.rows,
    gradientNorm: sums.gradientNorm / sums.updates,
    gate: audio === undefined || text === undefined ? null : [audio / sums.rows, text / sums.rows],
    labelMovement: movement.cosines.length === 0 ? null : movement.relative,
    labelCosines: [...movement.cosines],
    lr,
    updates: sums.updates,
    utterances: sums.rows,
    predicted: [...sums.predicted],
    dev: partScores(dev, classes),
    test: partScores(test, classes),
  };
}

function partScores(predictions: readonly Prediction[], classes: number): PartScores | null {
  if (predictions.length === 0) return null;
  const metrics = scorePredictions(predictions, classes);
  return {
    ...scoresOf(metrics),
    ce: mean(predictions.map(lossOf)),
    confusion: metrics.confusion.map((row) => [...row]),
  };
}
