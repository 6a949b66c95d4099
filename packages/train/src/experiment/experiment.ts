import { UserError, UserErrors } from '@lsgmer/datasets';
import { NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import { decodePredictions } from '../record/predictions.ts';
import { NUMERICS_VERSION } from '../record/run-id.ts';
import { type ExperimentContext, folderOf } from './execute.ts';
import type { ExperimentPlan, RunPlan, VariantPlan } from './plan.ts';
import type { ExperimentRequest } from './request.ts';
import { type ExperimentResult, experimentResult, type RunOutcome, variantResult } from './result.ts';
import type { PlannedVariant } from './planned-variant.ts';
import { refitPlans } from './refit.ts';
import { runTrials, type Sweep } from './sweep.ts';
import { workOf, workOff } from './work-off.ts';

/**
 * Does the runs of a plan that are not finished yet, and sums all of them up. Run again after an interruption, it
 * goes on where it stopped; run several times at once, the processes share the work (see `workOff`).
 * @throws Interrupted when stopped; UserError for what is the user's (see `fit`)
 */
export async function runExperiment(
  plan: ExperimentPlan,
  context: ExperimentContext,
): Promise<ExperimentResult> {
  const { request } = plan;
  return finish(
    request,
    plainVariants(plan),
    await workOff(request, workOf(plan.variants), context),
    context,
  );
}

/**
 * Tries every configuration of a sweep without looking at any test part, picks the best on dev for each fold, and only
 * then runs those, test part and all.
 * @throws as `runExperiment`; UserErrors where there is no dev part
 */
export async function runSweep(
  request: ExperimentRequest,
  sweep: Sweep,
  context: ExperimentContext,
): Promise<ExperimentResult> {
  const variants = await runTrials(request, sweep, context);
  const work = variants.flatMap(({ plans }) => workOf(plans));
  return finish(request, variants, await workOff(request, work, context), context);
}

/** Runs of a plan that are not finished: what `runExperiment` would do. */
export function pendingRuns(plan: ExperimentPlan): RunPlan[] {
  return plan.variants.flatMap(({ runs }) => runs.filter((run) => !folderOf(plan.request, run).finished));
}

/** The result of a plan whose runs are all finished. @throws UserErrors where some are not */
export function finishedResult(plan: ExperimentPlan): ExperimentResult {
  const pending = pendingRuns(plan);
  if (pending.length > 0)
    throw new UserErrors([`${pending.length} runs are not finished: train again without --only`]);
  return summed(plan.request, plainVariants(plan), new Set());
}

function plainVariants({ variants }: ExperimentPlan): PlannedVariant[] {
  return variants.map((variant) => ({ name: variant.request.name, plans: [variant] }));
}

/** Trains again on train and dev where that is asked for, and sums up. */
async function finish(
  request: ExperimentRequest,
  variants: readonly PlannedVariant[],
  done: ReadonlySet<string>,
  context: ExperimentContext,
): Promise<ExperimentResult> {
  if (request.refit !== true) return summed(request, variants, done);
  const refitted = refitPlans(request, variants);
  // a refitted run ends at the epoch that dev picked: its last one counts
  const again = { ...request, select: 'last' as const, refit: false, role: 'refit' as const };
  const doneAgain = await workOff(
    again,
    refitted.flatMap(({ plans }) => workOf(plans)),
    context,
  );
  return { ...summed(again, refitted, doneAgain), select: request.select };
}

function summed(
  request: ExperimentRequest,
  variants: readonly PlannedVariant[],
  done: ReadonlySet<string>,
): ExperimentResult {
  const order = (run: RunPlan): number =>
    request.seeds.indexOf(run.seed) * request.folds.length +
    request.folds.findIndex((fold) => fold.id === run.fold);
  const results = variants.map((variant) => {
    const outcomes = variant.plans
      .flatMap(({ runs }) => runs)
      .map((run) => outcomeOf(request, run, !done.has(run.id)))
      .sort((a, b) => order(a.plan) - order(b.plan));
    const first = variant.plans[0] as VariantPlan;
    const covered = request.folds.map(
      (fold) =>
        outcomes.find(({ plan }) => plan.fold === fold.id)?.plan.parts ??
        (first.covered[0] as RunPlan['parts']),
    );
    return variantResult(
      { ...first, request: { ...first.request, name: variant.name }, covered },
      variant,
      outcomes,
      request.classes,
    );
  });
  return experimentResult(request, results, NUMERICS_VERSION);
}

/**
 * What a finished run says under the experiment's selection rule.
 * @throws UserError where its predictions are missing, damaged, or not those of its test part
 */
function outcomeOf(request: ExperimentRequest, run: RunPlan, skipped: boolean): RunOutcome {
  const { classes, select } = request;
  const folder = folderOf(request, run);
  const { text, path } = folder.predictions(select);
  const said = decodePredictions(text, classes, path);
  const { test } = run.parts;
  if (said.length !== test.length)
    throw new UserError(
      `${path}: holds ${said.length} predictions, expected ${test.length}; delete ${folder.path} and train again`,
    );
  const predictions = withUnanswered(said, run);
  const epoch = folder.state()?.chosen[select]?.epoch;
  if (epoch === undefined) throw new Error(`${folder.path}: no epoch chosen by ${select}`);
  return { plan: run, predictions, epoch, skipped };
}

/** A run holds what its head said; what is missing counts by the experiment's rule, which is no part of the run. */
function withUnanswered(predictions: readonly Prediction[], { parts }: RunPlan): Prediction[] {
  const unanswered = parts.unanswered.map(({ id, label }): Prediction => ({
    id,
    label,
    prediction: NO_PREDICTION,
    probabilities: [],
  }));
  return [...predictions, ...unanswered];
}
