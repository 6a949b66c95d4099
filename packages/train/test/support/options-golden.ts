import { readFileSync } from 'node:fs';

/** What test/golden/options/options.py wrote; see there. */
export const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/options/options.json', import.meta.url), 'utf8'),
) as {
  readonly schedules: readonly {
    readonly schedule: 'constant' | 'cosine' | 'linear';
    readonly warmup: number;
    readonly factors: readonly number[];
  }[];
  readonly clip: {
    readonly gradient: readonly number[];
    readonly clipped: readonly {
      readonly limit: number;
      readonly norm: number;
      readonly gradient: readonly number[];
    }[];
  };
  readonly crossEntropy: {
    readonly logits: readonly (readonly number[])[];
    readonly labels: readonly number[];
    readonly weights: readonly number[];
    readonly cases: readonly {
      readonly smoothing: number;
      readonly weighted: boolean;
      readonly loss: number;
      readonly gradient: readonly (readonly number[])[];
    }[];
  };
  readonly focal: readonly {
    readonly gamma: number;
    readonly loss: number;
    readonly gradient: readonly (readonly number[])[];
  }[];
  readonly classWeights: {
    readonly counts: readonly number[];
    readonly beta: number;
    readonly inverse: readonly number[];
    readonly sqrt: readonly number[];
    readonly effective: readonly number[];
  };
  readonly standard: {
    readonly steps: readonly (readonly number[])[];
    readonly lengths: readonly number[];
    readonly mean: readonly number[];
    readonly sd: readonly number[];
  };
  readonly decay: { readonly weight: readonly number[]; readonly bias: readonly number[] };
};
