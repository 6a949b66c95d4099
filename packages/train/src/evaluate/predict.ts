import type { Assembler } from '../batches/assemble.ts';
import type { MicroBatch } from '../batches/epoch.ts';
import { prefetched } from '../batches/prefetch.ts';
import type { Joined } from '../batches/source.ts';
import { badBatch } from '../fit/finite.ts';
import type { Engine } from '../head/contract.ts';

/** What a head said of one test utterance. */
export interface Prediction {
  readonly id: string;
  /** Index of the true class. */
  readonly label: number;
  /** Index of the predicted class, or NO_PREDICTION where a feature was missing. */
  readonly prediction: number;
  /** By class; empty where there is no prediction. */
  readonly probabilities: readonly number[];
}

/** -ln of the true class's probability; 744.4 at most, where that has become 0. */
export function lossOf({ label, probabilities }: Prediction): number {
  return -Math.log(Math.max(probabilities[label] as number, Number.MIN_VALUE));
}

/**
 * Scores every utterance of a pass with the engine's present parameters.
 * @returns in the order of `joined`
 * @throws UserError for logits that are not finite
 */
export async function predict(
  engine: Engine,
  assembler: Assembler,
  pass: readonly MicroBatch[],
  joined: Joined,
  classes: number,
): Promise<Prediction[]> {
  const found: [item: number, prediction: Prediction][] = [];
  const wanted = pass.map((micro) => ({ micro, place: { rows: micro.items.length, firstRow: 0 } }));
  for await (const {
    batch,
    wanted: { micro },
  } of prefetched(assembler, wanted)) {
    const { logits } = await engine.forward(batch);
    micro.items.forEach((item, r) => {
      const row = logits.subarray(r * classes, (r + 1) * classes);
      if (!row.every(Number.isFinite)) throw badBatch('a logit', batch);
      const { id, label } = joined.rows[item] as Joined['rows'][number];
      found.push([item, { id, label, prediction: argmax(row), probabilities: softmax(row) }]);
    });
  }
  return found.sort(([a], [b]) => a - b).map(([, prediction]) => prediction);
}

/** Index of the largest value; the first one on ties. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** exp(x) / sum of exp(x), in float64. */
export function softmax(logits: Float32Array): number[] {
  const top = Math.max(...logits);
  const exps = Array.from(logits, (x) => Math.exp(x - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((x) => x / total);
}

/** ln of the softmax at one place, in float64. */
export function logSoftmaxAt(logits: Float32Array, place: number): number {
  const top = Math.max(...logits);
  let total = 0;
  for (const x of logits) total += Math.exp(x - top);
  return (logits[place] as number) - top - Math.log(total);
}
