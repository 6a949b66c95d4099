import { readFileSync } from 'node:fs';

interface Golden {
  readonly truth: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
  readonly ece: number;
  readonly nll: number;
  readonly brier: number;
  readonly vectors: readonly (readonly number[])[];
  readonly silhouette: number;
  readonly table: readonly (readonly number[])[];
  readonly moved: readonly (readonly number[])[];
  readonly cosines: readonly (readonly number[])[];
  readonly movement: number;
  readonly weights: readonly number[];
  readonly quantiles: readonly number[];
  readonly sd: number;
}

/** What scikit-learn and numpy say: test/golden/report/measures.py. */
export const golden = JSON.parse(readFileSync('test/golden/report/measures.json', 'utf8')) as Golden;
