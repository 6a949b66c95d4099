import { mean } from '@lsgmer/train';

/** Something that has a value after every epoch, for one seed and fold; null where it was not measured. */
export interface EpochSeries {
  readonly seed: number;
  readonly fold: string;
  /** From epoch 1 on. */
  readonly values: readonly (number | null)[];
}

/** A curve with its band at one epoch. */
export interface CurvePoint {
  /** From 1. */
  readonly epoch: number;
  /** Mean over seeds of the mean over folds. */
  readonly mean: number;
  /** Lowest and highest seed. */
  readonly low: number;
  readonly high: number;
  /** Seeds that reached this epoch with every fold. */
  readonly seeds: number;
}

/**
 * Mean and range over seeds by epoch. A seed counts where all of its folds have the epoch: curves are never averages over
 * other folds at one epoch than at the next.
 * @param folds that a seed must have
 */
export function curve(series: readonly EpochSeries[], folds: readonly string[]): CurvePoint[] {
  const bySeed = new Map<number, Map<string, EpochSeries>>();
  for (const one of series) {
    const mine = bySeed.get(one.seed) ?? new Map<string, EpochSeries>();
    bySeed.set(one.seed, mine.set(one.fold, one));
  }
  const epochs = series.reduce((most, one) => Math.max(most, one.values.length), 0);
  const points: CurvePoint[] = [];
  for (let i = 0; i < epochs; i++) {
    const seeds: number[] = [];
    for (const mine of bySeed.values()) {
      const values = folds.map((fold) => mine.get(fold)?.values[i] ?? null);
      if (values.length > 0 && values.every((value) => value !== null)) seeds.push(mean(values));
    }
    if (seeds.length === 0) continue;
    points.push({
      epoch: i + 1,
      mean: mean(seeds),
      low: Math.min(...seeds),
      high: Math.max(...seeds),
      seeds: seeds.length,
    });
  }
  return points;
}
