import type { BatchShape } from '../head/contract.ts';

/** Lengths of one utterance's features in steps; 0 for a feature that the head does not use. */
export interface Lengths {
  readonly text: number;
  readonly audio: number;
  readonly map: number;
}

export interface ShapeLimits {
  /** Utterances of one update. */
  readonly batchSize: number;
  /** Most padded steps (rows x longest) that run at once. */
  readonly batchFrames: number;
  /** Most distinct shapes. */
  readonly batchShapes: number;
}

/** Utterances whose padded lengths are close; grows by merging. */
interface Cluster extends Lengths {
  readonly count: number;
}

/** Neighbouring bins of lengths differ by this factor before clustering: finer bins change the waste by under 1 %. */
const BIN_RATIO = 1.08;
/** A merge that adds less than this share of the whole cost saves a session and costs nothing worth having. */
const FREE_MERGE = 0.002;

/**
 * Relative time of a training step per row, fitted to steps of 40 x 200 and 64 x 400 (text x audio): nearly
 * linear in the lengths, a token (recurrent) costs about two frames.
 */
export function rowCost({ text, audio, map }: Lengths): number {
  return 16 + 2 * text + audio + map;
}

/**
 * Chooses few static shapes that cover all lengths with little padding: starts from bins of similar lengths
 * and merges, again and again, the two clusters whose union adds the least cost. Depends on the lengths alone,
 * so that all folds and seeds of an experiment share their graphs.
 * @returns shapes by rising cost, each with its rows: the batch size, or less where rows x longest would
 *   exceed `batchFrames` (then an update is accumulated from equal parts).
 */
export function chooseShapes(lengths: readonly Lengths[], limits: ShapeLimits): BatchShape[] {
  const clusters = mergeClusters(bins(lengths), limits.batchShapes);
  return clusters
    .map(({ text, audio, map }) => ({ rows: rowsOf({ text, audio, map }, limits), text, audio, map }))
    .sort((a, b) => rowCost(a) - rowCost(b) || a.audio - b.audio || a.text - b.text || a.map - b.map);
}

/** A cluster with the later one that it merges with at the least cost. */
interface Candidate {
  readonly cluster: Cluster;
  partner: Candidate | undefined;
  added: number;
}

/** Merges down to `most` clusters, and further while that costs next to nothing. */
function mergeClusters(start: readonly Cluster[], most: number): Cluster[] {
  let list: Candidate[] = start.map((cluster) => ({ cluster, partner: undefined, added: Infinity }));
  const search = (one: Candidate, later: readonly Candidate[]): void => {
    [one.partner, one.added] = [undefined, Infinity];
    for (const other of later) {
      const added = mergeCost(one.cluster, other.cluster);
      if (added < one.added) [one.partner, one.added] = [other, added];
    }
  };
  list.forEach((one, i) => search(one, list.slice(i + 1)));
  let total = start.reduce((sum, c) => sum + c.count * rowCost(c), 0);
  while (list.length > 1) {
    const best = list.reduce((a, b) => (b.added < a.added ? b : a));
    const partner = best.partner as Candidate;
    if (list.length <= most && best.added > FREE_MERGE * total) break;
    total += best.added;
    const merged = { cluster: union(best.cluster, partner.cluster), partner: undefined, added: Infinity };
    list = [...list.filter((one) => one !== best && one !== partner), merged];
    for (const [i, one] of list.entries()) {
      if (one.partner === best || one.partner === partner) {
        search(one, list.slice(i + 1));
      } else if (one !== merged) {
        const added = mergeCost(one.cluster, merged.cluster);
        if (added < one.added) [one.partner, one.added] = [merged, added];
      }
    }
  }
  return list.map((one) => one.cluster);
}

/** Rows of one micro-batch: the batch size, cut into the fewest equal parts that fit `batchFrames`. */
export function rowsOf(lengths: Lengths, { batchSize, batchFrames }: ShapeLimits): number {
  const longest = Math.max(lengths.text, lengths.audio, lengths.map, 1);
  const most = Math.max(1, Math.floor(batchFrames / longest));
  return Math.ceil(batchSize / Math.ceil(batchSize / most));
}

/** Whether an utterance (or a smaller shape) fits into a shape. */
export function covers(shape: Lengths, lengths: Lengths): boolean {
  return lengths.text <= shape.text && lengths.audio <= shape.audio && lengths.map <= shape.map;
}

function bins(lengths: readonly Lengths[]): Cluster[] {
  const bin = (x: number): number => (x === 0 ? -1 : Math.round(Math.log(x) / Math.log(BIN_RATIO)));
  const found = new Map<string, Cluster>();
  for (const one of lengths) {
    const key = `${bin(one.text)}/${bin(one.audio)}`;
    const known = found.get(key);
    const added = { ...one, count: 1 };
    found.set(key, known === undefined ? added : union(known, added));
  }
  // in the order of their keys, so that the order of the utterances does not matter
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cluster]) => cluster);
}

function union(a: Cluster, b: Cluster): Cluster {
  return {
    text: Math.max(a.text, b.text),
    audio: Math.max(a.audio, b.audio),
    map: Math.max(a.map, b.map),
    count: a.count + b.count,
  };
}

function mergeCost(a: Cluster, b: Cluster): number {
  const both = union(a, b);
  return both.count * rowCost(both) - a.count * rowCost(a) - b.count * rowCost(b);
}
