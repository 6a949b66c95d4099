import { argmax, NO_PREDICTION, type Prediction } from '@lsgmer/train';
import { expect, it } from 'vitest';
import { calibration } from '../../src/measure/calibration.ts';
import { golden } from './golden.ts';

const predictions = golden.truth.map((label, i): Prediction => {
  const probabilities = golden.probabilities[i] as readonly number[];
  return { id: `u/${i}`, label, prediction: argmax(probabilities), probabilities };
});

it('equals scikit-learn in log loss and Brier score, and the definition of the calibration error', () => {
  const found = calibration(predictions);
  expect(found.n).toBe(120);
  expect(found.ece).toBeCloseTo(golden.ece, 12);
  expect(found.nll).toBeCloseTo(golden.nll, 7);
  expect(found.brier).toBeCloseTo(golden.brier, 12);
  expect(found.bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(120);
});

it('leaves out what has no prediction', () => {
  const missing: Prediction = { id: 'u/x', label: 0, prediction: NO_PREDICTION, probabilities: [] };
  expect(calibration([...predictions, missing])).toEqual(calibration(predictions));
});

it('puts a confidence on the edge of two bins into the lower one', () => {
  const at = (p: number): number =>
    calibration([{ id: 'u/x', label: 0, prediction: 0, probabilities: [p, 1 - p] }]).bins.findIndex(
      (bin) => bin.n === 1,
    );
  expect([at(0), at(0.1), at(0.10001), at(0.5), at(1)]).toEqual([0, 0, 1, 4, 9]);
});
