import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { absentLabels, countFindings } from '../../src/manifest/validate-counts.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { repositoryFile, row } from '../support.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));

describe('countFindings', () => {
  it('counts nothing where the card expects nothing', () => {
    const { expected: _, ...free } = card;
    const tasks = card.tasks.map(({ expected: _total, counts: _counts, ...task }) => task);
    expect(countFindings({ ...free, tasks }, [row('iemocap/a', { rawLabel: 'neu' })])).toEqual([]);
  });

  it('tells each count that is off, in the corpus and in every task', () => {
    const found = countFindings(card, [row('iemocap/a', { rawLabel: 'neu', session: 'Ses01' })]);
    const lines = found.map(describeFinding);
    expect(lines).toContain('card iemocap: count: expected 10039 labelled utterances, found 1');
    expect(lines).toContain('card iemocap: count: expected 1708 of label neu, found 1');
    expect(lines).toContain('card iemocap: count: expected 5531 task 4class: utterances, found 1');
    expect(lines).toContain(
      'card iemocap: count: expected 384 of task 4class: session Ses01, class neutral, found 1',
    );
    expect(found.every((one) => one.kind === 'count' && one.level === 'error')).toBe(true);
  });
});

describe('absentLabels', () => {
  const { labels: _labels, ...free } = card;
  const task = card.tasks[0] as (typeof card.tasks)[number];
  const classes = [
    { name: 'anger', labels: ['angry', 'iritated'] },
    { name: 'happy', labels: ['happy'] },
  ];
  const slip = { ...free, tasks: [{ ...task, name: '2class', classes }] };
  const rows = ['angry', 'irritated', 'happy', 'sad'].map((rawLabel) =>
    row(`iemocap/${rawLabel}`, { rawLabel }),
  );

  it('names a label that no utterance has, with the nearest that falls out of the task', () => {
    const found = absentLabels(slip, rows);
    expect(found.map(describeFinding)).toEqual([
      "card iemocap: unknown-label: expected utterances of label 'iritated' (task 2class, class anger), found none; the nearest label that no class takes is 'irritated'",
    ]);
    expect(found[0]?.level).toBe('warning');
    const input = { card: slip, utterances: rows };
    const kinds = (subset: boolean) =>
      validateManifest({ ...input, subset }).filter(
        (one) => one.file === 'card iemocap' && one.kind === 'unknown-label',
      );
    expect(kinds(false)).toHaveLength(1);
    expect(kinds(true)).toEqual([]);
  });

  it('leaves it to the reading of a card that lists the labels of its corpus', () => {
    expect(absentLabels({ ...slip, labels: ['angry'] }, rows)).toEqual([]);
  });
});
