import { describe, expect, it } from 'vitest';
import { Rng } from '@lsgmer/datasets';
import { chooseShapes, covers, type Lengths, rowCost, rowsOf } from '../../src/batches/shapes.ts';

const limits = { batchSize: 32, batchFrames: 12_800, batchShapes: 6 };

/** Log-normal durations with words and frames that follow them loosely, as speech has. */
function speech(n: number, seed: number): Lengths[] {
  const rng = Rng.for('speech', seed);
  return Array.from({ length: n }, () => {
    const seconds = Math.min(35, 3.2 * Math.exp(0.75 * rng.normal()) + 0.1);
    return {
      text: Math.max(3, Math.round(seconds * 3.5 * (0.6 + 0.8 * rng.uniform()))),
      audio: Math.max(2, Math.floor(seconds * 50)),
      map: Math.max(1, Math.floor(seconds * 4)),
    };
  });
}

/** Padded cost over true cost when each item runs in the cheapest shape that covers it. */
function waste(lengths: readonly Lengths[], shapes: readonly Lengths[]): number {
  let padded = 0;
  let real = 0;
  for (const one of lengths) {
    padded += Math.min(...shapes.filter((shape) => covers(shape, one)).map(rowCost));
    real += rowCost(one);
  }
  return padded / real;
}

describe('chooseShapes', () => {
  it('covers every length with few shapes by rising cost', () => {
    const lengths = speech(2000, 1);
    const shapes = chooseShapes(lengths, limits);
    expect(shapes.length).toBeLessThanOrEqual(6);
    expect(lengths.every((one) => shapes.some((shape) => covers(shape, one)))).toBe(true);
    const costs = shapes.map(rowCost);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });

  it('wastes far less than one shape, and less with more shapes', () => {
    const lengths = speech(2000, 2);
    const by = (batchShapes: number): number =>
      waste(lengths, chooseShapes(lengths, { ...limits, batchShapes }));
    const [one, three, six, twelve] = [by(1), by(3), by(6), by(12)];
    expect(one).toBeGreaterThan(4);
    expect(three).toBeLessThan(2);
    expect(six).toBeLessThan(1.45);
    expect(twelve).toBeLessThan(1.3);
  });

  it('depends on the lengths, not on their order', () => {
    const lengths = speech(300, 3);
    const shuffled = Rng.for('order', 1).shuffle([...lengths]);
    expect(chooseShapes(shuffled, limits)).toEqual(chooseShapes(lengths, limits));
  });

  it('merges what is nearly equal and leaves unused features at 0', () => {
    const lengths = Array.from({ length: 50 }, (_, i) => ({ text: 0, audio: 100 + (i % 2), map: 0 }));
    expect(chooseShapes(lengths, limits)).toEqual([{ rows: 32, text: 0, audio: 101, map: 0 }]);
  });

  it.each([
    [{ text: 40, audio: 400, map: 30 }, 32],
    [{ text: 40, audio: 401, map: 30 }, 16],
    [{ text: 98, audio: 1749, map: 140 }, 7],
    [{ text: 98, audio: 20_000, map: 140 }, 1],
  ])('cuts an update of 32 into equal parts: %j', (lengths, rows) => {
    expect(rowsOf(lengths, limits)).toBe(rows);
  });
});
