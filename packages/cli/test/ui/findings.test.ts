import type { Finding, TaskLeakage } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { findingsCount, findingsText, leakageText } from '../../src/ui/findings.ts';

const finding = (kind: Finding['kind'], level: Finding['level'], id: string, found = 'x'): Finding => ({
  kind,
  level,
  id,
  file: null,
  line: null,
  expected: null,
  found,
});
const many = [
  ...Array.from({ length: 40 }, (_, i) => finding('media-missing', 'error', `d/m${i}`)),
  finding('too-long', 'error', 'd/long'),
  ...Array.from({ length: 2000 }, (_, i) => finding('duration', 'warning', `d/w${i}`)),
  ...Array.from({ length: 100 }, (_, i) => finding('gap', 'known', `d/k${i}`)),
];

describe('findingsText', () => {
  it('fits a screen whatever the number of problems: counts by kind and level, then the first of each', () => {
    const lines = findingsText(many, false).split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines[0]).toBe('41 errors, 2000 warnings, 100 known');
    const cells = (kind: string) => lines.find((line) => line.startsWith(kind))?.split(/\s+/);
    expect(cells('media-missing')).toEqual(['media-missing', '40']);
    expect(cells('duration')).toEqual(['duration', '2000']);
    expect(cells('gap')).toEqual(['gap', '100']);
    // errors come before warnings, known defects are counted only
    const examples = lines.slice(lines.findIndex((line) => line.startsWith('error: ')));
    expect(examples.slice(0, 4)).toEqual([
      'error: d/m0: media-missing: found x',
      'error: d/m1: media-missing: found x',
      'error: d/m2: media-missing: found x',
      'error: d/long: too-long: found x',
    ]);
    expect(examples.slice(4).every((line) => line.startsWith('warning: d/w'))).toBe(true);
  });

  it('shows every kind of error, even if there are many kinds', () => {
    const kinds = ['layout', 'line', 'schema', 'count', 'media-empty', 'too-long', 'text-empty'] as const;
    const all = kinds.flatMap((kind) => [finding(kind, 'error', 'd/1'), finding(kind, 'error', 'd/2')]);
    const text = findingsText(all, false);
    for (const kind of kinds) expect(text).toContain(`error: d/1: ${kind}`);
  });

  it('shortens long lines, and shows everything on request', () => {
    const long = [finding('text-broken', 'error', 'd/a', 'y'.repeat(400))];
    expect(findingsText(long, false).split('\n').at(-1)).toHaveLength(160);
    expect(findingsText(long, true)).toContain('y'.repeat(400));
    expect(findingsText(many, true).match(/^(error|warning|known): /gm)).toHaveLength(many.length);
    expect(findingsText([], false)).toBe('no problems found');
  });
});

describe('findingsCount', () => {
  it('counts levels', () => {
    expect(findingsCount([finding('gap', 'error', 'a')])).toBe('1 error, 0 warnings');
  });
});

describe('leakageText', () => {
  const leakage = (rows: number): TaskLeakage => ({
    task: 't',
    protocol: { kind: 'random', k: 5, seed: 1 },
    folds: [
      {
        fold: 'k01',
        leaks: [
          {
            aspect: 'speaker',
            part: 'test',
            rows,
            ofRows: 9,
            values: 1,
            ofValues: 2,
            hits: [],
            trainingRows: new Map(rows > 0 ? [['x', 3]] : []),
          },
        ],
      },
    ],
  });

  it('gives totals under the protocol, and nothing where nothing is shared', () => {
    expect(leakageText([leakage(4)])).toBe(
      '\nshared across folds (task t, 5 random folds (seed 1)):\n  test: 4 of 9 rows have a speaker of training (1 speakers), by design',
    );
    expect(leakageText([leakage(0)])).toBe('');
  });
});
