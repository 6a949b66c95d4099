import { describe, expect, it } from 'vitest';
import {
  type Finish,
  finishSteps,
  finishTokens,
  finishedDim,
  finishedTimes,
} from '../../src/features/finish.ts';

const plain: Finish = { drop: { before: 0, after: 0 }, stride: 1, pool: 'none' };
/** Five steps of two values. */
const steps = { n: 5, values: Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40, 6, 60) };

describe('finishSteps', () => {
  it('leaves steps alone where nothing is asked for', () => {
    expect(finishSteps(steps, 2, plain)).toBe(steps);
  });

  it('averages neighbouring frames, the last ones among themselves', () => {
    expect(finishSteps(steps, 2, { ...plain, stride: 2 })).toEqual({
      n: 3,
      values: Float32Array.of(1.5, 15, 3.5, 35, 6, 60),
    });
    expect(finishSteps(steps, 2, { ...plain, stride: 4 }).n).toBe(2);
  });

  it('pools over time: mean, then the deviation of the population', () => {
    expect(finishSteps(steps, 2, { ...plain, pool: 'mean' })).toEqual({
      n: 1,
      values: Float32Array.of(3.2, 32),
    });
    const { n, values } = finishSteps(steps, 2, { ...plain, pool: 'mean-std' });
    expect(n).toBe(1);
    // numpy.std([1, 2, 3, 4, 6]) = 1.7204650534085253
    expect([...values].map((value) => value.toFixed(4))).toEqual(['3.2000', '32.0000', '1.7205', '17.2047']);
    const one = { n: 1, values: Float32Array.of(7, 8) };
    expect([...finishSteps(one, 2, { ...plain, pool: 'mean-std' }).values]).toEqual([7, 8, 0, 0]);
  });

  it('leaves special tokens out before anything else', () => {
    const drop = { before: 1, after: 1 };
    expect(finishSteps(steps, 2, { ...plain, drop })).toEqual({
      n: 3,
      values: Float32Array.of(2, 20, 3, 30, 4, 40),
    });
    expect([...finishSteps(steps, 2, { ...plain, drop, pool: 'mean' }).values]).toEqual([3, 30]);
    expect(
      finishSteps({ n: 2, values: steps.values.slice(0, 4) }, 2, { ...plain, drop, pool: 'mean' }).n,
    ).toBe(0);
  });
});

describe('finishTokens', () => {
  const tokens = { ids: Int32Array.of(0, 17, 42, 2), spans: Int32Array.of(0, 0, 0, 3, 4, 7, 0, 0) };

  it('keeps the tokens of the steps that are left', () => {
    expect(finishTokens(tokens, 7, plain)).toEqual(tokens);
    expect(finishTokens(tokens, 7, { ...plain, drop: { before: 1, after: 1 } })).toEqual({
      ids: Int32Array.of(17, 42),
      spans: Int32Array.of(0, 3, 4, 7),
    });
  });

  it('gives a pooled text one step that spans it', () => {
    expect(finishTokens(tokens, 7, { ...plain, pool: 'mean' })).toEqual({
      ids: Int32Array.of(-1),
      spans: Int32Array.of(0, 7),
    });
  });
});

describe('what a finished feature states', () => {
  it('is its width and the times of its steps', () => {
    expect(finishedDim(4, { ...plain, pool: 'mean-std' })).toBe(8);
    const times = { firstSeconds: 0.0125, stepSeconds: 0.02 };
    expect(finishedTimes(times, plain)).toEqual(times);
    // Frames 0 and 1 lie at 12.5 and 32.5 ms.
    expect(finishedTimes(times, { ...plain, stride: 2 })).toEqual({
      firstSeconds: 0.0225,
      stepSeconds: 0.04,
    });
    expect(finishedTimes(times, { ...plain, pool: 'mean' })).toEqual({
      firstSeconds: null,
      stepSeconds: null,
    });
    expect(finishedTimes({ firstSeconds: null, stepSeconds: null }, plain).stepSeconds).toBeNull();
  });
});
