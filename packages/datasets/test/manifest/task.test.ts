import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { repositoryFile, row } from '../support.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));
const labels = ['exc', 'xxx', 'neu', 'hap', 'fru', 'xxx', 'ang', null];
const rows = labels.map((rawLabel, i) =>
  row(`iemocap/${i}`, { rawLabel, tags: { style: i < 4 ? 'improvised' : 'scripted' } }),
);

describe('applyTask', () => {
  it('gives class indices in the order of the card and counts what is outside', () => {
    const view = applyTask(findTask(card), rows);
    expect(view.classes).toEqual(['angry', 'happy', 'sad', 'neutral']);
    expect(view.rows.map((one) => [one.utterance.id, one.label])).toEqual([
      ['iemocap/0', 1],
      ['iemocap/2', 3],
      ['iemocap/3', 1],
      ['iemocap/6', 0],
    ]);
    expect(view.excluded).toEqual({ '(none)': 1, fru: 1, xxx: 2 });
    expect(view.filtered).toBe(0);
  });

  it('filters by tags', () => {
    const view = applyTask(findTask(card, '4class-improvised'), rows);
    expect(view.rows.map((one) => one.utterance.id)).toEqual(['iemocap/0', 'iemocap/2', 'iemocap/3']);
    expect(view.excluded).toEqual({ xxx: 1 });
    expect(view.filtered).toBe(4);
  });

  it('leaves excitement out where the task says so', () => {
    expect(applyTask(findTask(card, '4class-noexc'), rows).excluded).toEqual({
      '(none)': 1,
      exc: 1,
      fru: 1,
      xxx: 2,
    });
  });
});

it('takes the sentiment where the task is about it', () => {
  const meld = loadCard(repositoryFile('manifests/meld.json'));
  const said = (id: string, rawLabel: string, sentiment: string) =>
    row(id, { rawLabel, annotations: [{ annotator: 'a' }, { annotator: 'consensus', sentiment }] });
  const surprises = [
    said('meld/a', 'surprise', 'positive'),
    said('meld/b', 'surprise', 'negative'),
    said('meld/c', 'surprise', 'mixed'),
    row('meld/d', { rawLabel: 'surprise' }),
  ];
  const view = applyTask(findTask(meld, 'sentiment3'), surprises);
  expect(view.rows.map((one) => [one.utterance.id, view.classes[one.label]])).toEqual([
    ['meld/a', 'positive'],
    ['meld/b', 'negative'],
  ]);
  expect(view.excluded).toEqual({ '(none)': 1, mixed: 1 });
  expect(applyTask(findTask(meld), surprises).rows.map((one) => one.label)).toEqual([2, 2, 2, 2]);
});

describe('findTask', () => {
  it('lists the tasks for an unknown name', () => {
    expect(() => findTask(card, '5class')).toThrow(
      'dataset iemocap has no task 5class: choose one of 4class, 4class-noexc, 4class-improvised, 6class',
    );
  });
});
