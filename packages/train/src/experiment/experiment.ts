import type { Json } from '@lsgmer/datasets';
import { Interrupted, pinRun, type Reporter } from '@lsgmer/datasets';
import { featureDims } from '../batches/source.ts';
import { type Standards, speakerStandards, trainStandards } from '../batches/standards.ts';
import { NO_PREDICTION } from '../evaluate/metrics.ts';
import type { Prediction } from '../evaluate/predict.ts';
import { fit } from '../fit/fit.ts';
import type { Engine } from '../head/contract.ts';
import { decodePredictions } from '../record/predictions.ts';
import { RunFolder } from '../record/run-folder.ts';
import { NUMERICS_VERSION } from '../record/run-id.ts';
import type { ExperimentPlan, RunPlan, VariantPlan } from './plan.ts';
import type { ExperimentRequest } from './request.ts';
import { type ExperimentResult, experimentResult, type RunOutcome, variantResult } from './result.ts';

export interface ExperimentContext {
  readonly reporter: Reporter;
  /** Aborted: the run under way saves, then Interrupted is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from any start. */
  readonly now: () => number;
}

/**
 * Does the runs of a plan that are not finished yet, one after the other, and sums all of them up. Run again
 * after an interruption, it goes on where it stopped. One engine serves all runs of a variant.
 * @throws Interrupted when stopped; UserError for what is the user's (see `fit`)
 */
export async function runExperiment(
  plan: ExperimentPlan,
  context: ExperimentContext,
): Promise<ExperimentResult> {
  const { request } = plan;
  const results = [];
  for (const variant of plan.variants) {
    reportDropped(variant, context.reporter);
    const outcomes: RunOutcome[] = [];
    let engine: Engine | undefined;
    try {
      for (const run of variant.runs) {
        const folder = folderOf(request, run);
        if (folder.finished) {
          pinFeatures(request, run);
          outcomes.push(outcomeOf(request, folder, run, true));
          continue;
        }
        if (context.signal?.aborted === true) throw new Interrupted(`stopped before ${titleOf(run)}`);
        engine ??= await request.engine.create(
          request.head,
          variant.request.configuration.head,
          featureDims(variant.sources),
          request.classes.length,
        );
        outcomes.push(await executeRun(request, variant, run, folder, engine, context));
      }
    } finally {
      await engine?.dispose();
    }
    results.push(variantResult(variant, outcomes, request.classes));
  }
  return experimentResult(plan, results, NUMERICS_VERSION);
}

/** Runs of a plan that are not finished: what `runExperiment` would do. */
export function pendingRuns(plan: ExperimentPlan): RunPlan[] {
  return plan.variants.flatMap(({ runs }) => runs.filter((run) => !folderOf(plan.request, run).finished));
}

export function folderOf({ runs, dataset, task }: ExperimentRequest, run: RunPlan): RunFolder {
  return new RunFolder(runs, dataset, task, run.id);
}

/** Does one run, or the rest of it, in its folder. */
async function executeRun(
  request: ExperimentRequest,
  variant: VariantPlan,
  run: RunPlan,
  folder: RunFolder,
  engine: Engine,
  context: ExperimentContext,
): Promise<RunOutcome> {
  const index = new Map(variant.joined.rows.map((row, i) => [row.id, i]));
  const items = (rows: readonly { id: string }[]): number[] => rows.map(({ id }) => index.get(id) as number);
  folder.begin(configRecord(request, run));
  pinFeatures(request, run);
  const train = items(run.parts.train);
  await fit(
    {
      head: request.head,
      configuration: variant.request.configuration,
      classes: request.classes,
      metric: request.metric,
      sources: variant.sources,
      joined: { ...variant.joined, rows: run.labels },
      shapes: variant.shapes,
      train,
      dev: items(run.parts.dev),
      test: items(run.parts.test),
      fold: run.fold,
      seed: run.seed,
      standards: await standardsOf(variant, train),
      folder,
      engine,
      analysis: request.analysis,
    },
    { reporter: context.reporter, signal: context.signal, now: context.now, title: titleOf(run) },
  );
  return outcomeOf(request, folder, run, false);
}

/** Made once for each training part, whatever the seed. */
const standards = new WeakMap<VariantPlan, Map<string, Promise<Standards>>>();

function standardsOf(variant: VariantPlan, train: readonly number[]): Promise<Standards> | undefined {
  const { standardise } = variant.request.configuration.trainer;
  if (standardise === 'none') return undefined;
  let known = standards.get(variant);
  if (known === undefined) standards.set(variant, (known = new Map()));
  const key = standardise === 'speaker' ? '' : train.join(' ');
  let found = known.get(key);
  if (found === undefined) {
    const { sources, joined } = variant;
    found =
      standardise === 'speaker' ? speakerStandards(sources, joined) : trainStandards(sources, joined, train);
    known.set(key, found);
  }
  return found;
}

/** Tells the stores which feature sets this run depends on. */
function pinFeatures({ stores = [], dataset }: ExperimentRequest, { id, identity }: RunPlan): void {
  const used = Object.values(identity.features);
  const fingerprints = Object.fromEntries(used.map(({ feature, fingerprint }) => [feature, fingerprint]));
  pinRun(stores, dataset, { run: id, fingerprints });
}

/** What a finished run says under the experiment's selection rule. */
function outcomeOf(
  { classes, select }: ExperimentRequest,
  folder: RunFolder,
  run: RunPlan,
  skipped: boolean,
): RunOutcome {
  const { text, path } = folder.predictions(select);
  const predictions = withUnanswered(decodePredictions(text, classes, path), run);
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

function configRecord(request: ExperimentRequest, run: RunPlan): Json {
  const { expected, missingTest, missingTrain, missingDev } = run.parts.coverage;
  return {
    run: run.id,
    variant: run.variant,
    identity: run.identity as unknown as Json,
    coverage: { expected, missingTest, missingTrain, missingDev } as unknown as Json,
    protocol: (request.protocol ?? null) as unknown as Json,
    ...(request.allFolds === undefined ? {} : { folds: [...request.allFolds] }),
    environment: request.environment,
  };
}

function titleOf({ variant, fold, seed }: RunPlan): string {
  return `${variant} ${fold} seed ${seed}`;
}

/** Training utterances without features are never dropped in silence. */
function reportDropped({ request, covered }: VariantPlan, reporter: Reporter): void {
  const dropped = new Map(
    covered.flatMap(({ coverage: { missingTrain, missingDev } }) =>
      [...missingTrain, ...missingDev].map(({ id, reason }) => [id, reason]),
    ),
  );
  if (dropped.size === 0) return;
  const list = [...dropped].map(([id, reason]) => `${id}: ${reason}`).join('; ');
  reporter.warn(
    `variant ${request.name}: ${dropped.size} training or dev utterances lack a feature and are left out: ${list}`,
  );
}
