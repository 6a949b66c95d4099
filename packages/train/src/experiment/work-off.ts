import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted, type Reporter, UserError, UserErrors } from '@lsgmer/datasets';
import { featureDims } from '../batches/source.ts';
import { Diverged } from '../fit/finite.ts';
import type { Engine } from '../head/contract.ts';
import { holdersOf, RunClaim } from '../record/run-claim.ts';
import { type ExperimentContext, executeRun, folderOf, pinFeatures, titleOf } from './execute.ts';
import type { RunPlan, VariantPlan } from './plan.ts';
import type { ExperimentRequest } from './request.ts';

/** A run with the variant that it is of. */
export interface Work {
  readonly variant: VariantPlan;
  readonly run: RunPlan;
}

/** One of several disjoint shares of a plan, for machines that see no common folder. */
export interface Share {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

export interface WorkChoice {
  /** Hears of runs that diverged, and the others go on; unless given, the first one ends it all. */
  readonly onDiverged?: (run: RunPlan) => void;
}

/** Between two looks at runs that others hold. */
const LOOK_AGAIN_MS = 1000;

export function workOf(variants: readonly VariantPlan[]): Work[] {
  return variants.flatMap((variant) => variant.runs.map((run) => ({ variant, run })));
}

/** `2/3`. @throws UserErrors that shows the form */
export function parseShare(text: string): Share {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!(index >= 1 && of >= index))
    throw new UserErrors([`--only ${text}: expected i/n, for instance 1/3 for the first of three shares`]);
  return { index, of };
}

/** Every n-th run, so that each share has runs of every variant. */
export function shareOf<T>(work: readonly T[], share: Share | undefined): T[] {
  return work.filter((_, i) => share === undefined || i % share.of === share.index - 1);
}

/**
 * Does every run that is not finished. Other processes may do the same at the same time: each run is done by
 * whoever claims it, and this returns once all are finished. Runs whose heads are equal share an engine.
 * @returns ids of the runs that this call did
 * @throws Interrupted when stopped; UserError for what is the user's (see `fit`), with the run's title
 */
export async function workOff(
  request: ExperimentRequest,
  work: readonly Work[],
  context: ExperimentContext,
  { onDiverged }: WorkChoice = {},
): Promise<Set<string>> {
  const done = new Set<string>();
  const diverged = new Set<string>();
  const engines = new Engines(request);
  let left = work.filter(({ run }) => {
    const { finished } = folderOf(request, run);
    if (finished) pinFeatures(request, run);
    return !finished;
  });
  for (const variant of new Set(left.map((one) => one.variant))) reportDropped(variant, context.reporter);
  let waiting = false;
  try {
    while (left.length > 0) {
      let progress = false;
      for (const { variant, run } of left) {
        if (isAborted(context.signal)) throw new Interrupted(`stopped before ${titleOf(run)}`);
        const folder = folderOf(request, run);
        if (folder.finished) continue;
        const claim = RunClaim.take(folder.path);
        if (claim === undefined) continue;
        try {
          // whoever held it may have finished it between the two looks
          if (folder.finished) continue;
          const stops = [claim.lost, ...(context.signal === undefined ? [] : [context.signal])];
          const engine = await engines.of(variant);
          await executeRun(request, variant, run, engine, { ...context, signal: AbortSignal.any(stops) });
          done.add(run.id);
          progress = true;
        } catch (error) {
          if (error instanceof Diverged && onDiverged !== undefined) {
            context.reporter.warn(`${titleOf(run)}: ${error.message}`);
            diverged.add(run.id);
            onDiverged(run);
            progress = true;
            continue;
          }
          if (!(error instanceof Interrupted) || !claim.lost.aborted || context.signal?.aborted === true)
            throw ofRun(error, run);
          context.reporter.warn(`${titleOf(run)}: taken over by another process while this one was silent`);
        } finally {
          claim.release();
        }
      }
      left = left.filter(({ run }) => !diverged.has(run.id) && !folderOf(request, run).finished);
      if (left.length === 0 || progress) continue;
      if (!waiting) context.reporter.info(waitingText(request, left));
      waiting = true;
      // not in step with whoever stepped back at the same moment
      const { signal } = context;
      const rest = signal === undefined ? {} : { signal };
      await pause(LOOK_AGAIN_MS + (process.pid % 500), undefined, rest).catch(() => {});
    }
  } finally {
    await engines.dispose();
  }
  return done;
}

/** A plan has many runs: what the user can mend names the one that it is about. */
function ofRun(error: unknown, run: RunPlan): unknown {
  return error instanceof UserError
    ? new UserError(`${titleOf(run)}: ${error.message}`, { cause: error })
    : error;
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

function waitingText(request: ExperimentRequest, left: readonly Work[]): string {
  const holders = left.flatMap(({ run }) => holdersOf(folderOf(request, run).path));
  const names = [...new Set(holders.map(({ host, pid }) => `process ${pid} on ${host}`))];
  return `waiting for ${left.length} run${left.length === 1 ? '' : 's'} of ${names.join(', ') || 'others'}`;
}

/** Keeps one engine, for as long as runs of an equal head follow each other. */
class Engines {
  private readonly request: ExperimentRequest;
  private key: string | undefined;
  private engine: Engine | undefined;

  constructor(request: ExperimentRequest) {
    this.request = request;
  }

  async of({ request: { configuration }, sources }: VariantPlan): Promise<Engine> {
    const dims = featureDims(sources);
    const key = JSON.stringify([configuration.head, dims]);
    if (this.engine === undefined || key !== this.key) {
      await this.dispose();
      const { engine, head, classes } = this.request;
      this.engine = await engine.create(head, configuration.head, dims, classes.length);
      this.key = key;
    }
    return this.engine;
  }

  async dispose(): Promise<void> {
    const { engine } = this;
    this.engine = undefined;
    await engine?.dispose();
  }
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
