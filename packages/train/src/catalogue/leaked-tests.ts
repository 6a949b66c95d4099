import {
  chooseFolds,
  findTask,
  leakedIds,
  LeakIndex,
  type Manifest,
  parseDevRule,
  parseWhere,
  UserError,
} from '@lsgmer/datasets';
import { utterancesDigest } from '../record/run-id.ts';
import type { RunEntry } from './run-entry.ts';
import type { RunGroup } from './run-group.ts';

/**
 * Test utterances of each fold whose text (five or more words), time span or recording its training part also has.
 * The folds are cut again as the runs say they were, and must come out as the runs saw them.
 * @throws UserError where the manifest is another one by now, or the runs do not say how their folds were cut
 */
export function leakedTests(manifest: Manifest, group: RunGroup): Map<string, ReadonlySet<string>> {
  const { protocol } = group;
  if (protocol === null)
    throw new UserError(`${group.label}: its runs do not say how their folds were cut: train again`);
  const task = findTask(manifest.card, group.task);
  const { folds, rows } = chooseFolds(task, manifest.utterances, {
    fold: group.folds.join(','),
    protocol: protocol.asked ?? undefined,
    dev: protocol.dev === null ? undefined : parseDevRule(protocol.dev),
    where: protocol.where === null ? undefined : parseWhere(protocol.where),
  });
  const index = new LeakIndex(rows.map((row) => row.utterance));
  const labels = new Map(rows.map((row) => [row.utterance.id, row.label]));
  return new Map(
    folds.map((fold) => {
      const run = group.runs.find((one) => one.identity.fold === fold.id);
      if (run !== undefined) requireSame(run, fold, labels);
      const leaked = leakedIds(index.compare(fold));
      const tests = new Set(fold.test);
      return [fold.id, new Set([...leaked].filter((id) => tests.has(id)))];
    }),
  );
}

function requireSame(
  run: RunEntry,
  fold: {
    readonly train: readonly string[];
    readonly dev: readonly string[];
    readonly test: readonly string[];
  },
  labels: ReadonlyMap<string, number>,
): void {
  // permuted labels are another digest of the same utterances
  if (run.identity.config['labels.permute'] === true) return;
  const { missingTest, missingTrain, missingDev = [] } = run.coverage;
  const gone = new Set([...missingTrain, ...missingDev].map(({ id }) => id));
  const of = (ids: readonly string[], without: ReadonlySet<string>) =>
    ids.filter((id) => !without.has(id)).map((id) => ({ id, label: labels.get(id) as number }));
  const parts = { train: of(fold.train, gone), dev: of(fold.dev, gone) };
  // masked test utterances are among those that a run saw
  const digests = [new Set(missingTest.map(({ id }) => id)), new Set<string>()].map((without) =>
    utterancesDigest({ ...parts, test: of(fold.test, without) }),
  );
  if (!digests.includes(run.identity.utterances))
    throw new UserError(
      `run ${run.id}, fold ${run.identity.fold}: the manifest gives other utterances or labels than the run saw: what leaked cannot be told`,
    );
}
