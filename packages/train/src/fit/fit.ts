import type { Reporter } from '@lsgmer/datasets';
import { Interrupted } from '@lsgmer/datasets';
import { analyse } from '../analysis/analyse.ts';
import { encodeAnalysis } from '../analysis/analysis-file.ts';
import { encodeLabelHistory, labelTables } from '../analysis/label-history.ts';
import { Assembler } from '../batches/assemble.ts';
import { planEpoch, planPass, type Update } from '../batches/epoch.ts';
import { prefetched, type Wanted } from '../batches/prefetch.ts';
import { featureDims, type FeatureSources, type Joined } from '../batches/source.ts';
import type { Configuration } from '../config/configuration.ts';
import { argmax, predict, type Prediction } from '../evaluate/predict.ts';
import { scoresOf, scorePredictions } from '../evaluate/summary.ts';
import type { BatchShape, Engine, Head, HostBatch, StepResult } from '../head/contract.ts';
import { encodePredictions } from '../record/predictions.ts';
import type { EpochTiming, RunFolder } from '../record/run-folder.ts';
import { type EpochRecord, type EpochSums, noSums } from '../record/run-state.ts';
import { badBatch, requireFinite } from './finite.ts';
import { TrainingState } from './training-state.ts';

/** One run: a configuration on one fold with one seed. */
export interface FitRequest {
  readonly head: Head;
  readonly configuration: Configuration;
  readonly classes: readonly string[];
  readonly sources: FeatureSources;
  /** Utterances of both parts, with the labels that training sees. */
  readonly joined: Joined;
  /** Static shapes that cover all of them. */
  readonly shapes: readonly BatchShape[];
  /** Indices into `joined`. */
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly fold: string;
  readonly seed: number;
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
}

/** Least milliseconds between two saves: files that are safe on disk cost some 10 ms each, a short epoch less. */
const SAVE_AFTER = 3000;

/**
 * Trains one run from its start, or from where its folder says that it stopped; ends with the same bits either
 * way. Saves after an epoch (every few seconds, where epochs are short), and between two updates when `signal` is
 * aborted.
 * @returns predictions for the test part after the last epoch (selection rule `last`)
 * @throws Interrupted after saving; UserError for a loss that is not finite, an unreadable row, a damaged record
 */
export async function fit(request: FitRequest, context: FitContext): Promise<Prediction[]> {
  const { head, configuration, classes, sources, joined, shapes, engine, folder, seed } = request;
  const { epochs } = configuration.trainer;
  const assembler = new Assembler(head, configuration.head, classes.length, joined, sources);
  const dims = featureDims(sources);
  const state = new TrainingState(head, configuration, dims, classes.length, seed, engine);
  const saved = folder.load();
  const records: EpochRecord[] = [...(saved?.epochs ?? [])];
  const timings: EpochTiming[] = folder.timings().slice(0, saved?.state.epoch ?? 0);
  let { epoch, position, step, sums } = saved?.state ?? { epoch: 0, position: 0, step: 0, sums: noSums };
  if (saved !== undefined) state.restore(saved.tensors, step);
  const pass = planPass(request.test, joined.lengths, shapes);
  const about = { run: folder.id, rule: 'last', classes };
  const specs = head.parameters(configuration.head, dims, classes.length);
  const tables = request.analysis === false ? undefined : folder.labelHistory(epoch);
  let predictions: Prediction[] | undefined;
  let lastSave = context.now();

  const asEvaluated = async <T>(use: () => T | Promise<T>): Promise<T> => {
    const restore = state.labels.forEvaluation(engine.parameters);
    try {
      return await use();
    } finally {
      restore();
    }
  };
  const evaluate = (): Promise<Prediction[]> =>
    asEvaluated(() => predict(engine, assembler, pass, joined, classes.length));
  const rememberLabels = (): Promise<unknown> =>
    asEvaluated(() => tables?.push(...labelTables(specs, engine.parameters, epoch)));
  const labels = (): Uint8Array | undefined => tables && encodeLabelHistory(tables, about);

  const save = (): void => {
    folder.addTiming(timings);
    folder.save({ epoch, position, step, sums }, state.tensors(), records, labels());
  };
  if (saved === undefined) await rememberLabels();

  while (epoch < epochs) {
    const started = context.now();
    const first = sums.rows;
    const updates = planEpoch(request.train, joined.lengths, shapes, configuration.trainer, seed, epoch);
    const batches = prefetched(assembler, microBatches(updates.slice(position), seed, step));
    try {
      for (; position < updates.length; position++) {
        if (context.signal?.aborted === true) {
          save();
          throw new Interrupted(`${context.title}: stopped in epoch ${epoch + 1}, after ${step} updates`);
        }
        const update = updates[position] as Update;
        const when = `in epoch ${epoch + 1}, update ${position + 1} of ${updates.length}`;
        sums = await runUpdate(request, batches, update, sums, when);
        state.update();
        step++;
      }
    } finally {
      await batches.return();
    }
    requireFinite(engine.parameters, `after epoch ${epoch + 1}`);
    const seconds = (context.now() - started) / 1000;
    const movement = state.endEpoch();
    predictions = await evaluate();
    epoch++;
    await rememberLabels();
    records.push(epochRecord(epoch, sums, movement, predictions, classes.length));
    timings.push({ epoch, seconds, utterancesPerSecond: (sums.rows - first) / seconds });
    position = 0;
    sums = noSums;
    if (epoch < epochs && context.now() - lastSave >= SAVE_AFTER) {
      save();
      lastSave = context.now();
    }
    const { loss, trainWa } = records.at(-1) as EpochRecord;
    const note = `loss ${loss.toFixed(4)}, train WA ${(100 * trainWa).toFixed(1)}`;
    context.reporter.progress({ task: context.title, done: epoch, total: epochs, unit: 'epochs', note });
  }

  const answers = (predictions ??= await evaluate());
  folder.addTiming(timings);
  await asEvaluated(async () => {
    const rows = tables && (await analyse(engine, assembler, pass, joined, request.fold, answers));
    folder.finish(
      {
        head: { tensors: state.named(), metadata: { run: folder.id, head: head.name, epoch: String(epoch) } },
        predictions: encodePredictions(answers, request.fold, classes),
        epochs: records,
        analysis: rows && encodeAnalysis(rows, about),
        labels: labels(),
      },
      { epoch, step, sums },
    );
  });
  return answers;
}

