import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { countFindings } from '../../src/manifest/validate-counts.ts';
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
