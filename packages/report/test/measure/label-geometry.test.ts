import { expect, it } from 'vitest';
import { labelCosines, labelPath } from '../../src/measure/label-geometry.ts';
import { golden } from './golden.ts';

const table = Float32Array.from(golden.table.flat());
const moved = Float32Array.from(golden.moved.flat());

it('has the cosines of scikit-learn', () => {
  const found = labelCosines(table, 4);
  found.forEach((row, i) =>
    row.forEach((value, j) => expect(value).toBeCloseTo(golden.cosines[i]?.[j] as number, 6)),
  );
});

it('measures the way from the start as numpy does', () => {
  const path = labelPath(
    [
      { epoch: 0, values: table },
      { epoch: 1, values: moved },
    ],
    4,
  );
  expect(path[0]).toMatchObject({ epoch: 0, distance: 0 });
  path[0]?.cosines.forEach((value) => expect(value).toBeCloseTo(1, 12));
  expect(path[1]?.distance).toBeCloseTo(golden.movement, 6);
  expect(labelPath([], 4)).toEqual([]);
});
