import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readAnalysis, readLabels, referenceRuns } from '../../src/gather/analysis.ts';
import { madeReport } from '../support/temporary.ts';

it('shows inner values of the first complete seed, fold by fold', () => {
  const { gather } = madeReport({
    seeds: [4, 7],
    skip: ({ seed, fold }) => (seed === 4 && fold === 'Ses01' ? 'absent' : undefined),
  });
  const guided = gather().guided as NonNullable<ReturnType<typeof gather>['guided']>;
  const runs = referenceRuns(guided);
  expect(runs.map(({ identity }) => [identity.seed, identity.fold])).toEqual([
    [7, 'Ses01'],
    [7, 'Ses02'],
  ]);
  const [run] = runs as [(typeof runs)[number]];
  expect(readAnalysis(run)?.rows).toHaveLength(30);
  expect(readAnalysis(run)?.about.rule).toBe('last');
  expect(readLabels(run)?.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4]);
  writeFileSync(join(run.path, 'analysis.arrow'), 'broken');
  expect(() => readAnalysis(run)).toThrow(/analysis\.arrow: .*; delete the run's folder and train it again/);
  rmSync(join(run.path, 'labels.arrow'));
  expect(readLabels(run)).toBeUndefined();
});
