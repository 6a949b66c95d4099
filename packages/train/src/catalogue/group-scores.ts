import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, UserErrors } from '@lsgmer/datasets';
import type { MissingRule, SelectionRule } from '../config/recipe.ts';
import { type Metrics, NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import { scorePredictions, type Spread, spread } from '../evaluate/summary.ts';
import { decodePredictions } from '../record/predictions.ts';
import { ruleFile } from '../record/run-folder.ts';
import type { RunEntry } from './run-entry.ts';
import type { RunGroup } from './run-group.ts';

/** Which epoch numbers are from, and how test utterances without features count: both stand beside every number. */
export interface ScoreRules {
  readonly select: SelectionRule;
  readonly missing: MissingRule;
  /** Class index of a test utterance by id: what the rule `wrong` needs, as such utterances have no prediction. */
  readonly labelOf?: ((id: string) => number | undefined) | undefined;
}

/** One finished run, scored. */
export interface CellScores {
  readonly run: RunEntry;
  readonly seed: number;
  readonly fold: string;
  /** In the run's order; utterances without a prediction come last. */
  readonly predictions: readonly Prediction[];
  readonly metrics: Metrics;
  /** Test utterances that count, of those that the task expects. */
  readonly evaluated: number;
  readonly expected: number;
}

export interface SeedScores {
  readonly seed: number;
  readonly folds: readonly CellScores[];
  /** Folds of the group that cannot be scored, each with the reason: `Ses03: no run`, `Ses04: at epoch 12 of 50`. */
  readonly lacking: readonly { readonly fold: string; readonly reason: string }[];
  /** Over the folds that there are; null without any. Not comparable with a complete seed where folds are lacking. */
  readonly overFolds: Spread | null;
  readonly pooled: Metrics | null;
}

/** A group's numbers under one pair of rules. */
export interface GroupScores {
  readonly group: RunGroup;
  readonly select: SelectionRule;
  readonly missing: MissingRule;
  readonly seeds: readonly SeedScores[];
  /** Seeds that have every fold: only these are averaged. */
  readonly complete: readonly number[];
  /** Over complete seeds; null without any, and where the group's runs must not be averaged (`group.mixed`). */
  readonly overSeeds: { readonly overFolds: Spread; readonly pooled: Spread } | null;
  /** Of a complete seed: test utterances that count, of those that the task expects; null without one. */
  readonly coverage: {
    readonly evaluated: number;
    readonly expected: number;
    readonly comparable: boolean;
  } | null;
}

/**
 * Scores a group's finished runs from their predictions.
 * @throws UserErrors where test utterances lack features under the rule `error`, where `wrong` is not told their
 *   labels, and for predictions that are missing or damaged
 */
export function scoreGroup(group: RunGroup, rules: ScoreRules): GroupScores {
  const problems: string[] = [];
  const cells: CellScores[] = [];
  const unscored = new Map<string, string>();
  for (const run of group.runs) {
    const cell = `${run.identity.seed} ${run.identity.fold}`;
    if (run.status !== 'finished') {
      unscored.set(cell, `at epoch ${run.epoch} of ${String(group.config['epochs'] ?? '?')}`);
    } else if (!existsSync(predictionsPath(run, rules.select))) {
      unscored.set(cell, `no predictions of the epoch ${rules.select}`);
    } else {
      try {
        cells.push(scoreRun(run, rules));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
      }
    }
  }
  if (problems.length > 0) throw new UserErrors(problems);
  const seeds = group.seeds.map((seed): SeedScores => {
    const folds = cells.filter((cell) => cell.seed === seed);
    const lacking = group.folds
      .filter((fold) => !folds.some((cell) => cell.fold === fold))
      .map((fold) => ({ fold, reason: unscored.get(`${seed} ${fold}`) ?? 'no run' }));
    const predictions = folds.map((cell) => cell.predictions);
    return {
      seed,
      folds,
      lacking,
      overFolds: folds.length === 0 ? null : spread(folds.map((cell) => cell.metrics)),
      pooled: folds.length === 0 ? null : scorePredictions(predictions.flat(), group.classes.length),
    };
  });
  const complete = seeds.filter((one) => one.lacking.length === 0 && one.folds.length > 0);
  const first = complete[0];
  const count = (key: 'evaluated' | 'expected'): number =>
    (first?.folds ?? []).reduce((sum, cell) => sum + cell[key], 0);
  return {
    group,
    select: rules.select,
    missing: rules.missing,
    seeds,
    complete: complete.map((one) => one.seed),
    overSeeds:
      first === undefined || group.mixed.length > 0
        ? null
        : {
            overFolds: spread(complete.map((one) => (one.overFolds as Spread).mean)),
            pooled: spread(complete.map((one) => one.pooled as Metrics)),
          },
    coverage:
      first === undefined
        ? null
        : {
            evaluated: count('evaluated'),
            expected: count('expected'),
            comparable: count('evaluated') === count('expected'),
          },
  };
}

/** A finished run's predictions under a rule, utterances without features counted as the rules say. */
export function scoreRun(run: RunEntry, { select, missing, labelOf }: ScoreRules): CellScores {
  const { classes, seed, fold } = run.identity;
  const path = predictionsPath(run, select);
  if (!existsSync(path)) throw new UserError(`${path}: is missing; delete ${run.path} and train again`);
  const said = decodePredictions(readFileSync(path, 'utf8'), classes, path);
  const answered = new Set(said.map(({ id }) => id));
  const lacking = new Map(run.coverage.missingTest.map((one) => [one.id, one]));
  const absent = [...lacking.values()].filter(({ id }) => !answered.has(id));
  const whole = said.filter(({ id }) => !lacking.has(id));
  const { expected } = run.coverage;
  if (said.length + absent.length !== expected) {
    throw new UserError(
      `${path}: ${said.length} predictions and ${absent.length} utterances without features, expected ${expected} in all; delete ${run.path} and train again`,
    );
  }
  const first = [...lacking.values()][0];
  const named = `run ${run.id} (${run.variant}, fold ${fold}, seed ${seed}): ${lacking.size} of ${expected} test utterances lack a feature (first ${first?.id}: ${first?.reason})`;
  if (missing === 'error' && lacking.size > 0)
    throw new UserError(
      `${named}; choose --missing wrong (counted as errors), drop (not comparable), or mask where it was trained so`,
    );
  if (missing === 'mask' && lacking.size > 0 && whole.length === said.length)
    throw new UserError(`${named}, and it predicts none of them: train with --missing mask, or choose wrong`);
  const counted = missing === 'wrong' ? [...lacking.values()] : missing === 'mask' ? absent : [];
  const unanswered = counted.map(({ id }) => unansweredOf(id, labelOf, run));
  const predictions = [...(missing === 'mask' ? said : whole), ...unanswered];
  const metrics = scorePredictions(predictions, classes.length);
  return { run, seed, fold, predictions, metrics, evaluated: metrics.n, expected };
}

/** Predictions of a run for its test part under a selection rule. */
export function predictionsPath(run: Pick<RunEntry, 'path'>, select: SelectionRule): string {
  return join(run.path, ruleFile('predictions', select, 'csv'));
}

function unansweredOf(id: string, labelOf: ScoreRules['labelOf'], run: RunEntry): Prediction {
  const label = labelOf?.(id);
  if (label === undefined) {
    throw new UserError(
      `run ${run.id}: ${id} has no feature, and its class is not known without the manifest; build or pull it, or choose --missing drop`,
    );
  }
  return { id, label, prediction: NO_PREDICTION, probabilities: [] };
}
