import { describe, expect, it } from 'vitest';
import type { ParameterSpec } from '../../src/head/contract.ts';
import { initialValues } from '../../src/head/initial-values.ts';

const base = { stream: 'weights', averaged: false } as const;
const SPECS: ParameterSpec[] = [
  { ...base, name: 'a', shape: [40, 50], init: { kind: 'uniform', bound: 0.5 } },
  { ...base, name: 'gain', shape: [7], init: { kind: 'constant', value: 1 } },
  { name: 'labels', shape: [4, 500], init: { kind: 'normal', sd: 2 }, stream: 'labels', averaged: true },
];
const SEEDS = { weights: 1, labels: 2 };

function moments(values: Float32Array): { mean: number; sd: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

describe('initialValues', () => {
  it('draws what each parameter asks for', () => {
    const values = initialValues(SPECS, SEEDS);
    expect(values.length).toBe(4007);
    const uniform = values.subarray(0, 2000);
    expect(Math.max(...uniform.map(Math.abs))).toBeLessThanOrEqual(0.5);
    // sd of the mean is 0.0065, of the sd about 0.003
    expect(Math.abs(moments(uniform).mean)).toBeLessThan(0.03);
    expect(Math.abs(moments(uniform).sd - 0.5 / Math.sqrt(3))).toBeLessThan(0.015);
    expect(Array.from(values.subarray(2000, 2007))).toEqual([1, 1, 1, 1, 1, 1, 1]);
    const normal = values.subarray(2007);
    expect(Math.abs(moments(normal).mean)).toBeLessThan(0.2);
    expect(Math.abs(moments(normal).sd - 2)).toBeLessThan(0.15);
  });

  it('has a seed for the weights and one for the labels', () => {
    const values = initialValues(SPECS, SEEDS);
    expect(initialValues(SPECS, SEEDS)).toEqual(values);
    const labels = initialValues(SPECS, { weights: 1, labels: 3 });
    expect(labels.subarray(0, 2007)).toEqual(values.subarray(0, 2007));
    expect(labels[2007]).not.toBe(values[2007]);
    const weights = initialValues(SPECS, { weights: 4, labels: 2 });
    expect(weights.subarray(2007)).toEqual(values.subarray(2007));
    expect(weights[0]).not.toBe(values[0]);
  });

  it('draws a parameter alike whatever stands beside it', () => {
    const values = initialValues(SPECS, SEEDS);
    expect(initialValues(SPECS.slice(2), SEEDS)).toEqual(values.subarray(2007));
  });
});
