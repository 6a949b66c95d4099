import { Rng } from '@lsgmer/datasets';
import type { BatchShape } from '../head/contract.ts';
import { covers, type Lengths, rowCost } from './shapes.ts';

/** Rows that run at once: indices into the list of utterances, at most `shape.rows`. */
export interface MicroBatch {
  readonly shape: BatchShape;
  readonly items: readonly number[];
}

/** One update of the parameters: its micro-batches' gradients are added up. */
export interface Update {
  readonly micro: readonly MicroBatch[];
  /** Real rows of all micro-batches: the mean of the loss is over them. */
  readonly rows: number;
}

/**
 * Plans one epoch: every item once, in batches of one shape each, shuffled by seed and epoch. What does not
 * fill a batch of its shape moves to the cheapest larger shape, so that few updates are small (one, where some
 * shape covers all others). A few updates of one shape follow each other. Pure: equal arguments give an equal plan.
 * @param items indices into `lengths` that take part
 */
export function planEpoch(
  items: readonly number[],
  lengths: readonly Lengths[],
  shapes: readonly BatchShape[],
  { batchSize, batchBlock }: { readonly batchSize: number; readonly batchBlock: number },
  seed: number,
  epoch: number,
): Update[] {
  const rng = Rng.for('epoch', seed, epoch);
  const groups = group(rng.shuffle([...items]), lengths, shapes);
  const blocks = shapes.flatMap((shape, k) => {
    const mine = groups[k] as number[];
    const target = largerShape(shapes, k);
    if (target !== undefined) {
      const rest = mine.splice(mine.length - (mine.length % batchSize));
      (groups[target] as number[]).push(...rest);
    }
    // what came up from smaller shapes must not sit together in the last batch
    const updates = chunk(rng.shuffle(mine), batchSize).map((rows): Update => ({
      micro: split(shape, rows),
      rows: rows.length,
    }));
    return chunk(rng.shuffle(updates), batchBlock);
  });
  return rng.shuffle(blocks).flat();
}

/**
 * As many items as there are, with the classes equally frequent: each class's items in seeded order, again and again
 * where they are fewer than its share, left out in part where they are more (other ones each epoch).
 */
export function balancedItems(
  items: readonly number[],
  labelOf: (item: number) => number,
  seed: number,
  epoch: number,
): number[] {
  const groups = new Map<number, number[]>();
  for (const item of items) {
    const label = labelOf(item);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [item]);
    else group.push(item);
  }
  const classes = [...groups].sort(([a], [b]) => a - b);
  return classes.flatMap(([label, group], k) => {
    const rng = Rng.for('balanced', seed, epoch, label);
    // what does not divide evenly goes to other classes each epoch
    const extra = (k + epoch) % classes.length < items.length % classes.length ? 1 : 0;
    const share = Math.floor(items.length / classes.length) + extra;
    const out: number[] = [];
    while (out.length < share) out.push(...rng.shuffle([...group]));
    return out.slice(0, share);
  });
}

/** Plans a pass without updates (scoring): every item once, in order within its shape. */
export function planPass(
  items: readonly number[],
  lengths: readonly Lengths[],
  shapes: readonly BatchShape[],
): MicroBatch[] {
  const groups = group(items, lengths, shapes);
  return shapes.flatMap((shape, k) => {
    const mine = groups[k] as number[];
    const target = largerShape(shapes, k);
    if (target !== undefined) {
      const rest = mine.splice(mine.length - (mine.length % shape.rows));
      (groups[target] as number[]).push(...rest);
    }
    return split(shape, mine);
  });
}

/** The cheapest later shape that covers this one; undefined where there is none. */
function largerShape(shapes: readonly BatchShape[], k: number): number | undefined {
  const at = shapes.findIndex((shape, j) => j > k && covers(shape, shapes[k] as BatchShape));
  return at === -1 ? undefined : at;
}

/** Items by the cheapest shape that covers them (shapes come by rising cost). */
function group(
  items: readonly number[],
  lengths: readonly Lengths[],
  shapes: readonly BatchShape[],
): number[][] {
  const groups: number[][] = shapes.map(() => []);
  for (const item of items) {
    const own = lengths[item] as Lengths;
    const at = shapes.findIndex((shape) => covers(shape, own));
    if (at === -1) throw new Error(`no shape covers ${JSON.stringify(own)} (cost ${rowCost(own)})`);
    (groups[at] as number[]).push(item);
  }
  return groups;
}

function split(shape: BatchShape, rows: readonly number[]): MicroBatch[] {
  return chunk(rows, shape.rows).map((items) => ({ shape, items }));
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += size) out.push(items.slice(at, at + size));
  return out;
}
