import { expect, it } from 'vitest';
import { decodeLabelHistory, encodeLabelHistory, labelTables } from '../../src/analysis/label-history.ts';
import { encodeAnalysis } from '../../src/analysis/analysis-file.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { goldenDims } from '../support/head-golden.ts';

const about = { run: '0123456789ab', rule: 'last', classes: ['angry', 'sad'] };

it.each([
  [{ d: 4, heads: 2 }, ['shared']],
  [{ d: 4, heads: 2, 'label.tables': 'per-modality' }, ['a', 't']],
  [{ d: 4, heads: 2, 'label.attention': false, 'loss.apc': 0 }, []],
])('%o: the tables %o', (config, names) => {
  const specs = lsgmer.parameters(config, goldenDims, 3);
  const size = specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const flat = Float32Array.from({ length: size }, (_, i) => i);
  const tables = labelTables(specs, flat, 7);
  expect(tables.map((table) => [table.epoch, table.name, table.values.length])).toEqual(
    names.map((name) => [7, name, 12]),
  );
  let offset = 0;
  for (const { name, shape } of specs) {
    if (name.startsWith('label.table')) expect(tables.some(({ values }) => values[0] === offset)).toBe(true);
    offset += shape.reduce((a, b) => a * b, 1);
  }
  flat.fill(0); // copies
  if (names.length > 0) expect(tables[0]?.values[1]).toBeGreaterThan(0);
  expect(decodeLabelHistory(encodeLabelHistory(tables, about))).toEqual({ about, tables });
});

it('is refused where it is something else', () => {
  expect(() => decodeLabelHistory(encodeAnalysis([], about))).toThrow(/no column epoch, name, values/);
});
