import { describe, expect, it } from 'vitest';
import type { IndexPart } from '../../src/store/index-part.ts';
import { uniteParts } from '../../src/store/index-union.ts';
import { planExtraction } from '../../src/store/plan.ts';
import { indexPart } from './sample.ts';

const index: IndexPart = indexPart({
  utterances: { 'd/done': { shard: 0, input: 'a' }, 'd/changed': { shard: 0, input: 'old' } },
  quarantined: {
    'd/broken': { reason: '0 samples', input: 'b' },
    'd/mended': { reason: '0 samples', input: 'old' },
  },
});

describe('planExtraction', () => {
  it('puts every wanted utterance into one list, in the order of the question', () => {
    const wanted = ['d/new', 'd/mended', 'd/done', 'd/changed', 'd/broken', 'd/also-new'].map((id) => ({
      id,
      input: { 'd/done': 'a', 'd/broken': 'b' }[id] ?? 'new',
    }));
    expect(planExtraction(wanted, uniteParts([{ folder: 'f', index }]))).toEqual({
      todo: ['d/new', 'd/also-new'],
      stale: ['d/mended', 'd/changed'],
      done: ['d/done'],
      quarantined: ['d/broken'],
    });
  });

  it('asks for everything where there is nothing', () => {
    expect(planExtraction([{ id: 'd/x', input: 'a' }], uniteParts([])).todo).toEqual(['d/x']);
  });
});
