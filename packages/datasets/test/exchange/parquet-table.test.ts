import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { encodeParquetTable } from '../../src/exchange/parquet-table.ts';

describe('encodeParquetTable', () => {
  it('keeps numbers, whole numbers, texts and empty cells', async () => {
    const bytes = await encodeParquetTable([
      { name: 'run', values: ['a', null] },
      { name: 'seed', values: [1, 2], integer: true },
      { name: 'value', values: [1, 0.1] },
      { name: 'mixed', values: [1, 'x'] },
      { name: 'none', values: [null, null] },
    ]);
    expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('PAR1');
    const table = tableFromIPC(readParquet(bytes).intoIPCStream());
    expect(table.schema.fields.map((field) => [field.name, String(field.type)])).toEqual([
      ['run', 'Utf8'],
      ['seed', 'Int32'],
      ['value', 'Float64'],
      ['mixed', 'Utf8'],
      ['none', 'Utf8'],
    ]);
    expect(table.toArray().map((row) => (row as { toJSON(): object }).toJSON())).toEqual([
      { run: 'a', seed: 1, value: 1, mixed: '1', none: null },
      { run: null, seed: 2, value: 0.1, mixed: 'x', none: null },
    ]);
  });
});
