import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDevRule, parseWhere, readManifest, silent, UserError } from '@lsgmer/datasets';
import {
  checkTraining,
  epochScalars,
  EventFile,
  type ExperimentContext,
  type ExperimentPlan,
  type ExperimentRequest,
  finishedResult,
  parseShare,
  pendingRuns,
  planExperiment,
  runExperiment,
  type RunPlan,
  runSweep,
  type Share,
  shareOf,
  trialsOf,
  workOf,
  workOff,
} from '@lsgmer/train';
import type { Context } from './context.ts';
import { requireStored } from './dataset.ts';
import { chooseEngine } from './engine-choice.ts';
import {
  loadRecipe,
  parseAblations,
  parseSeeds,
  type Prepared,
  prepareExperiment,
  type TrainAsk,
} from './experiment.ts';
import { EXIT } from './exit.ts';
import { findHead, isHeadFile } from './head-choice.ts';
import { chooseJobs, startWorkers, stopWithParent } from './jobs.ts';
import type { TrainOptions } from './train-options.ts';
import { type Ceilings, experimentText } from './ui/scores.ts';
import { plainTable } from './ui/table.ts';

/** Trains what is asked for and prints the result; shared with the demo. */
export async function runTraining(
  context: Context,
  dataset: string,
  options: TrainOptions,
  ceilings?: Ceilings,
): Promise<void> {
  requireStored(context, dataset);
  const recipe = options.recipe === undefined ? undefined : loadRecipe(options.recipe);
  checkTogether(options);
  const threads = options.threads ?? recipe?.threads;
  const headName = options.head ?? recipe?.head ?? 'lsgmer';
  const ask: TrainAsk = {
    task: options.task,
    recipe,
    features: options.features,
    set: options.set ?? [],
    grid: options.grid ?? [],
    random: options.random,
    fold: options.fold,
    protocol: options.protocol,
    dev: options.dev === undefined ? undefined : parseDevRule(options.dev),
    where: options.where === undefined ? undefined : parseWhere(options.where),
    seeds: options.seeds === undefined ? (recipe?.seeds ?? [1]) : parseSeeds(options.seeds),
    ablations: options.ablation === undefined ? [] : parseAblations(options.ablation),
    missing: options.missing ?? recipe?.missing ?? 'error',
    analysis: options.analysis ?? true,
    select: options.select ?? recipe?.select ?? 'last',
    refit: options.refit ?? false,
    head: await findHead(headName, context.folder),
    headFile: isHeadFile(headName) ? resolve(context.folder, headName) : undefined,
    engine: await chooseEngine({ engine: options.engine ?? 'onnx', device: options.device }, silent),
  };
  const prepared = prepareExperiment(context, readManifest(context.stores, dataset), ask);
  try {
    if (options['print-config']) context.print(JSON.stringify(configurations(prepared), null, 2));
    else if (options.check === true) await check(context, options, prepared.request);
    else if (options['dry-run']) context.print(dryRun(prepared));
    else await work(context, dataset, { ...options, threads }, prepared, ceilings);
  } finally {
    prepared.close();
  }
}

/** For learning by heart, all variants together: the whole check is to stay under a minute. */
const CHECK_SECONDS = 30;

/** Checks each variant on its first fold and seed; what fails ends with exit code 3. */
async function check(context: Context, options: TrainOptions, request: ExperimentRequest): Promise<void> {
  const plan = planExperiment(request);
  const doing = { reporter: context.reporter, signal: context.signal, now: () => performance.now() };
  const found = [];
  for (const variant of plan.variants) {
    const run = variant.runs[0];
    if (run === undefined) continue;
    const findings = await checkTraining(
      plan.request,
      variant,
      run,
      doing,
      CHECK_SECONDS / plan.variants.length,
    );
    found.push({ variant: variant.request.name, fold: run.fold, seed: run.seed, findings });
    const lines = findings.map(({ passed, text }) => `  ${passed ? 'ok    ' : 'FAILED'}  ${text}`);
    if (!options.json)
      context.print([`${variant.request.name}, fold ${run.fold}, seed ${run.seed}`, ...lines].join('\n'));
  }
  if (options.json) context.print(JSON.stringify(found));
  if (found.some(({ findings }) => findings.some(({ passed }) => !passed))) process.exitCode = EXIT.data;
}

