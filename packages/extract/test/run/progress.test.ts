import { describe, expect, it } from 'vitest';
import { type Progress, silent } from '@lsgmer/datasets';
import { RunProgress } from '../../src/run/progress.ts';

describe('RunProgress', () => {
  it('adds up over sets and counts what was lost', () => {
    const seen: Progress[] = [];
    const reporter = { ...silent, progress: (step: Progress) => seen.push(step) };
    const progress = new RunProgress(reporter, 'a, b', 10, { total: 40, unit: 'audio s' });
    progress.add(4, 12);
    progress.add(3, 8, 1);
    expect(seen).toEqual([
      { task: 'a, b', done: 4, total: 10, unit: 'rows', work: { done: 12, total: 40, unit: 'audio s' } },
      {
        task: 'a, b',
        done: 7,
        total: 10,
        unit: 'rows',
        work: { done: 20, total: 40, unit: 'audio s' },
        note: '1 quarantined',
      },
    ]);
  });
});
