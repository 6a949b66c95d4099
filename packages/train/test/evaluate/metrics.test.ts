import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  confusionMatrix,
  mean,
  NO_PREDICTION,
  score,
  standardDeviation,
} from '../../src/evaluate/metrics.ts';

interface Case {
  name: string;
  classes: number;
  truth: number[];
  prediction: number[];
  wa: number;
  ua: number;
  wf1: number;
  mf1: number;
  precision: number[];
  recall: number[];
  f1: number[];
  support: number[];
  confusion: number[][];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/metrics/metrics.json', import.meta.url), 'utf8'),
) as { cases: Case[]; spread: { values: number[]; mean: number; sd: number } };

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThanOrEqual(1e-12);
}

describe('metrics', () => {
  it.each(golden.cases.map((c) => [c.name, c] as const))('equal scikit-learn: %s', (_, c) => {
    const found = score(c.truth, c.prediction, c.classes);
    for (const key of ['wa', 'ua', 'wf1', 'mf1'] as const) expectClose(found[key], c[key]);
    expect(found.confusion).toEqual(c.confusion);
    const none = c.truth.filter((_, i) => c.prediction[i] === NO_PREDICTION).length;
    expect(found.unanswered.reduce((a, b) => a + b, 0)).toBe(none);
    expect(found.classes.map((x) => x.support)).toEqual(c.support);
    found.classes.forEach((x, k) => {
      expectClose(x.precision, c.precision[k] as number);
      expectClose(x.recall, c.recall[k] as number);
      expectClose(x.f1, c.f1[k] as number);
    });
    expect(found.n).toBe(c.truth.length);
    expect(found.absent).toBe(c.support.filter((s) => s === 0).length);
  });

  it('leaves classes without truth out of UA and counts them', () => {
    const found = score([0, 0, 1, 1], [0, 2, 1, 1], 4);
    expect(found.ua).toBe(0.75);
    expect(found.absent).toBe(2);
  });

  it('mean and standard deviation equal numpy with ddof 1', () => {
    expectClose(mean(golden.spread.values), golden.spread.mean);
    expectClose(standardDeviation(golden.spread.values), golden.spread.sd);
    expect(standardDeviation([3])).toBeNaN();
  });

  it('rejects unequal lengths and labels out of range', () => {
    expect(() => confusionMatrix([0, 1], [0], 2)).toThrow('2 labels but 1 predictions');
    expect(() => confusionMatrix([0, 2], [0, 1], 2)).toThrow('label 2 or prediction 1 at 1 is not in 0..1');
    expect(() => confusionMatrix([0, 1], [0, -2], 2)).toThrow(RangeError);
  });

  it('gives published scores of predictions that are known, to the last digit shown', () => {
    const labels = (counts: readonly number[]) => counts.flatMap((n, k) => Array<number>(n).fill(k));
    const shown = (share: number) => (100 * share).toFixed(1);
    // always neutral, on the whole of IEMOCAP (angry, happy, sad, neutral) and on MELD's test part
    const iemocap = labels([1103, 1636, 1084, 1708]);
    const meld = labels([1256, 402, 281, 345, 208, 68, 50]);
    const four = score(
      iemocap,
      iemocap.map(() => 3),
      4,
    );
    expect([shown(four.wa), shown(four.ua), four.n]).toEqual(['30.9', '25.0', 5531]);
    const seven = score(
      meld,
      meld.map(() => 0),
      7,
    );
    expect([shown(seven.wa), shown(seven.wf1), seven.n]).toEqual(['48.1', '31.3', 2610]);
    // scikit-learn's user guide: classification_report and balanced_accuracy_score
    const report = score([0, 1, 2, 2, 0], [0, 0, 2, 1, 0], 3);
    expect(report.classes.map((one) => [one.precision, one.recall, one.f1].map((x) => x.toFixed(2)))).toEqual(
      [
        ['0.67', '1.00', '0.80'],
        ['0.00', '0.00', '0.00'],
        ['1.00', '0.50', '0.67'],
      ],
    );
    expect([report.wa, report.mf1, report.wf1].map((x) => x.toFixed(2))).toEqual(['0.60', '0.49', '0.59']);
    expect(score([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 2).ua).toBe(0.625);
  });
});
