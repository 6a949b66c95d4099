import { UserErrors } from '@lsgmer/datasets';
import type { Joined, LabelledId, Missing } from '../batches/source.ts';
import type { MissingRule, SelectionRule } from '../config/recipe.ts';
import type { RunParts } from './run-id.ts';

/** How much of a fold took part. */
export interface Coverage {
  readonly rule: MissingRule;
  /** Test utterances that count in the metrics, of those that the task expects. */
  readonly evaluated: number;
  readonly expected: number;
  /** False where utterances were dropped from the test: such a number is not comparable with others. */
  readonly comparable: boolean;
  /** Test utterances that lack a feature. */
  readonly missingTest: readonly Missing[];
  /** Training and dev utterances that lack a feature: dropped. */
  readonly missingTrain: readonly Missing[];
  readonly missingDev: readonly Missing[];
}

/** A fold's parts after what lacks a feature was taken out. */
export interface CoveredParts {
  readonly train: readonly LabelledId[];
  readonly dev: readonly LabelledId[];
  /** Test utterances that can be scored. */
  readonly test: readonly LabelledId[];
  /** Test utterances that count as errors: without a feature under `wrong`, without any under `mask`. */
  readonly unanswered: readonly LabelledId[];
  readonly coverage: Coverage;
}

/** Most ids that an error lists. */
const LISTED = 10;

/**
 * Takes what lacks a feature out of a fold's parts, by the rule; `joined` was made with one modality being enough under
 * the rule `mask` only. Does not throw: see `requireParts`.
 */
export function cover(
  { train, dev, test }: RunParts,
  { missing, masked }: Pick<Joined, 'missing' | 'masked'>,
  rule: MissingRule,
): CoveredParts {
  const lacking = new Map([...missing, ...masked].map((one) => [one.id, one]));
  const absent = new Set(missing.map(({ id }) => id));
  const of = (rows: readonly LabelledId[]): Missing[] => rows.flatMap(({ id }) => lacking.get(id) ?? []);
  const whole = (rows: readonly LabelledId[]): LabelledId[] => rows.filter(({ id }) => !lacking.has(id));
  const scored = test.filter(({ id }) => !absent.has(id));
  const counted = rule === 'wrong' || rule === 'mask';
  const unanswered = counted ? test.filter(({ id }) => absent.has(id)) : [];
  const evaluated = scored.length + unanswered.length;
  return {
    train: whole(train),
    dev: whole(dev),
    test: scored,
    unanswered,
    coverage: {
      rule,
      evaluated,
      expected: test.length,
      comparable: evaluated === test.length,
      missingTest: of(test),
      missingTrain: of(train),
      missingDev: of(dev),
    },
  };
}

/**
 * Under the missing rule `error` every test utterance must have its features; training and test part need at least one
 * utterance under every rule, the dev part under the selection rule `dev`.
 * @param folds covered parts with the fold's name
 * @param untested the folds have no test part: trials of a sweep
 * @throws UserErrors that lists ids and reasons, of all folds at once
 */
export function requireParts(
  folds: readonly (CoveredParts & { readonly fold: string })[],
  select: SelectionRule,
  untested = false,
): void {
  const problems: string[] = [];
  for (const { fold, train, dev, test, coverage } of folds) {
    const { missingTest, missingTrain, missingDev, rule, expected } = coverage;
    if (rule === 'error' && missingTest.length > 0) {
      problems.push(
        `fold ${fold}: ${missingTest.length} of ${expected} test utterances lack a feature: ${list(missingTest)}; ` +
          'extract them, or choose --missing mask (the head sees the other modality alone), wrong (counted as errors) or drop (result not comparable)',
      );
    } else if ((test.length === 0 && !untested) || train.length === 0) {
      const part = test.length === 0 && !untested ? 'test' : 'training';
      const all = [...missingTest, ...missingTrain];
      problems.push(`fold ${fold}: no ${part} utterance has all features: ${list(all)}; extract them first`);
    } else if (select === 'dev' && dev.length === 0) {
      const why = `no dev utterance has all features: ${list(missingDev)}; extract them first`;
      problems.push(`fold ${fold}: --select dev: ${why}`);
    }
  }
  if (problems.length > 0) throw new UserErrors(problems);
}

/**
 * The same for a part that is only scored.
 * @param where the fold, or the corpus
 */
export function requireCovered(where: string, { test, coverage }: CoveredParts): void {
  const { missingTest, rule, expected } = coverage;
  if (rule === 'error' && missingTest.length > 0)
    throw new UserErrors([
      `${where}: ${missingTest.length} of ${expected} utterances lack a feature: ${list(missingTest)}; ` +
        'extract them, or choose --missing mask, wrong or drop',
    ]);
  if (test.length === 0)
    throw new UserErrors([
      `${where}: no utterance has all features: ${list(missingTest)}; extract them first`,
    ]);
}

function list(missing: readonly Missing[]): string {
  const shown = missing.slice(0, LISTED).map(({ id, reason }) => `${id}: ${reason}`);
  const more = missing.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
