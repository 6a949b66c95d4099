import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/base/nearest.ts';

describe('nearest', () => {
  it.each([
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['lr', 'rl', 1],
    ['epochs', 'epochs', 0],
    ['ma.alhpa', 'ma.alpha', 1],
  ])('%s to %s is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  it('ignores case and takes the first on ties', () => {
    expect(nearest('EPOCHS', ['lr', 'epochs'])).toBe('epochs');
    expect(nearest('ac', ['ab', 'ad'])).toBe('ab');
    expect(nearest('x', [])).toBeUndefined();
  });
});
