import { describe, expect, it } from 'vitest';
import { silent } from '@lsgmer/datasets';
import { scorePredictions } from '../../src/evaluate/summary.ts';
import { probe } from '../../src/probe/probe.ts';
import { folds, rows, tinySources } from '../support/tiny-experiment.ts';

const byId = new Map(rows.map((row) => [row.id, row]));
const labelled = (ids: readonly string[]) => ids.map((id) => byId.get(id) as (typeof rows)[number]);
const request = (sources: ReturnType<typeof tinySources>['text'][], name = 'x') => ({
  name,
  sources,
  classes: 3,
  folds: folds.map(({ id, train, test }) => ({ fold: id, train: labelled(train), test: labelled(test) })),
  C: 1,
});

describe('probe', () => {
  it('reads from each feature what it tells, fold by fold, and more from both', async () => {
    const { text, audio } = tinySources();
    const score = async (sources: Parameters<typeof request>[0]): Promise<number> => {
      const found = await probe(request(sources), { reporter: silent });
      expect(found.map((one) => [one.fold, one.converged])).toEqual(folds.map((fold) => [fold.id, true]));
      expect(found.map((one) => one.predictions.map(({ id }) => id))).toEqual(folds.map((fold) => fold.test));
      return scorePredictions(
        found.flatMap((one) => one.predictions),
        3,
      ).ua;
    };
    const [words, frames, both] = [await score([text]), await score([audio]), await score([text, audio])];
    expect(Math.min(words, frames)).toBeGreaterThan(0.45);
    expect(both).toBeGreaterThan(Math.max(words, frames));
  });

  it('stops when asked', async () => {
    const { text } = tinySources();
    const stopped = probe(request([text]), { reporter: silent, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow('stopped while reading x');
  });
});
