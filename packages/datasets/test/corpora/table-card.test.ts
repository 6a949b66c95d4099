import { describe, expect, it } from 'vitest';
import { deriveTableCard } from '../../src/corpora/table-card.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { row } from '../support.ts';

const rows = (...changes: Partial<Utterance>[]) => changes.map((change, i) => row(`mine/${i}`, change));
const protocol = (...changes: Partial<Utterance>[]) =>
  deriveTableCard('mine', rows({ rawLabel: 'a' }, { rawLabel: 'b' }, ...changes)).tasks[0]?.protocol;

describe('deriveTableCard', () => {
  it('makes the labels found the classes, in the order of their bytes', () => {
    const card = deriveTableCard(
      'mine',
      rows({ rawLabel: 'sad' }, { rawLabel: 'Joy' }, {}, { rawLabel: 'żal' }, { rawLabel: 'sad' }),
    );
    expect(card).toMatchObject({
      name: 'mine',
      adapter: 'table',
      synthetic: false,
      labels: ['Joy', 'sad', 'żal'],
    });
    expect(card.tasks).toHaveLength(1);
    expect(card.tasks[0]).toMatchObject({
      name: 'emotion',
      classes: [
        { name: 'Joy', labels: ['Joy'] },
        { name: 'sad', labels: ['sad'] },
        { name: 'żal', labels: ['żal'] },
      ],
      expected: 4,
      metric: 'ua',
    });
  });

  it('prefers a split to speakers, and speakers to sessions', () => {
    expect(protocol({ speaker: 's', session: 'x' })).toEqual({ kind: 'by-speaker' });
    expect(protocol({ session: 'x' })).toEqual({ kind: 'leave-one-session-out' });
    const splits = ['train', 'Test', 'val', 'dev', 'other', 'train2'].map((split) => ({
      split,
      speaker: 's',
    }));
    expect(protocol(...splits)).toEqual({
      kind: 'fixed-split',
      train: ['train', 'train2'],
      dev: ['dev', 'val'],
      test: ['Test'],
    });
  });

  it('refuses splits without a train and a test part, and a single label', () => {
    expect(() => protocol({ split: '1' }, { split: '2' })).toThrow(
      'the split column must name train and test, found 1, 2; map split to null for folds by speaker',
    );
    expect(() => deriveTableCard('mine', rows({ rawLabel: 'a' }, {}))).toThrow(
      'expected two or more labels, found a',
    );
    expect(() => deriveTableCard('mine', rows({}))).toThrow('expected two or more labels, found none');
  });
});
