import type { Reporter } from '@lsgmer/datasets';
import { Interrupted } from '@lsgmer/datasets';
import { analyse } from '../analysis/analyse.ts';
import { encodeAnalysis } from '../analysis/analysis-file.ts';
import { encodeLabelHistory, labelTables } from '../analysis/label-history.ts';
import { Assembler } from '../batches/assemble.ts';
import { balancedItems, planEpoch, planPass, type Update } from '../batches/epoch.ts';
import { prefetched } from '../batches/prefetch.ts';
import { featureDims, type FeatureSources, type Joined, type LabelledId } from '../batches/source.ts';
import type { Standards } from '../batches/standards.ts';
import { classWeights } from '../batches/targets.ts';
import type { Configuration } from '../config/configuration.ts';
import type { MetricKey } from '../evaluate/metrics.ts';
import { lossOf, predict, type Prediction } from '../evaluate/predict.ts';
import type { BatchShape, Engine, Head } from '../head/contract.ts';
import { encodePredictions } from '../record/predictions.ts';
import { RowLosses } from '../record/row-losses.ts';
import type { EpochTiming, RuleResult, RunFolder } from '../record/run-folder.ts';
import { type EpochRecord, noSums } from '../record/run-state.ts';
import { CollapseWatch } from './collapse.ts';
import { epochLine } from './epoch-line.ts';
import { epochRecord } from './epoch-record.ts';
import { requireFinite } from './finite.ts';
import type { Safetensors } from './safetensors.ts';
import { EpochSelection, searchingRules } from './selection.ts';
import { TrainingState } from './training-state.ts';
import { microBatches, runUpdate } from './update.ts';

/** One run: a configuration on one fold with one seed. */
export interface FitRequest {
  readonly head: Head;
  readonly configuration: Configuration;
  readonly classes: readonly string[];
  /** Picks epochs. */
  readonly metric: MetricKey;
  readonly sources: FeatureSources;
  /** Utterances of all parts, with the labels that training sees. */
  readonly joined: Joined;
  /** Static shapes that cover all of them. */
  readonly shapes: readonly BatchShape[];
  /** Indices into `joined`. */
  readonly train: readonly number[];
  /** Never trained on; empty where there is no dev part. */
  readonly dev: readonly number[];
  /** Empty in a trial of a sweep. */
  readonly test: readonly number[];
  readonly fold: string;
  readonly seed: number;
  /** How features are standardised; made from the training part, or from each speaker. */
  readonly standards?: Standards | undefined;
  readonly folder: RunFolder;
  /** An engine for the head, configuration and features; its parameters are overwritten. */
  readonly engine: Engine;
  /** Whether analysis.arrow and labels.arrow are written; no number of the run depends on it. */
  readonly analysis?: boolean | undefined;
}

export interface FitContext {
  readonly reporter: Reporter;
  /** Aborted: saves and throws Interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from any start. */
  readonly now: () => number;
  /** Name of the run in progress lines. */
  readonly title: string;
  /** Says each epoch in one line. */
  readonly epochLines?: boolean;
  /** Reports progress; true unless given. */
  readonly bars?: boolean;
  readonly onEpoch?: EpochListener | undefined;
}

/** Hears of each epoch once it is complete. */
export type EpochListener = (record: EpochRecord, timing: EpochTiming) => void;

/** Least milliseconds between two saves: files that are safe on disk cost some 10 ms each, a short epoch less. */
const SAVE_AFTER = 3000;

/**
 * Trains one run from its start, or from where its folder says that it stopped; ends with the same bits either
 * way. Saves after an epoch (every few seconds, where epochs are short), and between two updates when `signal` is
 * aborted. Leaves in its folder a head and predictions of the test part for every selection rule.
 * @throws Interrupted after saving; UserError for a loss that is not finite, an unreadable row, a damaged record
 */
