import type { Update } from '../batches/epoch.ts';
import type { prefetched, Wanted } from '../batches/prefetch.ts';
import type { Joined } from '../batches/source.ts';
import { type TargetRule, targetScale } from '../batches/targets.ts';
import { argmax, logSoftmaxAt } from '../evaluate/predict.ts';
import type { Engine, HostBatch, StepResult } from '../head/contract.ts';
import type { EpochSums } from '../record/run-state.ts';
import { badBatch } from './finite.ts';

/** What an update needs beside the update itself. */
export interface UpdateContext {
  readonly engine: Engine;
  readonly joined: Joined;
  readonly classes: number;
  /** Gets -ln p of the true class of each training row. */
  readonly onLoss: (id: string, loss: number) => void;
}

/**
 * Adds up the gradients of an update's micro-batches in the engine.
 * @param batches the update's micro-batches come next
 * @param when for messages: `in epoch 3, update 5 of 100`
 * @returns the sums with the update's added; `gradientNorm` is the caller's
 * @throws UserError for a loss that is not finite, with the batch's ids
 */
export async function runUpdate(
  { engine, joined, classes, onLoss }: UpdateContext,
  batches: ReturnType<typeof prefetched>,
  update: Update,
  sums: EpochSums,
  when: string,
): Promise<EpochSums> {
  let { loss, ce, apc, right } = sums;
  const gate = [...sums.gate];
  const predicted = Array.from({ length: classes }, (_, k) => sums.predicted[k] ?? 0);
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
      const logits = result.logits.subarray(r * classes, (r + 1) * classes);
      const { id, label } = joined.rows[item] as Joined['rows'][number];
      const guess = argmax(logits);
      if (guess === label) right++;
      predicted[guess] = (predicted[guess] as number) + 1;
      onLoss(id, -logSoftmaxAt(logits, label));
      for (const m of result.gate === undefined ? [] : [0, 1])
        gate[m] = (gate[m] ?? 0) + (result.gate?.[2 * r + m] as number);
    });
  }
  return {
    loss,
    ce,
    apc,
    right,
    gate,
    predicted,
    rows: sums.rows + update.rows,
    updates: sums.updates + 1,
    gradientNorm: sums.gradientNorm,
  };
}

function requireFiniteLoss({ loss, ce, apc }: StepResult, batch: HostBatch, when: string): void {
  if ([loss, ce, apc].every(Number.isFinite)) return;
  throw badBatch('the loss', batch, when);
}

/**
 * All micro-batches of a list of updates, each with its place in its update.
 * @param firstStep number of the first update
 */
export function* microBatches(
  updates: readonly Update[],
  joined: Joined,
  targets: TargetRule,
  seed: number,
  firstStep: number,
): Generator<Wanted> {
  for (const [i, { micro, rows }] of updates.entries()) {
    const labels = micro.flatMap(({ items }) => items.map((item) => joined.rows[item]?.label as number));
    const scale = targetScale(labels, targets);
    let firstRow = 0;
    for (const one of micro) {
      const dropout = { seed, step: firstStep + i };
      yield { micro: one, place: { rows, firstRow, dropout, targetScale: scale } };
      firstRow += one.items.length;
    }
  }
}
