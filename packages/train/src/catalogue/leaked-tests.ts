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
  const { folds, rows } = cutAgain(manifest, group);
  const index = new LeakIndex(rows.map((row) => row.utterance));
  const labels = new Map(rows.map((row) => [row.utterance.id, row.label]));
  return new Map(
    folds.map((fold) => {
      const run = group.runs.find((one) => one.identity.fold === fold.id);
      if (run !== undefined && !sawSame(run, fold, labels))
        throw new UserError(
          `run ${run.id}, fold ${run.identity.fold}: the manifest gives other utterances or labels than the run saw: what leaked cannot be told`,
        );
      const leaked = leakedIds(index.compare(fold));
      const tests = new Set(fold.test);
      return [fold.id, new Set([...leaked].filter((id) => tests.has(id)))];
    }),
  );
}

/**
 * Ids of a group's runs that saw other utterances or labels than the manifest has now. Runs that cannot be told are
 * left out: refits and permuted labels, and where the folds are not known or cannot be cut again.
 */
export function outdatedRuns(manifest: Manifest, group: RunGroup): string[] {
  let cut: ReturnType<typeof cutAgain>;
  try {
    cut = cutAgain(manifest, group);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
  const labels = new Map(cut.rows.map((row) => [row.utterance.id, row.label]));
  return group.runs
    .filter((run) => {
      const fold = cut.folds.find(({ id }) => id === run.identity.fold);
      return fold !== undefined && run.role === null && !sawSame(run, fold, labels);
    })
    .map(({ id }) => id);
}

function cutAgain(manifest: Manifest, group: RunGroup): ReturnType<typeof chooseFolds> {
  const { protocol } = group;
  if (protocol === null)
    throw new UserError(`${group.label}: its runs do not say how their folds were cut: train again`);
  return chooseFolds(findTask(manifest.card, group.task), manifest.utterances, {
    fold: group.folds.join(','),
    protocol: protocol.asked ?? undefined,
    dev: protocol.dev === null ? undefined : parseDevRule(protocol.dev),
    where: protocol.where === null ? undefined : parseWhere(protocol.where),
  });
}

function sawSame(
  run: RunEntry,
  fold: {
    readonly train: readonly string[];
    readonly dev: readonly string[];
    readonly test: readonly string[];
  },
  labels: ReadonlyMap<string, number>,
): boolean {
  // permuted labels are another digest of the same utterances
  if (run.identity.config['labels.permute'] === true) return true;
  const { missingTest, missingTrain, missingDev = [] } = run.coverage;
  const gone = new Set([...missingTrain, ...missingDev].map(({ id }) => id));
  const of = (ids: readonly string[], without: ReadonlySet<string>) =>
    ids.filter((id) => !without.has(id)).map((id) => ({ id, label: labels.get(id) as number }));
  const parts = { train: of(fold.train, gone), dev: of(fold.dev, gone) };
  // masked test utterances are among those that a run saw
  const unseen = missingTest.length === 0 ? [] : [new Set(missingTest.map(({ id }) => id))];
  return [...unseen, new Set<string>()].some(
    (without) => utterancesDigest({ ...parts, test: of(fold.test, without) }) === run.identity.utterances,
  );
}
