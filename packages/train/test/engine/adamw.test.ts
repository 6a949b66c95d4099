import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AdamW, type AdamWOptions } from '../../src/engine/adamw.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/adamw/adamw.json', import.meta.url), 'utf8'),
) as {
  torch: string;
  options: Required<Omit<AdamWOptions, 'undecayed'>>;
  decayed: number;
  parameters: number[];
  gradients: number[][];
  after: number[][];
  first: number[];
  second: number[];
};

const size = golden.parameters.length;
const undecayed = [{ offset: golden.decayed, length: size - golden.decayed }];

/** Largest difference of an element, relative to that element. */
function worst(found: Float32Array, expected: readonly number[]): number {
  return Math.max(
    ...expected.map((value, i) => Math.abs((found[i] as number) - value) / (Math.abs(value) || 1)),
  );
}

describe(`AdamW against torch ${golden.torch}, 20 steps`, () => {
  it('parameters after every step, moments after the last, with and without decay', () => {
    const optimiser = new AdamW(size, { ...golden.options, undecayed });
    const parameters = Float32Array.from(golden.parameters);
    for (const [i, gradient] of golden.gradients.entries()) {
      optimiser.step(parameters, Float32Array.from(gradient));
      // Rounding to float32 after every step: 20 half units in the last place at most, where a value is near 0 more.
      expect(worst(parameters, golden.after[i] as number[]), `step ${i + 1}`).toBeLessThan(5e-6);
    }
    expect(worst(optimiser.first, golden.first)).toBeLessThan(1e-6);
    expect(worst(optimiser.second, golden.second)).toBeLessThan(1e-6);
    expect(optimiser.steps).toBe(20);
  });

  it('decays all parameters unless told otherwise', () => {
    const optimiser = new AdamW(size, golden.options);
    const parameters = Float32Array.from(golden.parameters);
    optimiser.step(parameters, Float32Array.from(golden.gradients[0] as number[]));
    const after = golden.after[0] as number[];
    expect(worst(parameters.subarray(0, golden.decayed), after.slice(0, golden.decayed))).toBeLessThan(1e-6);
    const { lr, decay } = golden.options;
    for (let i = golden.decayed; i < size; i++) {
      const expected = (after[i] as number) - lr * decay * (golden.parameters[i] as number);
      expect(parameters[i]).toBeCloseTo(expected, 6);
    }
  });

  it('goes on from restored moments as if it had never stopped', () => {
    const steps = golden.gradients.map((gradient) => Float32Array.from(gradient));
    const whole = new AdamW(size, golden.options);
    const expected = Float32Array.from(golden.parameters);
    for (const gradient of steps) whole.step(expected, gradient);

    const before = new AdamW(size, golden.options);
    const parameters = Float32Array.from(golden.parameters);
    for (const gradient of steps.slice(0, 7)) before.step(parameters, gradient);
    const after = new AdamW(size, golden.options);
    after.first.set(before.first);
    after.second.set(before.second);
    after.steps = before.steps;
    for (const gradient of steps.slice(7)) after.step(parameters, gradient);
    expect(parameters).toEqual(expected);
  });

  it('refuses other lengths, and spans that overlap or leave the vector', () => {
    const optimiser = new AdamW(4, golden.options);
    expect(() => optimiser.step(new Float32Array(4), new Float32Array(5))).toThrow('AdamW of 4 parameters');
    const with_ = (...undecayed: { offset: number; length: number }[]): AdamW =>
      new AdamW(4, { ...golden.options, undecayed });
    expect(() => with_({ offset: 3, length: 2 })).toThrow('leaves 0..4');
    expect(() => with_({ offset: 2, length: 2 }, { offset: 1, length: 2 })).toThrow('overlaps');
    expect(() => with_({ offset: 2, length: 2 }, { offset: 0, length: 1 })).not.toThrow();
  });
});
