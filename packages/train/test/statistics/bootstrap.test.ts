import { Rng } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { mean, score } from '../../src/evaluate/metrics.ts';
import { bootstrap, drawnFrom } from '../../src/statistics/bootstrap.ts';
import { clusterFold, countByUnit } from '../../src/statistics/clusters.ts';
import { scorePlace } from '../../src/statistics/scores-of-counts.ts';
import { predictionsOf } from '../support/run-folders.ts';

/** Two folds of 20 dialogues of 10 utterances; some dialogues are harder than others. */
const rng = Rng.for('bootstrap test');
const folds = ['a', 'b'].map((name) => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    id: `${name}/d${Math.floor(i / 10)}_${i}`,
    label: rng.int(4),
  }));
  const hard = Array.from({ length: 20 }, () => rng.uniform());
  const guesses = rows.map(({ label }, i) =>
    rng.uniform() < (hard[Math.floor(i / 10)] as number) ? rng.int(4) : label,
  );
  return { name, rows, guesses };
});
const dialogueOf = (id: string): string => id.slice(0, id.indexOf('_'));
const clustered = folds.map(({ name, rows }) => clusterFold(name, rows, dialogueOf));
const counted = folds.map(({ rows, guesses }, f) =>
  countByUnit(
    clustered[f] as (typeof clustered)[number],
    predictionsOf(
      rows.map(({ id }) => id),
      rows.map(({ label }) => label),
      guesses,
    ),
    4,
    'test',
  ),
);

describe('bootstrap', () => {
  it('observes the scores themselves, pooled and as the mean over folds', () => {
    const { observed } = bootstrap(clustered, [counted], 4, { draws: 2 });
    const each = folds.map(({ rows, guesses }) =>
      score(
        rows.map((row) => row.label),
        guesses,
        4,
      ),
    );
    const pooled = score(
      folds.flatMap(({ rows }) => rows.map((row) => row.label)),
      folds.flatMap((fold) => fold.guesses),
      4,
    );
    for (const key of ['wa', 'ua', 'wf1', 'mf1'] as const) {
      expect(observed[drawnFrom(1, 0, 'pooled', scorePlace[key])]).toBeCloseTo(pooled[key], 12);
      expect(observed[drawnFrom(1, 0, 'folds', scorePlace[key])]).toBeCloseTo(
        mean(each.map((one) => one[key])),
        12,
      );
    }
  });

  it('varies as drawing dialogues within folds does', () => {
    const draws = 10_000;
    const { drawn } = bootstrap(clustered, [counted], 4, { draws });
    const from = drawnFrom(draws, 0, 'pooled', scorePlace.wa);
    const values = [...drawn.subarray(from, from + draws)];
    const centre = mean(values);
    const found = mean(values.map((x) => (x - centre) ** 2));
    // all dialogues are of one size, so WA is the mean of theirs: its variance is exact
    const exact = folds.reduce((sum, { rows, guesses }) => {
      const right = Array.from({ length: 20 }, (_, d) =>
        mean(rows.slice(10 * d, 10 * d + 10).map(({ label }, i) => (label === guesses[10 * d + i] ? 1 : 0))),
      );
      const m = mean(right);
      return sum + mean(right.map((x) => (x - m) ** 2)) / 20 / 4;
    }, 0);
    // the variance of 10,000 draws has a standard error of 1.4 %
    expect(Math.abs(found / exact - 1)).toBeLessThan(0.05);
    const alone = folds.map(({ name, rows }) => clusterFold(name, rows, () => null));
    expect(alone.map((fold) => fold.units)).toEqual([200, 200]);
  });

  it('uses the same draws for all series, and the same ones for the same seed', () => {
    const draws = 50;
    const { drawn } = bootstrap(clustered, [counted, counted], 4, { draws });
    const half = drawn.length / 2;
    expect(drawn.subarray(0, half)).toEqual(drawn.subarray(half));
    expect(bootstrap(clustered, [counted], 4, { draws }).drawn).toEqual(drawn.subarray(0, half));
    expect(bootstrap(clustered, [counted], 4, { draws, seed: 2 }).drawn).not.toEqual(drawn.subarray(0, half));
  });
});