export async function fit(request: FitRequest, context: FitContext): Promise<void> {
  const { head, configuration, classes, sources, joined, shapes, engine, folder, seed } = request;
  const { trainer } = configuration;
  const { epochs } = trainer;
  const trained = request.train.map((item) => joined.rows[item] as LabelledId);
  const weights = classWeights(trainer.classWeights, trained, classes.length, trainer.classBeta);
  const targets = { smoothing: trainer.smoothing, weights };
  const assembler = new Assembler(head, configuration.head, classes.length, joined, sources, {
    targets,
    modalityDropout: trainer.modalityDropout,
    standards: request.standards,
  });
  const dims = featureDims(sources);
  const state = new TrainingState(head, configuration, dims, classes.length, seed, engine);
  const selection = new EpochSelection();
  const { losses, lossRow } = rowLosses(request);
  const saved = folder.load();
  const records: EpochRecord[] = [...(saved?.epochs ?? [])];
  const timings: EpochTiming[] = folder.timings().slice(0, saved?.state.epoch ?? 0);
  let { epoch, position, step, sums } = saved?.state ?? { epoch: 0, position: 0, step: 0, sums: noSums };
  if (saved !== undefined) {
    state.restore(saved.tensors, step);
    selection.restore(saved.state.chosen, saved.tensors);
    if (saved.tensors['losses'] !== undefined) losses.restore(saved.tensors['losses']);
  }
  const passes = {
    dev: planPass(request.dev, joined.lengths, shapes),
    test: planPass(request.test, joined.lengths, shapes),
  };
  const about = { run: folder.id, rule: 'last', classes };
  const specs = head.parameters(configuration.head, dims, classes.length);
  const tables = request.analysis === false ? undefined : folder.labelHistory(epoch);
  const asEvaluated = async <T>(use: () => T | Promise<T>): Promise<T> => {
    const restore = state.labels.forEvaluation(engine.parameters);
    try {
      return await use();
    } finally {
      restore();
    }
  };
  const evaluate = (part: 'dev' | 'test'): Promise<Prediction[]> =>
    asEvaluated(() => predict(engine, assembler, passes[part], joined, classes.length));
  const rememberLabels = (): Promise<unknown> =>
    asEvaluated(() => tables?.push(...labelTables(specs, engine.parameters, epoch)));
  const labels = (): Uint8Array | undefined => tables && encodeLabelHistory(tables, about);

  const watch = new CollapseWatch(context.title, classes, context.reporter, records);
  const onLoss = (id: string, loss: number): void => losses.set(epoch, lossRow.get(id) as number, loss);
  const updating = { engine, joined, classes: classes.length, onLoss };
  let latest: readonly Prediction[] | undefined;
  let lastSave = context.now();
  const save = (): void => {
    folder.addTiming(timings);
    const tensors = {
      ...state.tensors(),
      ...selection.tensors(),
      losses: losses.tensor(Math.min(epoch + 1, epochs)),
    };
    folder.save({ epoch, position, step, sums, chosen: selection.chosen }, tensors, records, labels());
    lastSave = context.now();
  };

  if (saved === undefined) await rememberLabels();

  while (epoch < epochs) {
    const started = context.now();
    const first = sums.rows;
    const updates = epochUpdates(request, epoch);
    const batches = prefetched(assembler, microBatches(updates.slice(position), joined, targets, seed, step));
    try {
      for (; position < updates.length; position++) {
        if (context.signal?.aborted === true) {
          save();
          throw new Interrupted(`${context.title}: stopped in epoch ${epoch + 1}, after ${step} updates`);
        }
        const when = `in epoch ${epoch + 1}, update ${position + 1} of ${updates.length}`;
        sums = await runUpdate(updating, batches, updates[position] as Update, sums, when);
        const norm = state.update((epoch + position / updates.length) / epochs);
        sums = { ...sums, gradientNorm: sums.gradientNorm + norm };
        step++;
      }
    } finally {
      await batches.return();
    }
    requireFinite(engine.parameters, `after epoch ${epoch + 1}`);
    const seconds = (context.now() - started) / 1000;
    const movement = state.endEpoch();
    const [dev, test] = [await evaluate('dev'), await evaluate('test')];
    latest = test;
    for (const one of [...dev, ...test]) losses.set(epoch, lossRow.get(one.id) as number, lossOf(one));
    epoch++;
    await rememberLabels();
    const record = epochRecord({ epoch, sums, movement, lr: state.lr, dev, test, classes: classes.length });
    records.push(record);
    for (const [rule, scores] of [
      ['dev', record.dev],
      ['oracle-test', record.test],
    ] as const)
      if (scores !== null) selection.offer(rule, epoch, scores[request.metric], () => state.forEvaluation());
    const timing = { epoch, seconds, utterancesPerSecond: (sums.rows - first) / seconds };
    timings.push(timing);
    position = 0;
    sums = noSums;
    if (epoch < epochs && context.now() - lastSave >= SAVE_AFTER) save();
    const wall = (context.now() - started) / 1000;
    watch.seen(record);
    context.onEpoch?.(record, timing);
    if (context.epochLines === true)
      context.reporter.info(
        epochLine(context.title, epochs, record, { timing, left: (epochs - epoch) * wall }, request.metric),
      );
    if (context.bars === false) continue;
    const note = `loss ${record.loss.toFixed(4)}, train WA ${(100 * record.trainWa).toFixed(1)}`;
    context.reporter.progress({ task: context.title, done: epoch, total: epochs, unit: 'epochs', note });
  }

  folder.addTiming(timings);
  const rules: RuleResult[] = [];
  let analysis: Uint8Array | undefined;
  const last = { epoch, score: null, parameters: state.forEvaluation() };
  for (const rule of ['last', ...searchingRules] as const) {
    const chosen = rule === 'last' ? last : selection.of(rule);
    if (chosen === undefined) continue;
    engine.parameters.set(chosen.parameters);
    const fresh = chosen.epoch === epoch ? latest : undefined;
    const predictions = fresh ?? (await predict(engine, assembler, passes.test, joined, classes.length));
    const metadata = { run: folder.id, head: head.name, rule, epoch: String(chosen.epoch) };
    if (rule === 'last' && tables !== undefined) {
      const rows = await analyse(engine, assembler, passes.test, joined, request.fold, predictions);
      analysis = encodeAnalysis(rows, about);
    }
    rules.push({
      rule,
      head: { tensors: { ...state.named(), ...standardTensors(request.standards) }, metadata },
      predictions:
        predictions.length === 0 ? undefined : encodePredictions(predictions, request.fold, classes),
    });
  }
  const chosen = { last: { epoch, score: null }, ...selection.chosen };
  folder.finish(
    { rules, epochs: records, losses: losses.encode(), analysis, labels: labels() },
    { epoch, step, sums, chosen },
  );
}

