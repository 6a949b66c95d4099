import { describe, expect, it } from 'vitest';
import { minimise } from '../../src/probe/lbfgs.ts';

describe('minimise', () => {
  it('finds the minimum of a badly scaled parabola', () => {
    const scales = [1, 100, 1e4, 0.01];
    const { x, converged, iterations } = minimise(
      (at, gradient) => {
        let value = 0;
        scales.forEach((scale, i) => {
          const away = (at[i] as number) - i;
          value += (scale * away ** 2) / 2;
          gradient[i] = scale * away;
        });
        return value;
      },
      new Float64Array([3, -2, 5, 40]),
      { tolerance: 1e-9 },
    );
    expect(converged).toBe(true);
    expect(iterations).toBeLessThan(60);
    x.forEach((value, i) => expect(value).toBeCloseTo(i, 6));
  });

  it("finds the bottom of Rosenbrock's valley", () => {
    const { x, converged } = minimise(
      (at, gradient) => {
        const [a, b] = [at[0] as number, at[1] as number];
        gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
        gradient[1] = 200 * (b - a * a);
        return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
      },
      new Float64Array([-1.2, 1]),
    );
    expect(converged).toBe(true);
    expect(x[0]).toBeCloseTo(1, 5);
    expect(x[1]).toBeCloseTo(1, 5);
  });

  it('says so where it runs out of iterations, and is done at once at a minimum', () => {
    const square = (at: Float64Array, gradient: Float64Array): number => {
      gradient[0] = 4 * (at[0] as number) ** 3;
      return (at[0] as number) ** 4;
    };
    expect(minimise(square, new Float64Array([9]), { iterations: 2 }).converged).toBe(false);
    expect(minimise(square, new Float64Array([0]))).toMatchObject({ converged: true, iterations: 0 });
  });
});
