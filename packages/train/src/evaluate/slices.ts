import { type Utterance, countWords } from '@lsgmer/datasets';
import type { GroupScores } from '../catalogue/group-scores.ts';
import type { Metrics } from './metrics.ts';
import { scorePredictions, type Spread, spread } from './summary.ts';

/** What test utterances can be told apart by; `tags.<name>` is any tag of the manifest. */
export const SLICE_FIELDS = [
  'speaker',
  'session',
  'split',
  'seconds',
  'words',
  'leaked',
  'tags.<name>',
] as const;

/** The part of a row's test utterances that share a value. */
export interface Slice {
  readonly value: string;
  /** Utterances, of every seed alike. */
  readonly n: number;
  /** Of each complete seed: all folds' predictions as one set. */
  readonly seeds: readonly { readonly seed: number; readonly metrics: Metrics }[];
  readonly overSeeds: Spread;
}

/** For utterances that lack the field. */
export const NO_VALUE = '(none)';

/**
 * Scores a row by slices, over its complete seeds. Few utterances and absent classes make such scores rough: `n` and
 * `metrics.absent` stand beside them.
 * @param valueOf the slice of a test utterance; null puts it with those that lack the field
 * @returns in the order of the values (numbers of a range by their beginning), `(none)` last
 */
export function sliceScores(
  { group, seeds, complete }: GroupScores,
  valueOf: (id: string, fold: string) => string | null,
): Slice[] {
  const whole = seeds.filter((one) => complete.includes(one.seed));
  const values = new Set<string>();
  const bySeed = whole.map((one) => {
    const parts = new Map<string, CellPredictions>();
    for (const { fold, predictions } of one.folds)
      for (const prediction of predictions) {
        const value = valueOf(prediction.id, fold) ?? NO_VALUE;
        values.add(value);
        const list = parts.get(value) ?? [];
        list.push(prediction);
        parts.set(value, list);
      }
    return { seed: one.seed, parts };
  });
  return [...values].sort(compareValues).map((value): Slice => {
    const scored = bySeed.map(({ seed, parts }) => ({
      seed,
      metrics: scorePredictions(parts.get(value) ?? [], group.classes.length),
    }));
    return {
      value,
      n: scored[0]?.metrics.n ?? 0,
      seeds: scored,
      overSeeds: spread(scored.map((one) => one.metrics)),
    };
  });
}

type CellPredictions = GroupScores['seeds'][number]['folds'][number]['predictions'][number][];

function compareValues(a: string, b: string): number {
  if ((a === NO_VALUE) !== (b === NO_VALUE)) return a === NO_VALUE ? 1 : -1;
  const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Upper ends of the ranges of lengths; the last range is open. */
const SECONDS = [1, 2, 4, 8, 16];
const WORDS = [2, 5, 10, 20];

/**
 * Value of a manifest field: `speaker`, `session`, `split`, `tags.<name>`, or the range that its length in seconds or
 * words falls in. Undefined for a name that is no field (`leaked` depends on the fold: see `leakedTests`).
 */
export function fieldValue(field: string): ((row: Utterance) => string | null) | undefined {
  if (field.startsWith('tags.')) return (row) => row.tags[field.slice(5)] ?? null;
  if (field === 'speaker' || field === 'session' || field === 'split') return (row) => row[field];
  if (field === 'seconds')
    return ({ media }) => (media?.seconds == null ? null : `${rangeOf(media.seconds, SECONDS)} s`);
  if (field === 'words') return ({ text }) => `${rangeOf(countWords(text), WORDS)} words`;
  return undefined;
}

function rangeOf(value: number, ends: readonly number[]): string {
  const i = ends.findIndex((end) => value < end);
  if (i === -1) return `${ends.at(-1)} and more`;
  return `${i === 0 ? 0 : ends[i - 1]} to under ${ends[i]}`;
}
