import { describe, expect, it } from 'vitest';
import { cover, requireCoverage } from '../../src/record/coverage.ts';
import { utterances } from '../support/memory-source.ts';

const rows = utterances(30, 2);
const train = rows.slice(0, 20);
const test = rows.slice(20);
const missing = [1, 22, 25].map((i) => ({ id: rows[i]?.id as string, reason: 'no frames (0 samples)' }));

describe('coverage', () => {
  it('drops missing training utterances, counted and listed, under every rule', () => {
    for (const rule of ['error', 'wrong', 'drop'] as const) {
      const parts = cover(train, test, missing, rule);
      expect(parts.train).toHaveLength(19);
      expect(parts.coverage.missingTrain).toEqual([missing[0]]);
      expect(parts.coverage.missingTest).toEqual(missing.slice(1));
      expect(parts.test).toHaveLength(8);
    }
  });

  it('wrong keeps n and counts errors; drop shows that numbers do not compare', () => {
    const wrong = cover(train, test, missing, 'wrong');
    expect(wrong.unanswered).toEqual([rows[22], rows[25]]);
    expect(wrong.coverage).toMatchObject({ evaluated: 10, expected: 10, comparable: true });
    const drop = cover(train, test, missing, 'drop');
    expect(drop.unanswered).toEqual([]);
    expect(drop.coverage).toMatchObject({ evaluated: 8, expected: 10, comparable: false });
    expect(() =>
      requireCoverage([
        { ...wrong, fold: 'a' },
        { ...drop, fold: 'b' },
      ]),
    ).not.toThrow();
  });

  it('error stops with ids and reasons of all folds', () => {
    const one = { ...cover(train, test, missing, 'error'), fold: 'Ses01' };
    const two = { ...cover(test, train, missing, 'error'), fold: 'Ses02' };
    expect(() => requireCoverage([one, two])).toThrow(
      'fold Ses01: 2 of 10 test utterances lack a feature: demo/u022: no frames (0 samples); ' +
        'demo/u025: no frames (0 samples); extract them, or choose --missing wrong (counted as errors) or drop (result not comparable)\n' +
        'fold Ses02: 1 of 20 test utterances lack a feature: demo/u001: no frames (0 samples); extract them',
    );
  });

  it('accepts a whole fold, and never an empty part', () => {
    expect(() => requireCoverage([{ ...cover(train, test, [], 'error'), fold: 'a' }])).not.toThrow();
    const all = rows.map(({ id }) => ({ id, reason: 'no words' }));
    expect(() => requireCoverage([{ ...cover(train, test, all, 'drop'), fold: 'a' }])).toThrow(
      /^fold a: no test utterance has all features: demo\/u020: no words; .*; and 20 more; extract them first$/,
    );
  });
});
