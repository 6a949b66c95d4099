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
    expect(fidelity.scale).toBeCloseTo(Math.sqrt(26 / 6), 12);
  });

  it('sees a step that vanished', () => {
    expect(compareSteps([steps([1, 2])], [steps([0, 0])], 2).cosine.lowest).toBe(0);
  });

  it('is said in one line, and kept as JSON', () => {
    const fidelity = compareSteps([steps([3, 4])], [steps([3, 4.5])], 2);
    expect(describeFidelity(fidelity)).toBe(
      'cosine 0.99846 on average, 0.99846 at least, largest error 0.50 where values spread by 3.5 (1 utterances)',
    );
    expect(fidelityJson(fidelity)).toMatchObject({ against: 'float32', utterances: 1, largestError: 0.5 });
  });
});
