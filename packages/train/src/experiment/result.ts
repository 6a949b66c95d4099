import type { MissingRule, SelectionRule } from '../config/recipe.ts';
import type { ClassScore, MetricKey, Metrics } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import {
  type Scores,
  type Spread,
  scorePredictions,
  scoresOf,
  spread,
  summariseFolds,
} from '../evaluate/summary.ts';
import type { HeadConfig } from '../head/contract.ts';
import type { Coverage } from '../record/coverage.ts';
import type { RunPlan, VariantPlan } from './plan.ts';
import type { PlannedVariant, SweepNote } from './planned-variant.ts';
import type { ExperimentRequest, ProtocolNote } from './request.ts';

/** A run's test part, scored after the epoch that the selection rule picks. */
export interface FoldResult {
  readonly fold: string;
  readonly run: string;
  /** The epoch that the selection rule picks. */
  readonly epoch: number;
  readonly scores: Scores;
  /** Test utterances that count, of those that the task expects. */
  readonly evaluated: number;
  readonly expected: number;
  /** Classes without an utterance in this test part, left out of UA. */
  readonly absent: number;
  /** The run was finished before. */
  readonly skipped: boolean;
}

export interface SeedResult {
  readonly seed: number;
  readonly folds: readonly FoldResult[];
  /** Mean over folds, standard deviation over folds with n - 1 (null for one fold). */
  readonly overFolds: Spread;
  /** All folds' predictions as one set. */
  readonly pooled: PooledResult;
}

export interface PooledResult {
  readonly scores: Scores;
  readonly classes: readonly (ClassScore & { readonly name: string })[];
  /** confusion[truth][prediction], counts. */
  readonly confusion: readonly (readonly number[])[];
  /** By class of the truth: test utterances without a prediction, counted as errors. */
  readonly unanswered: readonly number[];
  readonly evaluated: number;
  readonly expected: number;
}

export interface CoverageResult {
  readonly rule: MissingRule;
  readonly evaluated: number;
  readonly expected: number;
  /** False: test utterances were dropped, the numbers compare with nothing else. */
  readonly comparable: boolean;
  /** Ids with reasons, each once. */
  readonly missingTest: Coverage['missingTest'];
  readonly missingTrain: Coverage['missingTrain'];
}

export interface VariantResult {
  readonly name: string;
  /** Every key with its value. */
  readonly config: HeadConfig;
  /** feature@fingerprint by input. */
  readonly features: { readonly [input: string]: string };
  readonly coverage: CoverageResult;
  /** How a sweep chose the configuration of each fold; `config` is that of the first. */
  readonly sweep?: SweepNote;
  /** Trained on train and dev, for the epochs that dev picked. */
  readonly refit?: true;
  readonly seeds: readonly SeedResult[];
  /** Over seeds: of the mean over folds, and of the pooled scores. */
  readonly overSeeds: { readonly overFolds: Spread; readonly pooled: Spread };
}

/** What an experiment gives: plain data, shares of 1, ready for JSON. */
export interface ExperimentResult {
  readonly dataset: string;
  readonly synthetic: boolean;
  readonly task: string;
  readonly classes: readonly string[];
  readonly metric: MetricKey;
  /** Which epoch the numbers are from. */
  readonly select: SelectionRule;
  readonly folds: readonly string[];
  /** How the folds were cut; null where the experiment was not told. */
  readonly protocol: ProtocolNote | null;
  /** Utterances of each fold's dev part, in the order of `folds`. */
  readonly dev: readonly number[];
  readonly engine: string;
  readonly device: string;
  readonly numerics: number;
  readonly variants: readonly VariantResult[];
}

/** A run with its outcome. */
export interface RunOutcome {
  readonly plan: RunPlan;
  /** Of the epoch that the selection rule picks. */
  readonly predictions: readonly Prediction[];
  readonly epoch: number;
  readonly skipped: boolean;
}

/** @param outcomes of every run of the variant, in the plan's order */
export function variantResult(
  plan: VariantPlan,
  { sweep, refit = false }: Pick<PlannedVariant, 'sweep' | 'refit'>,
  outcomes: readonly RunOutcome[],
  classes: readonly string[],
): VariantResult {
  const seeds = [...new Set(outcomes.map((one) => one.plan.seed))].map((seed): SeedResult => {
    const mine = outcomes.filter((one) => one.plan.seed === seed);
    const { overFolds, pooled } = summariseFolds(
      mine.map((one) => one.predictions),
      classes.length,
    );
    return {
      seed,
      folds: mine.map((one) => foldResult(one, classes.length)),
      overFolds,
      pooled: pooledResult(pooled, mine, classes),
    };
  });
  return {
    name: plan.request.name,
    config: plan.request.configuration.values,
    features: Object.fromEntries(
      Object.entries(plan.sources).map(([input, source]) => [
        input,
        `${source.feature}@${source.fingerprint}`,
      ]),
    ),
    coverage: coverageResult(plan),
    ...(sweep === undefined ? {} : { sweep }),
    ...(refit ? { refit } : {}),
    seeds,
    overSeeds: {
      overFolds: spread(seeds.map((one) => one.overFolds.mean)),
      pooled: spread(seeds.map((one) => one.pooled.scores)),
    },
  };
}

function foldResult({ plan, predictions, epoch, skipped }: RunOutcome, classes: number): FoldResult {
  const metrics = scorePredictions(predictions, classes);
  return {
    fold: plan.fold,
    run: plan.id,
    epoch,
    scores: scoresOf(metrics),
    evaluated: metrics.n,
    expected: plan.parts.coverage.expected,
    absent: metrics.absent,
    skipped,
  };
}

function pooledResult(
  metrics: Metrics,
  outcomes: readonly RunOutcome[],
  classes: readonly string[],
): PooledResult {
  return {
    scores: scoresOf(metrics),
    classes: metrics.classes.map((one, k) => ({ name: classes[k] as string, ...one })),
    confusion: metrics.confusion,
    unanswered: metrics.unanswered,
    evaluated: metrics.n,
    expected: outcomes.reduce((sum, one) => sum + one.plan.parts.coverage.expected, 0),
  };
}

function coverageResult({ covered }: VariantPlan): CoverageResult {
  const all = covered.map((one) => one.coverage);
  const unique = (lists: readonly Coverage['missingTest'][]): Coverage['missingTest'] => [
    ...new Map(lists.flat().map((one) => [one.id, one])).values(),
  ];
  return {
    rule: (all[0] as Coverage).rule,
    evaluated: all.reduce((sum, one) => sum + one.evaluated, 0),
    expected: all.reduce((sum, one) => sum + one.expected, 0),
    comparable: all.every((one) => one.comparable),
    missingTest: unique(all.map((one) => one.missingTest)),
    missingTrain: unique(all.map((one) => one.missingTrain)),
  };
}

export function experimentResult(
  request: ExperimentRequest,
  variants: readonly VariantResult[],
  numerics: number,
): ExperimentResult {
  return {
    dataset: request.dataset,
    synthetic: request.synthetic,
    task: request.task,
    classes: request.classes,
    metric: request.metric,
    select: request.select,
    folds: request.folds.map((fold) => fold.id),
    protocol: request.protocol ?? null,
    dev: request.folds.map((fold) => fold.dev.length),
    engine: request.engine.name,
    device: request.engine.device,
    numerics,
    variants,
  };
}
