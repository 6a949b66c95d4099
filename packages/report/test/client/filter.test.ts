import { expect, it } from 'vitest';
import { type Query, select, wrongSeeds } from '../../src/client/filter.ts';
import type { ExplorerUtterance } from '../../src/explorer/format.ts';

const utterance = (
  id: string,
  label: number,
  said: (number | null)[],
  more: Partial<ExplorerUtterance> = {},
): ExplorerUtterance => ({
  id,
  fold: 'Ses01',
  speaker: 'F',
  text: 'Hello there',
  seconds: 1,
  label,
  said: [said, [label]],
  truth: [0.5, 1],
  chunk: 0,
  ...more,
});

const all = [
  utterance('a/1', 0, [0, 0]),
  utterance('a/2', 1, [0, 1], { speaker: 'M', text: 'General KENOBI', seconds: 3 }),
  utterance('a/3', 1, [0, 2], { fold: 'Ses02', truth: [0.1, 1] }),
  utterance('a/4', 2, [null, null], { text: null, truth: [null, 1] }),
  utterance('a/5', 2, [-1, 2], { truth: [0.9, 1] }),
];
const any: Query = {
  words: '',
  label: null,
  prediction: null,
  speaker: null,
  fold: null,
  error: 'all',
  variant: 0,
  sort: 'id',
};
const ids = (query: Partial<Query>): string[] => select(all, { ...any, ...query }).map((one) => one.id);

it('keeps all and their order without a wish', () => {
  expect(ids({})).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
});

it('searches all words in text and id, whatever their case', () => {
  expect(ids({ words: 'kenobi  general' })).toEqual(['a/2']);
  expect(ids({ words: 'A/3' })).toEqual(['a/3']);
  expect(ids({ words: 'hello kenobi' })).toEqual([]);
});

it('filters by truth, prediction of any seed, speaker and fold', () => {
  expect(ids({ label: 1 })).toEqual(['a/2', 'a/3']);
  expect(ids({ prediction: 0 })).toEqual(['a/1', 'a/2', 'a/3']);
  expect(ids({ prediction: -1 })).toEqual(['a/5']);
  expect(ids({ speaker: 'M' })).toEqual(['a/2']);
  expect(ids({ fold: 'Ses02' })).toEqual(['a/3']);
  expect(ids({ variant: 1, prediction: 0 })).toEqual(['a/1']);
});

it('tells wrong in any seed from wrong in all; what has no run is neither right nor wrong', () => {
  expect(ids({ error: 'wrong' })).toEqual(['a/2', 'a/3', 'a/5']);
  expect(ids({ error: 'always' })).toEqual(['a/3']);
  expect(ids({ error: 'split' })).toEqual(['a/2', 'a/5']);
  expect(ids({ error: 'right' })).toEqual(['a/1']);
  expect(wrongSeeds(all[3] as ExplorerUtterance, 0)).toEqual({ wrong: 0, seeds: 0 });
});

it('orders by errors, probability and length, and leaves the list that it was given', () => {
  expect(ids({ sort: 'wrong' })).toEqual(['a/3', 'a/2', 'a/5', 'a/1', 'a/4']);
  expect(ids({ sort: 'unlikely' })).toEqual(['a/3', 'a/1', 'a/2', 'a/5', 'a/4']);
  expect(ids({ sort: 'longest' })[0]).toBe('a/2');
  expect(all[0]?.id).toBe('a/1');
});
