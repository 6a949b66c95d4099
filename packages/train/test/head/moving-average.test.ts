import { describe, expect, it } from 'vitest';
import type { HeadConfig } from '../../src/head/contract.ts';
import { LabelAverage, type LabelSpan } from '../../src/head/moving-average.ts';

// one table of two labels with two values each, between other parameters
const SPANS: LabelSpan[] = [{ offset: 1, length: 4, rows: 2 }];
const START = [9, 1, 0, 0, 2, 9];
const vector = (values: number[]) => Float32Array.from(values);

function average(config: HeadConfig, parameters: Float32Array): LabelAverage {
  return new LabelAverage({ 'ma.alpha': 0.75, ...config }, SPANS, parameters);
}

/** The optimiser: adds to the labels (and to the other parameters, which the average must leave alone). */
function move(parameters: Float32Array, by: number): void {
  for (let i = 0; i < parameters.length; i++) parameters[i] = (parameters[i] as number) + by;
}

describe('LabelAverage (Eq. 9)', () => {
  it('resets to the average once an epoch: a quarter of the movement is kept at alpha 0.75', () => {
    const parameters = vector(START);
    const ma = average({}, parameters);
    move(parameters, 4);
    expect(ma.afterStep(parameters)).toEqual([]);
    move(parameters, 4);
    ma.afterStep(parameters);
    expect(Array.from(parameters)).toEqual([17, 9, 8, 8, 10, 17]); // nothing happens between epochs
    const { movement, forget } = ma.afterEpoch(parameters);
    expect(Array.from(parameters)).toEqual([17, 3, 2, 2, 4, 17]);
    expect(forget).toEqual([]);
    expect(movement.relative).toBeCloseTo(Math.sqrt(4 * 64) / Math.sqrt(5), 6);
    expect(movement.cosines[0]).toBeCloseTo(3 / Math.hypot(3, 2), 6);
    expect(movement.cosines[1]).toBeCloseTo(4 / Math.hypot(2, 4), 6);
    move(parameters, 4);
    expect(ma.afterEpoch(parameters).movement.relative).toBeCloseTo(8 / Math.hypot(3, 2, 2, 4), 6);
    expect(Array.from(parameters)).toEqual([21, 4, 3, 3, 5, 21]);
  });

  it('decays nothing of the initial embedding: 1 % of every movement is kept', () => {
    const parameters = vector(START);
    const ma = new LabelAverage({}, SPANS, parameters); // alpha 0.99
    for (let epoch = 0; epoch < 50; epoch++) {
      move(parameters, 1);
      ma.afterEpoch(parameters);
    }
    [1, 0, 0, 2].forEach((start, i) => expect(parameters[1 + i]).toBeCloseTo(start + 0.5, 4));
  });

  it('every step averages after each step and not again at the end of the epoch', () => {
    const parameters = vector(START);
    const ma = average({ 'ma.every': 'step' }, parameters);
    move(parameters, 4);
    ma.afterStep(parameters);
    expect(Array.from(parameters)).toEqual([13, 2, 1, 1, 3, 13]);
    move(parameters, 4);
    ma.afterStep(parameters);
    expect(Array.from(parameters)).toEqual([17, 3, 2, 2, 4, 17]);
    const { movement } = ma.afterEpoch(parameters);
    expect(Array.from(parameters)).toEqual([17, 3, 2, 2, 4, 17]);
    expect(movement.relative).toBeCloseTo(4 / Math.sqrt(5), 6);
  });

  it('shadow: training goes on from what the steps made, evaluation sees the average', () => {
    const parameters = vector(START);
    const ma = average({ 'ma.role': 'shadow' }, parameters);
    move(parameters, 4);
    ma.afterEpoch(parameters);
    expect(Array.from(parameters)).toEqual([13, 5, 4, 4, 6, 13]);
    const back = ma.forEvaluation(parameters);
    expect(Array.from(parameters)).toEqual([13, 2, 1, 1, 3, 13]);
    back();
    expect(Array.from(parameters)).toEqual([13, 5, 4, 4, 6, 13]);
    move(parameters, 4);
    ma.afterEpoch(parameters);
    ma.forEvaluation(parameters);
    expect(Array.from(parameters)).toEqual([17, 3.75, 2.75, 2.75, 4.75, 17]); // 2 + (9 - 2) / 4
  });

  it('before: evaluation sees the labels as they were before the averaging', () => {
    const parameters = vector(START);
    const ma = average({ 'ma.evaluate': 'before' }, parameters);
    move(parameters, 4);
    ma.afterEpoch(parameters);
    const back = ma.forEvaluation(parameters);
    expect(Array.from(parameters)).toEqual([13, 5, 4, 4, 6, 13]);
    back();
    expect(Array.from(parameters)).toEqual([13, 2, 1, 1, 3, 13]);
  });

  it('clear: a reset asks the optimiser to forget the moments of the labels; nothing else does', () => {
    const forgets = (config: HeadConfig) => {
      const parameters = vector(START);
      const ma = average({ 'ma.moments': 'clear', ...config }, parameters);
      move(parameters, 1);
      return [ma.afterStep(parameters), ma.afterEpoch(parameters).forget];
    };
    expect(forgets({})).toEqual([[], SPANS]);
    expect(forgets({ 'ma.every': 'step' })).toEqual([SPANS, []]);
    expect(forgets({ 'ma.role': 'shadow' })).toEqual([[], []]);
    expect(forgets({ 'ma.alpha': 0 })).toEqual([[], []]);
  });

  it('alpha 0 is no moving average, to the bit', () => {
    const parameters = vector(START);
    const ma = average({ 'ma.alpha': 0 }, parameters);
    move(parameters, 0.1);
    const moved = Array.from(parameters);
    ma.afterEpoch(parameters);
    ma.forEvaluation(parameters);
    expect(Array.from(parameters)).toEqual(moved);
  });

  it('evaluates the initial labels before the first epoch ends', () => {
    const parameters = vector(START);
    average({}, parameters).forEvaluation(parameters);
    expect(Array.from(parameters)).toEqual(START);
  });

  it('goes on from its saved state as if it had never stopped', () => {
    const epochs = (from: LabelAverage, parameters: Float32Array, count: number) => {
      let last;
      for (let i = 0; i < count; i++) {
        move(parameters, 1);
        last = from.afterEpoch(parameters).movement;
      }
      return last;
    };
    const [straight, stopped] = [vector(START), vector(START)];
    const whole = average({ 'ma.role': 'shadow' }, straight);
    const expected = epochs(whole, straight, 5);
    const first = average({ 'ma.role': 'shadow' }, stopped);
    epochs(first, stopped, 2);
    const second = average({ 'ma.role': 'shadow' }, vector(START));
    second.restore(first.state);
    expect(epochs(second, stopped, 3)).toEqual(expected);
    whole.forEvaluation(straight);
    second.forEvaluation(stopped);
    expect(stopped).toEqual(straight);
    const short = { ...first.state, average: new Float32Array(3) };
    expect(() => second.restore(short)).toThrow('average has 3 values, expected 4');
  });

  it('does nothing where there are no labels', () => {
    const parameters = vector(START);
    const ma = new LabelAverage({}, [], parameters);
    move(parameters, 1);
    expect(ma.afterEpoch(parameters)).toEqual({ movement: { relative: 0, cosines: [] }, forget: [] });
    expect(Array.from(parameters)).toEqual(START.map((value) => value + 1));
  });
});
