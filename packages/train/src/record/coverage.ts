import { UserErrors } from '@lsgmer/datasets';
import type { LabelledId, Missing } from '../batches/source.ts';
import type { MissingRule } from '../config/recipe.ts';

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
  /** Training utterances that lack a feature: dropped. */
  readonly missingTrain: readonly Missing[];
}

/** A fold's parts after what lacks a feature was taken out. */
export interface CoveredParts {
  readonly train: readonly LabelledId[];
  /** Test utterances that can be scored. */
  readonly test: readonly LabelledId[];
  /** Test utterances without a feature that count as errors (`wrong`). */
  readonly unanswered: readonly LabelledId[];
  readonly coverage: Coverage;
}

/** Most ids that an error lists. */
const LISTED = 10;

/** Takes what lacks a feature out of a fold's parts, by the rule. Does not throw: see `requireCoverage`. */
export function cover(
  train: readonly LabelledId[],
  test: readonly LabelledId[],
  missing: readonly Missing[],
  rule: MissingRule,
): CoveredParts {
  const absent = new Map(missing.map((one) => [one.id, one]));
  const of = (rows: readonly LabelledId[]): Missing[] => rows.flatMap(({ id }) => absent.get(id) ?? []);
  const present = (rows: readonly LabelledId[]): LabelledId[] => rows.filter(({ id }) => !absent.has(id));
  const scored = present(test);
  const unanswered = rule === 'wrong' ? test.filter(({ id }) => absent.has(id)) : [];
  const evaluated = scored.length + unanswered.length;
  return {
    train: present(train),
    test: scored,
    unanswered,
    coverage: {
      rule,
      evaluated,
      expected: test.length,
      comparable: evaluated === test.length,
      missingTest: of(test),
      missingTrain: of(train),
    },
  };
}

/**
 * Under the rule `error` every test utterance must have its features; under every rule both parts need one.
 * @param folds covered parts with the fold's name
 * @throws UserErrors that lists ids and reasons, of all folds at once
 */
export function requireCoverage(folds: readonly (CoveredParts & { readonly fold: string })[]): void {
  const problems: string[] = [];
  for (const { fold, train, test, coverage } of folds) {
    const { missingTest, rule, expected } = coverage;
    if (rule === 'error' && missingTest.length > 0) {
      problems.push(
        `fold ${fold}: ${missingTest.length} of ${expected} test utterances lack a feature: ${list(missingTest)}; ` +
          'extract them, or choose --missing wrong (counted as errors) or drop (result not comparable)',
      );
    } else if (test.length === 0 || train.length === 0) {
      const part = test.length === 0 ? 'test' : 'training';
      const all = [...missingTest, ...coverage.missingTrain];
      problems.push(`fold ${fold}: no ${part} utterance has all features: ${list(all)}; extract them first`);
    }
  }
  if (problems.length > 0) throw new UserErrors(problems);
}

function list(missing: readonly Missing[]): string {
  const shown = missing.slice(0, LISTED).map(({ id, reason }) => `${id}: ${reason}`);
  const more = missing.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
