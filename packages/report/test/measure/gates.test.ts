import { expect, it } from 'vitest';
import { gatesByClass } from '../../src/measure/gates.ts';
import { golden } from './golden.ts';

it('has the quantiles and the standard deviation of numpy', () => {
  const rows = golden.weights.map((w) => ({ label: 1, gate: Float32Array.of(w, 1 - w) }));
  const [none, found] = gatesByClass(rows, 2);
  expect(none).toMatchObject({ label: 0, n: 0 });
  expect(none?.p50).toBeNaN();
  expect(found?.n).toBe(23);
  expect(found?.sd).toBeCloseTo(golden.sd, 7);
  const quantiles = [found?.p05, found?.p25, found?.p50, found?.p75, found?.p95];
  quantiles.forEach((value, i) => expect(value).toBeCloseTo(golden.quantiles[i] as number, 7));
});
