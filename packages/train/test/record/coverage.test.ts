import { describe, expect, it } from 'vitest';
import { cover, requireParts } from '../../src/record/coverage.ts';
import { utterances } from '../support/memory-source.ts';

const rows = utterances(30, 2);
const train = rows.slice(0, 20);
const test = rows.slice(20);
const dev = rows.slice(18, 20);
const parts = { train: train.slice(0, 18), dev, test };
const missing = [1, 19, 22, 25].map((i) => ({ id: rows[i]?.id as string, reason: 'no frames (0 samples)' }));

describe('coverage', () => {
  it('drops missing training and dev utterances, counted and listed, under every rule', () => {
    for (const rule of ['error', 'wrong', 'drop'] as const) {
      const covered = cover(parts, { missing, masked: [] }, rule);
      expect([covered.train, covered.dev, covered.test].map((part) => part.length)).toEqual([17, 1, 8]);
      expect(covered.coverage.missingTrain).toEqual([missing[0]]);
      expect(covered.coverage.missingDev).toEqual([missing[1]]);
      expect(covered.coverage.missingTest).toEqual(missing.slice(2));
    }
  });

  it('wrong keeps n and counts errors; drop shows that numbers do not compare', () => {
    const wrong = cover(parts, { missing, masked: [] }, 'wrong');
    expect(wrong.unanswered).toEqual([rows[22], rows[25]]);
    expect(wrong.coverage).toMatchObject({ evaluated: 10, expected: 10, comparable: true });
    const drop = cover(parts, { missing, masked: [] }, 'drop');
    expect(drop.unanswered).toEqual([]);
    expect(drop.coverage).toMatchObject({ evaluated: 8, expected: 10, comparable: false });
    expect(() =>
      requireParts(
        [
          { ...wrong, fold: 'a' },
          { ...drop, fold: 'b' },
        ],
        'last',
      ),
    ).not.toThrow();
  });

  it('mask keeps the masked in the test, counts those without any feature as errors, and trains on whole ones', () => {
    const masked = missing.slice(0, 3); // training, dev, test
    const covered = cover(parts, { missing: missing.slice(3), masked }, 'mask');
    expect([covered.train, covered.dev, covered.test].map((part) => part.length)).toEqual([17, 1, 9]);
    expect(covered.test).toContain(rows[22]);
    expect(covered.unanswered).toEqual([rows[25]]);
    expect(covered.coverage).toMatchObject({ evaluated: 10, expected: 10, comparable: true });
    expect(covered.coverage.missingTest.map(({ id }) => id)).toEqual(['demo/u025', 'demo/u022'].sort());
  });

  it('error stops with ids and reasons of all folds', () => {
    const one = { ...cover(parts, { missing, masked: [] }, 'error'), fold: 'Ses01' };
    const two = {
      ...cover({ train: test, dev, test: parts.train }, { missing, masked: [] }, 'error'),
      fold: 'Ses02',
    };
    expect(() => requireParts([one, two], 'last')).toThrow(
      'fold Ses01: 2 of 10 test utterances lack a feature: demo/u022: no frames (0 samples); ' +
        'demo/u025: no frames (0 samples); extract them, or choose --missing mask (the head sees the other modality alone), wrong (counted as errors) or drop (result not comparable)\n' +
        'fold Ses02: 1 of 18 test utterances lack a feature: demo/u001: no frames (0 samples); extract them',
    );
  });

  it('accepts a whole fold, and never an empty part', () => {
    expect(() =>
      requireParts([{ ...cover(parts, { missing: [], masked: [] }, 'error'), fold: 'a' }], 'last'),
    ).not.toThrow();
    const all = rows.map(({ id }) => ({ id, reason: 'no words' }));
    expect(() =>
      requireParts([{ ...cover(parts, { missing: all, masked: [] }, 'drop'), fold: 'a' }], 'last'),
    ).toThrow(
      /^fold a: no test utterance has all features: demo\/u020: no words; .*; and 18 more; extract them first$/,
    );
  });

  it('the selection rule dev needs a dev part', () => {
    const all = dev.map(({ id }) => ({ id, reason: 'no words' }));
    expect(() =>
      requireParts([{ ...cover(parts, { missing: all, masked: [] }, 'error'), fold: 'a' }], 'last'),
    ).not.toThrow();
    expect(() =>
      requireParts([{ ...cover(parts, { missing: all, masked: [] }, 'error'), fold: 'a' }], 'dev'),
    ).toThrow(
      'fold a: --select dev: no dev utterance has all features: demo/u018: no words; demo/u019: no words; extract them first',
    );
  });
});
