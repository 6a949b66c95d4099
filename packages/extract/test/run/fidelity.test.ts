import { describe, expect, it } from 'vitest';
import { compareSteps, describeFidelity, fidelityJson } from '../../src/run/fidelity.ts';

const steps = (...rows: number[][]) => ({ n: rows.length, values: Float32Array.from(rows.flat()) });

describe('compareSteps', () => {
  it('compares step by step', () => {
    const exact = [steps([3, 4], [1, 0]), steps([0, 0])];
    const found = [steps([6, 8], [1, 1]), steps([0, 0])];
    const fidelity = compareSteps(exact, found, 2);
    expect(fidelity.utterances).toBe(2);
    expect(fidelity.steps).toBe(3);
    expect(fidelity.cosine.lowest).toBeCloseTo(Math.SQRT1_2, 12);
    expect(fidelity.cosine.mean).toBeCloseTo((1 + Math.SQRT1_2 + 1) / 3, 12);
    expect(fidelity.largestError).toBe(4);
    // 1 - (9 + 0 + 0) / (14/3) and 1 - (16 + 1 + 0) / (32/3), of which the tenth is the lower
    expect(fidelity.r2?.median).toBeCloseTo(1 - 9 / (10 - 16 / 3), 12);
    expect(fidelity.scale).toBeCloseTo(Math.sqrt(26 / 6), 12);
  });

  it('sees a step that vanished', () => {
    expect(compareSteps([steps([1, 2])], [steps([0, 0])], 2).cosine.lowest).toBe(0);
  });

  it('sees that steps became alike, where a cosine sees what they have in common', () => {
    const common = [40, -30, 0];
    const exact = Array.from({ length: 20 }, (_, i) => [40, -30 + Math.sin(i), Math.cos(i)]);
    const same = compareSteps([steps(...exact)], [steps(...exact)], 3);
    const alike = compareSteps([steps(...exact)], [steps(...exact.map(() => common))], 3);
    // The first dimension does not vary.
    expect(same.r2).toEqual({ median: 1, tenth: 1 });
    expect(alike.cosine.mean).toBeGreaterThan(0.999);
    expect(alike.r2?.median).toBeLessThan(0.01);
    expect(compareSteps([steps([1, 2], [3, 4])], [steps([1, 2], [3, 4])], 2).r2).toBeNull();
  });

  it('is said in one line, and kept as JSON', () => {
    const fidelity = compareSteps([steps([3, 4])], [steps([3, 4.5])], 2);
    expect(describeFidelity(fidelity)).toBe(
      'cosine 0.99846 on average, 0.99846 at least, largest error 0.50 where values spread by 3.5 (1 utterances)',
    );
    const more = compareSteps([steps([1], [2], [4])], [steps([1], [2], [4.5])], 1);
    expect(describeFidelity(more)).toContain(
      ' at least, R2 of the dimensions 0.946 (a tenth below 0.946), largest',
    );
    expect(fidelityJson(more)).toMatchObject({ r2: { median: more.r2?.median } });
    expect(fidelityJson(fidelity)).toMatchObject({ against: 'float32', utterances: 1, largestError: 0.5 });
  });
});