/** The updates of an epoch, from 0. */
function epochUpdates({ configuration, joined, shapes, train, seed }: FitRequest, epoch: number): Update[] {
  const { balanced, batchSize, accumulate, batchBlock } = configuration.trainer;
  const labelOf = (item: number): number => joined.rows[item]?.label as number;
  const items = balanced ? balancedItems(train, labelOf, seed, epoch) : train;
  const sizes = { batchSize: batchSize * accumulate, batchBlock };
  return planEpoch(items, joined.lengths, shapes, sizes, seed, epoch);
}

function standardTensors(standards: Standards | undefined): Safetensors['tensors'] {
  const entries = Object.entries(standards?.named ?? {});
  return Object.fromEntries(entries.map(([name, values]) => [name, { shape: [values.length], values }]));
}

/** The table of losses by epoch, and the row of each utterance in it. */
function rowLosses({ configuration, joined, train, dev, test }: FitRequest): {
  readonly losses: RowLosses;
  readonly lossRow: ReadonlyMap<string, number>;
} {
  const parts = { train, dev, test } as const;
  const rows = (['train', 'dev', 'test'] as const).flatMap((part) =>
    parts[part].map((item) => ({ id: joined.rows[item]?.id as string, part })),
  );
  return {
    losses: new RowLosses(rows, configuration.trainer.epochs),
    lossRow: new Map(rows.map(({ id }, row) => [id, row])),
  };
}