/** Does the runs, with the help of other processes where there is enough to do, and prints the result. */
async function work(
  context: Context,
  dataset: string,
  options: TrainOptions,
  prepared: Prepared,
  ceilings: Ceilings | undefined,
): Promise<void> {
  const signal = options.worker === true ? stopWithParent(context.signal) : context.signal;
  const doing: ExperimentContext = {
    reporter: context.reporter,
    signal,
    now: () => performance.now(),
    epochLines: options.epochs ?? true,
    // lines say all that a bar says where it cannot move
    bars: process.stderr.isTTY || options.epochs === false,
    ...(options.tensorboard === undefined
      ? {}
      : { listen: eventFiles(resolve(context.folder, options.tensorboard), prepared.request) }),
  };
  const share = options.only === undefined ? undefined : parseShare(options.only);
  const { sweep } = prepared;
  const planned = planExperiment(sweep === undefined ? prepared.request : trialsOf(prepared.request, sweep));
  const own = shareOf(workOf(planned.variants), share);
  const unfinished = new Set(pendingRuns(planned).map((run) => run.id));
  const toDo = own.filter(({ run }) => unfinished.has(run.id));
  const pending = toDo.length;
  reportFinished(context, options, own.length, pending);
  // runs of a later round (what a sweep chose, refitting) are as many as there are folds and seeds
  const { folds, seeds, variants } = prepared.request;
  const later =
    sweep !== undefined || options.refit === true ? folds.length * seeds.length * variants.length : 0;
  const jobs = chooseJobs(
    options,
    share === undefined ? Math.max(pending, later) : 1,
    toDo.reduce((sum, { variant, run }) => {
      const { epochs } = variant.request.configuration.trainer;
      return sum + run.parts.train.length * epochs;
    }, 0),
  );
  const engine = await chooseEngine(
    { engine: options.engine ?? 'onnx', device: options.device, threads: jobs.threads },
    context.reporter,
  );
  const request = { ...prepared.request, engine };
  const plan = { ...planned, request: { ...planned.request, engine } };
  const workers = startWorkers(context, dataset, options, jobs);
  try {
    if (share !== undefined) {
      const text = await workShare(plan, share, doing);
      context.print(text ?? resultText(finishedResult(plan), options.json, ceilings));
      return;
    }
    const result = await (sweep === undefined ? runExperiment(plan, doing) : runSweep(request, sweep, doing));
    if (options.worker !== true) context.print(resultText(result, options.json, ceilings));
  } finally {
    await workers.end();
  }
}

/** Does a share of a plan's runs. @returns what is to be said where others are left */
async function workShare(
  plan: ExperimentPlan,
  share: Share,
  doing: ExperimentContext,
): Promise<string | undefined> {
  const own = shareOf(workOf(plan.variants), share);
  await workOff(plan.request, own, doing);
  const left = pendingRuns(plan).length;
  if (left === 0) return undefined;
  return (
    `share ${share.index} of ${share.of}: ${own.length} runs are finished; ${left} of other shares are not here: ` +
    'bring the run folders together, then the same command without --only prints the result'
  );
}

function reportFinished(context: Context, { worker }: TrainOptions, all: number, pending: number): void {
  if (worker === true || pending === all) return;
  context.reporter.info(`${all - pending} of ${all} runs are finished already and are not redone`);
}

const resultText = (
  result: ReturnType<typeof finishedResult>,
  json: boolean,
  ceilings: Ceilings | undefined,
): string => (json ? JSON.stringify(result) : experimentText(result, ceilings));

/** What cannot be asked for together. */
function checkTogether(options: TrainOptions): void {
  const { grid = [], random, only, jobs, refit } = options;
  if (random !== undefined && !(Number.isInteger(random) && random >= 1))
    throw new UserError(`--random ${random}: expected how many draws to try, a whole number from 1 on`);
  if (random !== undefined && grid.length === 0)
    throw new UserError('--random needs what to draw from: --grid key=a,b or key=log:1e-5:1e-3');
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1))
    throw new UserError(`--jobs ${jobs}: expected a whole number from 1 on`);
  if (only !== undefined && (grid.length > 0 || refit === true))
    throw new UserError(
      `--only cuts one list of runs; ${grid.length > 0 ? '--grid' : '--refit'} makes a second one from the first: leave --only, several processes share the runs by themselves`,
    );
}

/** One event file a run: <folder>/<variant>/<fold> seed <n> <run id>. */
function eventFiles(folder: string, { select }: ExperimentRequest): NonNullable<ExperimentContext['listen']> {
  const seconds = (): number => Date.now() / 1000;
  return (run) => {
    const name = `${run.fold}-seed${run.seed}-${run.id}`;
    const file = new EventFile(join(folder, run.variant, name), `${hostname()}.${process.pid}`, seconds);
    return (record, timing) => file.add(record.epoch, epochScalars(record, timing, select === 'oracle-test'));
  };
}

function configurations({ request, sweep }: Prepared): object {
  return Object.fromEntries(
    request.variants.map((variant, v) => [
      variant.name,
      sweep === undefined
        ? variant.configuration.values
        : { ...variant.configuration.values, tried: (sweep.trials[v] ?? []).map(({ settings }) => settings) },
    ]),
  );
}

function dryRun({ request, sweep }: Prepared): string {
  const plan = planExperiment(sweep === undefined ? request : trialsOf(request, sweep));
  const pending = new Set(pendingRuns(plan).map((run) => run.id));
  const runs = plan.variants.flatMap((variant) => variant.runs);
  const text = dryRunText(plan.request, runs, pending);
  if (sweep === undefined) return text;
  const count = request.variants.length * request.folds.length * request.seeds.length;
  return `${text}\nthen the best on dev of each fold, with its test part: ${count} runs`;
}

/** The planned runs: their ids, the size of each part, and which are finished. */
function dryRunText(
  request: ExperimentRequest,
  runs: readonly RunPlan[],
  pending: ReadonlySet<string>,
): string {
  const dev = new Map(request.folds.map((fold) => [fold.id, fold.dev.length]));
  const { protocol } = request;
  const marked = protocol?.speakerDependent === true ? ' (SPEAKER-DEPENDENT)' : '';
  const rows = runs.map((run) => [
    run.id,
    run.variant,
    run.fold,
    `seed ${run.seed}`,
    String(run.parts.train.length),
    String(dev.get(run.fold) ?? 0),
    String(run.parts.test.length),
    pending.has(run.id) ? 'to do' : 'finished',
  ]);
  const head = protocol === undefined ? '' : `${protocol.name}${marked}\n`;
  return head + plainTable([['run', 'variant', 'fold', '', 'train', 'dev', 'test', ''], ...rows]);
}
