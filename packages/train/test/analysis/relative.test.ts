import { expect, it } from 'vitest';
import { relative } from '../../src/analysis/relative.ts';

it('keeps each row relative to its maximum, and leaves out what is past the real steps', () => {
  const { values, max } = relative(Float32Array.of(0.5, 0.25, 0.1, 9, 0, 0, 0, 9), 4, 3);
  expect([...values]).toEqual([255, 128, 51, 0, 0, 0]);
  expect([...max]).toEqual([0.5, 0]);
});

it('has nothing to keep of no steps', () => {
  expect(relative(new Float32Array(8), 4, 0)).toEqual({
    values: new Uint8Array(0),
    max: new Float32Array(2),
  });
  expect(relative(new Float32Array(0), 0, 0).max.length).toBe(0);
});
