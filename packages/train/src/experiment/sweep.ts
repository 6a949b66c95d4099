import { join } from 'node:path';
import { digestJson, type Json, UserErrors, writeFileAtomic } from '@lsgmer/datasets';
import type { Configuration } from '../config/configuration.ts';
import { mean } from '../evaluate/metrics.ts';
import type { HeadConfig } from '../head/contract.ts';
import { type ExperimentContext, folderOf } from './execute.ts';
import { planExperiment } from './plan.ts';
import type { PlannedVariant, SweepNote } from './planned-variant.ts';
import type { ExperimentRequest } from './request.ts';
import { workOf, workOff } from './work-off.ts';

/** A configuration that a sweep tries. */
export interface Trial {
  /** What is set beside the variant's own settings. */
  readonly settings: HeadConfig;
  readonly configuration: Configuration;
}

/** What to try, by variant of the request. */
export interface Sweep {
  readonly trials: readonly (readonly Trial[])[];
}

/** `lr=0.001, d=64` */
export function settingsText(settings: HeadConfig): string {
  const parts = Object.entries(settings).map(([key, value]) => `${key}=${String(value)}`);
  return parts.length === 0 ? '(nothing set)' : parts.join(', ');
}

/**
 * Trains every trial on every fold and seed without its test part, picks for each fold what is best on dev (in the
 * task's metric, mean over seeds, the earlier on ties), and plans those with their test parts. A trial that diverges with one of
 * the seeds is not chosen for that fold.
 * Leaves `sweep-<digest>.json` beside the runs: every trial with its scores.
 * @throws UserErrors where a fold has no dev part, or the selection rule looks at the test part
 */
export async function runTrials(
  request: ExperimentRequest,
  { trials }: Sweep,
  context: ExperimentContext,
): Promise<PlannedVariant[]> {
  const trialRequest = trialsOf(request, { trials });
  const plan = planExperiment(trialRequest);
  const diverged = new Set<string>();
  await workOff(trialRequest, workOf(plan.variants), context, { onDiverged: ({ id }) => diverged.add(id) });

  /** Dev score of a trial on a fold, mean over seeds. */
  const scoreOf = (trial: number, fold: string): number =>
    mean(
      (plan.variants[trial]?.runs ?? [])
        .filter((run) => run.fold === fold)
        .map((run) => {
          if (diverged.has(run.id)) return -Infinity;
          const folder = folderOf(trialRequest, run);
          const last = folder.epochs().at(-1)?.dev?.[request.metric];
          const score = request.select === 'last' ? last : folder.state()?.chosen.dev?.score;
          if (score === undefined || score === null) throw new Error(`${folder.path}: no score on dev`);
          return score;
        }),
    );

  let first = 0;
  const planned = request.variants.map((variant, v): PlannedVariant => {
    const own = trials[v] as readonly Trial[];
    const scores = own.map((_, t) => request.folds.map((fold) => scoreOf(first + t, fold.id)));
    first += own.length;
    const best = request.folds.map((_, f) =>
      scores.reduce((b, row, t) => ((row[f] as number) > (scores[b]?.[f] as number) ? t : b), 0),
    );
    const lost = request.folds.filter((_, f) => scores[best[f] as number]?.[f] === -Infinity);
    if (lost.length > 0)
      throw new UserErrors([
        `${variant.name}: every trial diverged on ${lost.map((fold) => fold.id).join(', ')}: try a lower lr, or verify the features`,
      ]);
    const chosen = request.folds.map((fold, f) => ({
      fold: fold.id,
      settings: (own[best[f] as number] as Trial).settings,
      score: scores[best[f] as number]?.[f] as number,
    }));
    writeRecord(request, variant.name, own, scores, chosen);
    const plans = own.flatMap(({ configuration }, t) => {
      const folds = request.folds.filter((_, f) => best[f] === t);
      if (folds.length === 0) return [];
      return planExperiment({ ...request, folds, variants: [{ name: variant.name, configuration }] })
        .variants;
    });
    return { name: variant.name, plans, sweep: { tried: own.length, chosen } };
  });
  return planned;
}

/** The request of all trials: no test part anywhere. */
export function trialsOf(request: ExperimentRequest, { trials }: Sweep): ExperimentRequest {
  const without = request.folds.filter((fold) => fold.dev.length === 0).map((fold) => fold.id);
  const problems = [
    ...(request.select === 'oracle-test'
      ? ['a sweep is chosen on dev, never on test: --select dev or last']
      : []),
    ...(without.length === 0
      ? []
      : [
          `a sweep is chosen on dev, and fold${without.length === 1 ? '' : 's'} ${without.join(', ')} ` +
            `${without.length === 1 ? 'has' : 'have'} no dev part: carve one with --dev session, dialogue:0.1 or speaker:0.1`,
        ]),
  ];
  if (problems.length > 0) throw new UserErrors(problems);
  return {
    ...request,
    role: 'trial',
    analysis: false,
    folds: request.folds.map((fold) => ({ ...fold, test: [] })),
    variants: request.variants.flatMap(({ name }, v) =>
      (trials[v] as readonly Trial[]).map(({ settings, configuration }) => ({
        name: `${name} ${settingsText(settings)}`,
        configuration,
      })),
    ),
  };
}

function writeRecord(
  { runs, dataset, task, metric, select, folds, seeds }: ExperimentRequest,
  variant: string,
  trials: readonly Trial[],
  scores: readonly (readonly number[])[],
  chosen: SweepNote['chosen'],
): void {
  const about = { variant, metric, select, seeds: [...seeds], folds: folds.map((fold) => fold.id) };
  const tried = trials.map(({ settings }, t) => ({
    settings,
    dev: (scores[t] as readonly number[]).map((score) => (score === -Infinity ? null : score)),
  }));
  const record = { ...about, tried, chosen: [...chosen] } as unknown as Json;
  const id = digestJson(record).slice(0, 12);
  writeFileAtomic(join(runs, dataset, task, `sweep-${id}.json`), `${JSON.stringify(record, null, 2)}\n`);
}
