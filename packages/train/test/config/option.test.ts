import { describe, expect, it } from 'vitest';
import { describeType, problemOf, readValue } from '../../src/config/option.ts';
import type { OptionSpec } from '../../src/head/contract.ts';

const spec = (type: OptionSpec['type'], limits: { min?: number; max?: number } = {}): OptionSpec => ({
  key: 'k',
  type,
  default: 0,
  source: 'own',
  help: '',
  ...limits,
});

describe('options', () => {
  it.each([
    [spec('number'), 'number'],
    [spec('integer', { min: 1 }), 'integer, 1 or more'],
    [spec('number', { max: 2 }), 'number, 2 or less'],
    [spec('number', { min: 0, max: 1 }), 'number, 0 to 1'],
    [spec(['mean', 'batch']), 'one of mean, batch'],
  ])('describes what is accepted', (one, text) => {
    expect(describeType(one)).toBe(text);
  });

  it.each([
    [spec('integer'), '12', 12],
    [spec('number'), '5e-4', 5e-4],
    [spec('number'), '-.5', -0.5],
    [spec('number'), '1_000', '1_000'],
    [spec('number'), 'Infinity', 'Infinity'],
    [spec('boolean'), 'true', true],
    [spec('boolean'), 'False', 'False'],
    [spec(['1', '2']), '1', '1'],
  ])('reads texts by type: %#', (one, text, value) => {
    expect(readValue(one, text)).toBe(value);
  });

  it('accepts the limits themselves, refuses what lies beyond, NaN and other types', () => {
    const share = spec('number', { min: 0, max: 1 });
    expect([0, 1, 0.5].map((x) => problemOf(share, x))).toEqual([undefined, undefined, undefined]);
    for (const bad of [-1e-9, 1.1, NaN, Infinity, '0.5', true]) {
      expect(problemOf(share, bad)).toMatch(/^k: .* is not valid, expected number, 0 to 1$/);
    }
    expect(problemOf(spec('integer'), 2 ** 60)).toMatch(
      /^k: 1152921504606847000 is not valid, expected integer/,
    );
    expect(problemOf(spec(['a', 'b']), 1)).toMatch(/^k: 1 is not valid, expected one of a, b$/);
  });
});
