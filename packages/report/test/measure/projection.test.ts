import { expect, it } from 'vitest';
import { project, sample, silhouette } from '../../src/measure/projection.ts';
import { golden } from './golden.ts';

const vectors = golden.vectors.map((row) => Float32Array.from(row));
const labels = golden.truth.slice(0, vectors.length);

it('has the silhouette of scikit-learn', () => {
  expect(silhouette(vectors, labels)).toBeCloseTo(golden.silhouette, 6);
});

it('has no silhouette of a single class, and 0 for whoever is alone in its class', () => {
  expect(silhouette(vectors.slice(0, 3), [1, 1, 1])).toBeNaN();
  // by hand: points 0, 1 | 10; (10 - 1) / 10, (9 - 1) / 9, alone: 0
  const line = [0, 1, 10].map((x) => Float32Array.of(x));
  expect(silhouette(line, [0, 0, 1])).toBeCloseTo((0.9 + 8 / 9) / 3, 12);
});

it('gives the same picture for the same seed, and another for another', () => {
  const once = project(vectors, 3);
  expect(once).toHaveLength(vectors.length);
  expect(once.flat().every(Number.isFinite)).toBe(true);
  expect(project(vectors, 3)).toEqual(once);
  expect(project(vectors, 4)).not.toEqual(once);
});

it('keeps far groups apart', () => {
  const two = Array.from({ length: 30 }, (_, i) =>
    Float32Array.from({ length: 5 }, (_, k) => (i % 2) * 50 + Math.sin(i * 7 + k)),
  );
  const points = project(two, 1);
  const centre = (parity: number, axis: number): number => {
    const mine = points.filter((_, i) => i % 2 === parity);
    return mine.reduce((sum, point) => sum + (point[axis] as number), 0) / mine.length;
  };
  const apart = Math.hypot(centre(0, 0) - centre(1, 0), centre(0, 1) - centre(1, 1));
  const inside = points
    .filter((_, i) => i % 2 === 0)
    .map(([x, y]) => Math.hypot(x - centre(0, 0), y - centre(0, 1)));
  expect(apart).toBeGreaterThan(2 * Math.max(...inside));
});

it('draws a sample once, in order, the same for a seed', () => {
  expect(sample(3, 5, 1)).toEqual([0, 1, 2]);
  const some = sample(100, 10, 1);
  expect(some).toHaveLength(10);
  expect(new Set(some).size).toBe(10);
  expect([...some].sort((a, b) => a - b)).toEqual(some);
  expect(sample(100, 10, 1)).toEqual(some);
  expect(sample(100, 10, 2)).not.toEqual(some);
});
