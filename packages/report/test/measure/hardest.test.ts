import { NO_PREDICTION, type Prediction } from '@lsgmer/train';
import { expect, it } from 'vitest';
import { hardestUtterances } from '../../src/measure/hardest.ts';

const said = (id: string, label: number, prediction: number, p: number): Prediction => ({
  id,
  label,
  prediction,
  probabilities: prediction === NO_PREDICTION ? [] : label === 0 ? [p, 1 - p] : [1 - p, p],
});

it('orders by the share of seeds that were wrong, then by the probability of the truth', () => {
  const seeds = [
    { fold: 'a', predictions: [said('right', 0, 0, 0.9), said('once', 0, 1, 0.4), said('hard', 1, 0, 0.1)] },
    { fold: 'a', predictions: [said('right', 0, 0, 0.8), said('once', 0, 0, 0.6), said('hard', 1, 0, 0.3)] },
    { fold: 'b', predictions: [said('worse', 0, 1, 0.05)] },
  ];
  const found = hardestUtterances(seeds, 10);
  expect(found.map((one) => [one.id, one.fold, one.wrong, one.seeds])).toEqual([
    ['worse', 'b', 1, 1],
    ['hard', 'a', 2, 2],
    ['once', 'a', 1, 2],
  ]);
  expect(found[1]?.truth).toBeCloseTo(0.2, 12);
  expect(found[2]?.said).toEqual([
    { prediction: 0, times: 1 },
    { prediction: 1, times: 1 },
  ]);
  expect(hardestUtterances(seeds, 1)).toHaveLength(1);
});

it('counts what has no prediction as wrong, without a probability', () => {
  const [found] = hardestUtterances([{ fold: 'a', predictions: [said('lost', 0, NO_PREDICTION, 0)] }], 1);
  expect(found).toMatchObject({ wrong: 1, truth: null });
});
