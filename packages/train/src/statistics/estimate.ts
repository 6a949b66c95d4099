import { mean, standardDeviation } from '../evaluate/metrics.ts';
import { tQuantile, tTwoSided } from './distributions.ts';

/** A number over seeds with its uncertainty: a score, or the difference of two. In shares of 1. */
export interface Estimate {
  /** Mean over seeds. */
  readonly value: number;
  readonly bySeed: readonly number[];
  /** Standard deviation over seeds with n - 1; null for one seed. */
  readonly sdSeeds: number | null;
  /** Standard error from seeds and units together; from units alone for one seed. */
  readonly se: number;
  /** Satterthwaite's degrees of freedom. */
  readonly df: number;
  /** t interval of this level. */
  readonly interval: readonly [low: number, high: number];
  readonly level: number;
  /** Two-sided, against zero. */
  readonly p: number;
  /** Smallest true difference from zero that such a design finds at 1 - level, two-sided, with 80 % power. */
  readonly detectable: number;
  /** Parts of the squared standard error. */
  readonly variance: VarianceParts;
  /** False: one seed, so that what other seeds would have given is not in the interval. */
  readonly coversSeeds: boolean;
}

/**
 * The mean of S seeds scored on the same D units varies for three reasons: other units would have shown another
 * difference to every seed (`shared`), other seeds would have learnt otherwise whatever the units, and seed and unit
 * meet by chance. The variance over seeds on the given units, over S, holds the last two; the bootstrap variance of
 * the mean over units holds the first and the last. Adding both counts the last twice, so it is taken out once: it is
 * what the bootstrap variances of single seeds exceed the covariances between seeds by.
 */
export interface VarianceParts {
  /** Variance over seeds / S; null for one seed. */
  readonly seeds: number | null;
  /** Bootstrap variance over units of the mean over seeds. */
  readonly units: number;
  /** Part of both of them, counted once in the standard error. */
  readonly both: number | null;
}

export const LEVEL = 0.95;
const POWER = 0.8;

/**
 * Mean over seeds with standard error, interval and test.
 * @param observed by seed
 * @param drawn by seed: the same statistic on each bootstrap draw, all seeds on the same draws
 * @param unitsDf degrees of freedom of the units' variance: units less folds
 */
export function estimate(
  observed: readonly number[],
  drawn: readonly Float64Array[],
  unitsDf: number,
  level = LEVEL,
): Estimate {
  const seeds = observed.length;
  const value = mean(observed);
  const { units, shared, both } = bootstrapParts(drawn);
  const sdSeeds = seeds < 2 ? null : standardDeviation(observed);
  const seedsPart = sdSeeds === null ? null : sdSeeds ** 2 / seeds;
  const { variance, df } = combinedVariance({ seedsPart, shared, units, seeds, unitsDf });
  const se = Math.sqrt(variance);
  const t = tQuantile(1 - (1 - level) / 2, df);
  return {
    value,
    bySeed: observed,
    sdSeeds,
    se,
    df,
    interval: [value - t * se, value + t * se],
    level,
    p: se === 0 && value === 0 ? 1 : tTwoSided(value / se, df),
    detectable: (t + tQuantile(POWER, df)) * se,
    variance: { seeds: seedsPart, units, both: seeds < 2 ? null : both },
    coversSeeds: seeds > 1,
  };
}

/**
 * Squared standard error of a mean over seeds, with Satterthwaite's degrees of freedom: the seeds' part and what all
 * seeds share (see `VarianceParts`), but no less than the units' variance, which is what seeds must differ by.
 * @param seedsPart variance over seeds / S; null for one seed
 * @param shared mean covariance between seeds over the units' draws
 * @param units variance over the units' draws of the mean over seeds
 */
export function combinedVariance(parts: {
  readonly seedsPart: number | null;
  readonly shared: number;
  readonly units: number;
  readonly seeds: number;
  readonly unitsDf: number;
}): { variance: number; df: number } {
  const { seedsPart, shared, units, seeds, unitsDf } = parts;
  if (seedsPart === null || seedsPart + shared <= units) return { variance: units, df: unitsDf };
  const variance = seedsPart + shared;
  return { variance, df: variance ** 2 / (seedsPart ** 2 / (seeds - 1) + shared ** 2 / unitsDf) };
}

/**
 * Variance over draws of the mean over seeds, and its two parts: the mean covariance between seeds (`shared`), and
 * what single seeds vary by beyond it, over S (`both`).
 */
function bootstrapParts(drawn: readonly Float64Array[]): { units: number; shared: number; both: number } {
  const seeds = drawn.length;
  const draws = (drawn[0] as Float64Array).length;
  const means = drawn.map((one) => average(one));
  const grand = mean(means);
  let own = 0;
  let ofMean = 0;
  for (let b = 0; b < draws; b++) {
    let sum = 0;
    for (let s = 0; s < seeds; s++) {
      const x = (drawn[s] as Float64Array)[b] as number;
      own += (x - (means[s] as number)) ** 2;
      sum += x;
    }
    ofMean += (sum / seeds - grand) ** 2;
  }
  const units = ofMean / (draws - 1);
  const single = own / seeds / (draws - 1);
  if (seeds < 2) return { units, shared: units, both: 0 };
  // S^2 Var(mean) = S single + S (S - 1) shared
  const shared = (seeds * units - single) / (seeds - 1);
  return { units, shared, both: (single - shared) / seeds };
}

function average(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
