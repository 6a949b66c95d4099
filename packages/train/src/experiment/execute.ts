import { type Json, pinRun, type Reporter } from '@lsgmer/datasets';
import { type Standards, speakerStandards, trainStandards } from '../batches/standards.ts';
import { type EpochListener, fit } from '../fit/fit.ts';
import type { Engine } from '../head/contract.ts';
import { RunFolder } from '../record/run-folder.ts';
import type { RunPlan, VariantPlan } from './plan.ts';
import type { ExperimentRequest } from './request.ts';

export interface ExperimentContext {
  readonly reporter: Reporter;
  /** Aborted: the run under way saves, then Interrupted is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from any start. */
  readonly now: () => number;
  /** Says each epoch in one line; false unless given. */
  readonly epochLines?: boolean;
  /** Reports the progress of each run; true unless given. */
  readonly bars?: boolean;
  /** Hears of each epoch of a run. */
  readonly listen?: ((run: RunPlan) => EpochListener) | undefined;
}

export function folderOf({ runs, dataset, task }: ExperimentRequest, run: RunPlan): RunFolder {
  return new RunFolder(runs, dataset, task, run.id);
}

/** Does one run, or the rest of it, in its folder. */
export async function executeRun(
  request: ExperimentRequest,
  variant: VariantPlan,
  run: RunPlan,
  engine: Engine,
  context: ExperimentContext,
): Promise<void> {
  const index = new Map(variant.joined.rows.map((row, i) => [row.id, i]));
  const items = (rows: readonly { id: string }[]): number[] => rows.map(({ id }) => index.get(id) as number);
  const folder = folderOf(request, run);
  folder.begin(configRecord(request, variant, run));
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
    {
      reporter: context.reporter,
      signal: context.signal,
      now: context.now,
      title: titleOf(run),
      epochLines: context.epochLines ?? false,
      bars: context.bars ?? true,
      onEpoch: context.listen?.(run),
    },
  );
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
export function pinFeatures({ stores = [], dataset }: ExperimentRequest, { id, identity }: RunPlan): void {
  const used = Object.values(identity.features);
  const fingerprints = Object.fromEntries(used.map(({ feature, fingerprint }) => [feature, fingerprint]));
  pinRun(stores, dataset, { run: id, fingerprints });
}

function configRecord(request: ExperimentRequest, { shapes }: VariantPlan, run: RunPlan): Json {
  const { expected, missingTest, missingTrain, missingDev } = run.parts.coverage;
  return {
    run: run.id,
    variant: run.variant,
    ...(request.role === undefined ? {} : { role: request.role }),
    identity: run.identity as unknown as Json,
    coverage: { expected, missingTest, missingTrain, missingDev } as unknown as Json,
    protocol: (request.protocol ?? null) as unknown as Json,
    ...(request.allFolds === undefined ? {} : { folds: [...request.allFolds] }),
    shapes: shapes as unknown as Json,
    environment: request.environment,
  };
}

export function titleOf({ variant, fold, seed }: RunPlan): string {
  return `${variant} ${fold} seed ${seed}`;
}
