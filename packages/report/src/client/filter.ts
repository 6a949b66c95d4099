import type { ExplorerUtterance } from '../explorer/format.ts';

export type ErrorChoice = 'all' | 'wrong' | 'always' | 'split' | 'right';
export type SortChoice = 'id' | 'wrong' | 'unlikely' | 'longest';

/** What the form asks for. */
export interface Query {
  /** Words that all must be in the text or the id; case does not matter. */
  readonly words: string;
  /** Class index, or null for any. */
  readonly label: number | null;
  /** Class index that a seed said (-1: no prediction), or null for any. */
  readonly prediction: number | null;
  readonly speaker: string | null;
  readonly fold: string | null;
  readonly error: ErrorChoice;
  /** Index of the variant whose predictions count. */
  readonly variant: number;
  readonly sort: SortChoice;
}

/** How many seeds of a variant scored an utterance, and how many were wrong. */
export function wrongSeeds(one: ExplorerUtterance, variant: number): { wrong: number; seeds: number } {
  const said = (one.said[variant] ?? []).filter((prediction) => prediction !== null);
  return { wrong: said.filter((prediction) => prediction !== one.label).length, seeds: said.length };
}

/** The utterances that a query leaves, in its order. */
export function select(all: readonly ExplorerUtterance[], query: Query): ExplorerUtterance[] {
  const words = query.words.toLowerCase().split(/\s+/).filter(Boolean);
  const left = all.filter((one) => matches(one, query, words));
  return query.sort === 'id' ? left : left.sort(orderBy(query));
}

function matches(one: ExplorerUtterance, query: Query, words: readonly string[]): boolean {
  if (query.label !== null && one.label !== query.label) return false;
  if (query.speaker !== null && one.speaker !== query.speaker) return false;
  if (query.fold !== null && one.fold !== query.fold) return false;
  if (query.prediction !== null && !(one.said[query.variant] ?? []).includes(query.prediction)) return false;
  if (!hasError(one, query)) return false;
  if (words.length === 0) return true;
  const text = `${one.id} ${one.text ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function hasError(one: ExplorerUtterance, { error, variant }: Query): boolean {
  if (error === 'all') return true;
  const { wrong, seeds } = wrongSeeds(one, variant);
  if (seeds === 0) return false;
  if (error === 'wrong') return wrong > 0;
  if (error === 'always') return wrong === seeds;
  return error === 'split' ? wrong > 0 && wrong < seeds : wrong === 0;
}

function orderBy({ sort, variant }: Query): (a: ExplorerUtterance, b: ExplorerUtterance) => number {
  const truth = (one: ExplorerUtterance): number => one.truth[variant] ?? 2;
  const share = (one: ExplorerUtterance): number => {
    const { wrong, seeds } = wrongSeeds(one, variant);
    return seeds === 0 ? -1 : wrong / seeds;
  };
  if (sort === 'wrong') return (a, b) => share(b) - share(a) || truth(a) - truth(b);
  if (sort === 'unlikely') return (a, b) => truth(a) - truth(b);
  return (a, b) => (b.seconds ?? 0) - (a.seconds ?? 0);
}
