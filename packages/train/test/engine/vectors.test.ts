import { describe, expect, it } from 'vitest';
import { commonMemory, trainingVectors } from '../../src/engine/vectors.ts';

describe('training vectors', () => {
  it('are zeros of the size, apart from each other, in one memory', () => {
    // 16400 * 4 * 4 bytes: a little more than four pages
    const { parameters, gradient, moments } = trainingVectors(16_400);
    const all = [parameters, gradient, moments.first, moments.second];
    expect(all.map((vector) => vector.length)).toEqual([16_400, 16_400, 16_400, 16_400]);
    all.forEach((vector, i) => vector.fill(i + 1));
    expect(all.map((vector) => [vector[0], vector.at(-1)])).toEqual([1, 2, 3, 4].map((x) => [x, x]));
    expect(commonMemory(all)?.buffer).toBe(parameters.buffer);
    expect(commonMemory(all.map((vector) => vector.subarray(5, 7)))?.buffer).toBe(parameters.buffer);
  });

  it('have no memory in common with other arrays', () => {
    const [one, other] = [trainingVectors(4), trainingVectors(4)];
    expect(commonMemory([one.parameters, other.gradient])).toBeUndefined();
    expect(commonMemory([one.parameters, new Float32Array(4)])).toBeUndefined();
    expect(commonMemory([new Float32Array(4)])).toBeUndefined();
    expect(commonMemory([])).toBeUndefined();
  });
});
