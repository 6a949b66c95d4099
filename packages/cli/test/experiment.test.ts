import { describe, expect, it } from 'vitest';
import { loadRecipe, parseAblations, parseSeeds } from '../src/experiment.ts';

describe('what train is asked for', () => {
  it('seeds: a count or a list', () => {
    expect(parseSeeds('3')).toEqual([1, 2, 3]);
    expect(parseSeeds('7,8')).toEqual([7, 8]);
    expect(parseSeeds('9,')).toEqual([9]);
    for (const wrong of ['0', 'x', '1,1', '1,,2', '-1', '99999999999999999999,1', '20261201'])
      expect(() => parseSeeds(wrong), wrong).toThrow(/--seeds/);
  });

  it('ablations: names or all', () => {
    expect(parseAblations('all')).toEqual(['full', 'no-ma', 'no-joo', 'no-lsma-joo']);
    expect(parseAblations('no-ma,full,no-ma')).toEqual(['no-ma', 'full']);
    expect(() => parseAblations('no-xx')).toThrow(/no ablation no-xx: choose from full, no-ma/);
  });

  it('recipes by name', () => {
    expect(loadRecipe('demo').dataset).toBe('demo');
    expect(() => loadRecipe('domo')).toThrow(/no recipe 'domo': choose one of demo/);
  });
});
