import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCurves } from '../../src/gather/curves.ts';
import { madeReport } from '../support/temporary.ts';

it('reads every epoch of every finished run, and says which records it cannot read', () => {
  const { gather } = madeReport({
    variants: ['full'],
    skip: ({ seed, fold }) => (seed === 2 && fold === 'Ses01' ? 'unfinished' : undefined),
  });
  const data = gather();
  const { groups, left } = readCurves(data);
  expect(left).toEqual([]);
  expect(groups[0]?.runs.map(({ seed, fold, epochs }) => [seed, fold, epochs.length])).toEqual([
    [1, 'Ses01', 4],
    [1, 'Ses02', 4],
    [2, 'Ses02', 4],
  ]);
  const run = data.guided?.group.runs[0];
  writeFileSync(join(run?.path as string, 'metrics.jsonl'), '{"epoch":1}\n');
  expect(readCurves(data).left).toEqual([
    `full, run ${run?.id}: metrics.jsonl is of another format: no curves of it`,
  ]);
});