/** All micro-batches of a list of updates, each with its place in its update. */
function* microBatches(updates: readonly Update[], seed: number, firstStep: number): Generator<Wanted> {
  for (const [i, { micro, rows }] of updates.entries()) {
    let firstRow = 0;
    for (const one of micro) {
      yield { micro: one, place: { rows, firstRow, dropout: { seed, step: firstStep + i } } };
      firstRow += one.items.length;
    }
  }
}

/** Adds up the gradients of an update's micro-batches; returns the sums with its rows added. */
async function runUpdate(
  { engine, classes, joined }: FitRequest,
  batches: ReturnType<typeof prefetched>,
  update: Update,
  sums: EpochSums,
  when: string,
): Promise<EpochSums> {
  let { loss, ce, apc, right } = sums;
  engine.clearGradients();
  for (const micro of update.micro) {
    const next = await batches.next();
    if (next.done === true) throw new Error('fewer batches than the epoch has');
    const { batch } = next.value;
    const result = await engine.gradients(batch);
    requireFiniteLoss(result, batch, when);
    // the weights are 1 / rows of the update: times rows gives sums over utterances
    loss += result.loss * update.rows;
    ce += result.ce * update.rows;
    apc += result.apc * update.rows;
    micro.items.forEach((item, r) => {
      const row = result.logits.subarray(r * classes.length, (r + 1) * classes.length);
      if (argmax(row) === joined.rows[item]?.label) right++;
    });
  }
  return { loss, ce, apc, right, rows: sums.rows + update.rows, updates: sums.updates + 1 };
}

function requireFiniteLoss({ loss, ce, apc }: StepResult, batch: HostBatch, when: string): void {
  if ([loss, ce, apc].every(Number.isFinite)) return;
  throw badBatch('the loss', batch, when);
}

function epochRecord(
  epoch: number,
  sums: EpochSums,
  movement: { readonly relative: number; readonly cosines: readonly number[] },
  predictions: readonly Prediction[],
  classes: number,
): EpochRecord {
  const test = scorePredictions(predictions, classes);
  return {
    epoch,
    loss: sums.loss / sums.rows,
    ce: sums.ce / sums.rows,
    apc: sums.apc / sums.rows,
    trainWa: sums.right / sums.rows,
    labelMovement: movement.cosines.length === 0 ? null : movement.relative,
    labelCosines: [...movement.cosines],
    updates: sums.updates,
    utterances: sums.rows,
    test: { ...scoresOf(test), confusion: test.confusion.map((row) => [...row]) },
  };
}
