import { describe, expect, it } from 'vitest';
import { parameterCount, parameterViews } from '../../src/engine/parameters.ts';
import type { ParameterSpec } from '../../src/head/contract.ts';

const spec = (name: string, shape: number[]): ParameterSpec => ({
  name,
  shape,
  init: { kind: 'constant', value: 0 },
  stream: 'weights',
  averaged: false,
});

describe('parameter layout', () => {
  it('lays parameters one after the other', () => {
    const views = parameterViews([spec('a', [2, 3]), spec('b', []), spec('c', [4])]);
    expect(views.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ['a', 0, 6],
      ['b', 6, 1],
      ['c', 7, 4],
    ]);
    expect(parameterCount(views)).toBe(11);
    expect(parameterCount([])).toBe(0);
  });

  it('refuses a name that comes twice', () => {
    expect(() => parameterViews([spec('a', [2]), spec('a', [3])])).toThrow('parameter a is listed twice');
  });
});
