import { describe, expect, it } from 'vitest';
import { adaptivePoolWeights, mapPoolWeights, mapPositions } from '../../src/head/interpolation.ts';

const WAVLM = { firstSeconds: 200 / 16000, stepSeconds: 320 / 16000 };
const ALEXNET = { firstSeconds: 31.5 / 128, stepSeconds: 32 / 128 };

describe('mapPositions', () => {
  it('places frames on the map by their centres in seconds', () => {
    const positions = mapPositions(149, 11, WAVLM, ALEXNET);
    expect(positions[0]).toBe(0); // 0.0125 s lies before the first step at 0.246 s: held
    expect(positions[50]).toBeCloseTo((1.0125 - 0.24609375) / 0.25, 6);
    expect(positions[148]).toBe(10); // 2.9725 s lies after the last of 11 steps at 2.746 s: held
  });

  it("ends at the utterance's own last step", () => {
    expect(Math.max(...mapPositions(149, 3, WAVLM, ALEXNET))).toBe(2);
    expect(new Set(mapPositions(149, 1, WAVLM, ALEXNET))).toEqual(new Set([0]));
  });

  it('fills a row in place and leaves the padding', () => {
    const row = new Float32Array(60).fill(-1);
    expect(mapPositions(50, 5, WAVLM, ALEXNET, row)).toBe(row);
    expect(row[49]).toBeCloseTo((0.9925 - 0.24609375) / 0.25, 6);
    expect(row[50]).toBe(-1);
  });

  it('refuses a map without steps', () => {
    expect(() => mapPositions(5, 0, WAVLM, ALEXNET)).toThrow('found 0 map steps, expected at least 1');
  });
});

describe('adaptivePoolWeights', () => {
  /** The rows as [first step, steps averaged]. */
  const bins = (steps: number, width?: number): number[][] => {
    const columns = width ?? steps;
    const weights = adaptivePoolWeights(6, steps, width);
    return Array.from({ length: 6 }, (_, i) => {
      const row = Array.from(weights.subarray(i * columns, (i + 1) * columns));
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
      return [row.findIndex((w) => w > 0), row.filter((w) => w > 0).length];
    });
  };

  // bins as torch.nn.AdaptiveAvgPool1d(6) averages them, read off with one-hot inputs
  it.each([
    [
      7,
      [
        [0, 2],
        [1, 2],
        [2, 2],
        [3, 2],
        [4, 2],
        [5, 2],
      ],
    ],
    [
      11,
      [
        [0, 2],
        [1, 3],
        [3, 3],
        [5, 3],
        [7, 3],
        [9, 2],
      ],
    ],
    [
      12,
      [
        [0, 2],
        [2, 2],
        [4, 2],
        [6, 2],
        [8, 2],
        [10, 2],
      ],
    ],
    [
      6,
      [
        [0, 1],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
        [5, 1],
      ],
    ],
    [
      4,
      [
        [0, 1],
        [0, 2],
        [1, 1],
        [2, 1],
        [2, 2],
        [3, 1],
      ],
    ],
    [
      1,
      [
        [0, 1],
        [0, 1],
        [0, 1],
        [0, 1],
        [0, 1],
        [0, 1],
      ],
    ],
  ])('pools %i steps as PyTorch does', (steps, expected) => {
    expect(bins(steps)).toEqual(expected);
    expect(bins(steps, 20)).toEqual(expected); // the padding stays 0
  });

  it('is what mapPool holds', () => {
    expect(mapPoolWeights(4, 9)).toEqual(adaptivePoolWeights(6, 4, 9));
  });

  it('refuses steps outside the matrix', () => {
    expect(() => adaptivePoolWeights(6, 0, 4)).toThrow('found 0 steps, expected 1 to 4');
    expect(() => adaptivePoolWeights(6, 5, 4)).toThrow('found 5 steps, expected 1 to 4');
  });
});
