import { createRequire } from 'node:module';

/** The part of jStat that is used: it has no types of its own. */
interface Special {
  readonly studentt: { cdf(x: number, df: number): number; inv(p: number, df: number): number };
  /** Regularised incomplete beta function I_x(a, b). */
  ibeta(x: number, a: number, b: number): number;
}
const special = createRequire(import.meta.url)('jstat') as Special;

/** Above this many degrees of freedom Student's t is the normal distribution to four digits, and jStat loses digits. */
const MOST_DF = 1e5;

/** Quantile of Student's t distribution. @param df degrees of freedom, 1 or more, whole or not */
export function tQuantile(p: number, df: number): number {
  return special.studentt.inv(p, Math.min(df, MOST_DF));
}

/** Two-sided p value of a t statistic: 2 P(T > |t|). */
export function tTwoSided(t: number, df: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? NaN : 0;
  const dof = Math.min(df, MOST_DF);
  // the tail by itself, so that small values keep their digits
  return special.ibeta(dof / (dof + t * t), dof / 2, 0.5);
}

/** Two-sided exact p value of k out of n under probability 1/2 (McNemar's test, the sign test). */
export function signTest(k: number, n: number): number {
  const few = Math.min(k, n - k);
  if (2 * few === n) return 1;
  // P(X <= few) = I_{1/2}(n - few, few + 1)
  return Math.min(1, 2 * special.ibeta(0.5, n - few, few + 1));
}
