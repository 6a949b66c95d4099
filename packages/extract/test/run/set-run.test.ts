import { describe, expect, it } from 'vitest';
import { type Progress, silent } from '@lsgmer/datasets';
import { RunProgress } from '../../src/run/set-run.ts';

describe('RunProgress', () => {
  it('adds up over sets and counts what was lost', () => {
    const seen: Progress[] = [];
    const progress = new RunProgress({ ...silent, progress: (step) => seen.push(step) }, 'a, b', 10);
    progress.add(4);
    progress.add(3, 1);
    expect(seen).toEqual([
      { task: 'a, b', done: 4, total: 10, unit: 'rows' },
      { task: 'a, b', done: 7, total: 10, unit: 'rows', note: '1 quarantined' },
    ]);
  });
});
