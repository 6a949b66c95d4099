import { readFileSync } from 'node:fs';

/** What test/golden/statistics/statistics.py wrote. */
export const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/statistics/statistics.json', import.meta.url), 'utf8'),
) as {
  readonly quantiles: readonly { p: number; df: number; t: number }[];
  readonly tails: readonly { t: number; df: number; p: number }[];
  readonly signs: readonly { k: number; n: number; p: number }[];
  readonly estimates: readonly {
    name: string;
    observed: number[];
    drawn: number[][];
    unitsDf: number;
    value: number;
    se: number;
    df: number;
    interval: [number, number];
    p: number;
    detectable: number;
  }[];
};
