import { describe, expect, it } from 'vitest';
import { withLength } from '../../src/exchange/table-columns.ts';

const cell = (shape: number[], values: number[]) => ({ shape, values: Float32Array.from(values) });

describe('a length beside a row', () => {
  it('cuts padding, and what is not padding only when its column is named', () => {
    const padded = cell([3, 2], [1, 2, 3, 4, 0, 0]);
    const cut = { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) };
    expect(withLength(padded, 2, false)).toEqual(cut);
    expect(withLength(padded, 2, true)).toEqual(cut);
    expect(withLength(padded, 1, true).shape).toEqual([1, 2]);
    expect(() => withLength(padded, 1, false)).toThrow(/seems to be 1, and steps after that are not 0: name/);
    expect(withLength(padded, 3, true)).toEqual(padded);
  });

  it('makes steps of flat values only when its column is named', () => {
    const flat = cell([4], [1, 2, 3, 4]);
    expect(withLength(flat, 2, true)).toEqual({ shape: [2, 2], values: flat.values });
    expect(withLength(flat, 2, false)).toEqual(flat);
    expect(() => withLength(flat, 3, true)).toThrow('its length is 3, and its shape [4]');
  });

  it('that cannot be is refused when its column is named', () => {
    const padded = cell([2, 1], [1, 2]);
    for (const n of [0, 3, 1.5, Number.NaN]) {
      expect(() => withLength(padded, n, true)).toThrow(`its length is ${n}, and its shape [2, 1]`);
      expect(withLength(padded, n, false)).toEqual(padded);
    }
  });
});
