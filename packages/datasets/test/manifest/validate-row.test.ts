import { describe, expect, it } from 'vitest';
import { loadCard } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { rowFindings } from '../../src/manifest/validate-row.ts';
import { repositoryFile, row } from '../support.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));
const source = { file: 'list.csv', line: 7, start: 10, end: 12.5 };
const recording = (seconds: number | null, more = {}) => ({
  path: 'a.wav',
  sha256: null,
  seconds,
  sampleRate: 16000,
  channels: 1,
  ...more,
});
const lines = (changes: Partial<Utterance>, from: typeof source | null = source) =>
  rowFindings(row('d/a', changes), card, from ?? undefined, true).map(
    (one) => `${one.level} ${describeFinding(one)}`,
  );

describe('rowFindings', () => {
  it('finds nothing in a sound row', () => {
    expect(lines({ media: recording(2.5), rawLabel: 'neu' })).toEqual([]);
  });

  it('warns of a recording that differs from its annotated times by more than half a second', () => {
    expect(lines({ media: recording(2) })).toEqual([]);
    expect(lines({ media: recording(3) })).toEqual([]);
    expect(lines({ media: recording(3.001) })).toEqual([
      'warning a.wav d/a: duration: expected 2.5 s as annotated, give or take 0.5 s, found 3.001 s',
    ]);
    expect(lines({ media: recording(1.99) })).toHaveLength(1);
    expect(lines({ media: recording(null) })).toEqual([]);
    expect(lines({ media: recording(3.5) }, null)).toEqual([]);
  });

  it('takes annotated times from tags where the corpus is not at hand, and none for segments', () => {
    const tags = { season: '1', episode: '1', start: '00:00:10,000', end: '00:00:12,500' };
    expect(lines({ media: recording(9), tags }, null)).toHaveLength(1);
    expect(lines({ media: recording(9, { start: 0, end: 9 }) })).toEqual([]);
  });

  it('finds texts that are empty or broken, at their line', () => {
    expect(lines({ text: '', rawText: '' })).toEqual([
      'error list.csv:7 d/a: text-empty: expected a text, found none',
    ]);
    expect(lines({ text: 'itâ€™s' })).toEqual([
      "error list.csv:7 d/a: text-broken: expected text in one encoding, found 'â€™' in 'itâ€™s'",
    ]);
    expect(lines({ text: '', rawText: '[LAUGHTER]' })).toEqual([
      "warning list.csv:7 d/a: text-empty: expected a text, found none (the corpus has '[LAUGHTER]')",
    ]);
    expect(rowFindings(row('d/a', { text: '' }), card, source, false)).toEqual([]);
  });

  it('finds rows that are no utterances, and looks no further', () => {
    expect(lines({ turn: -1, text: '' })).toEqual([
      'error list.csv:7 d/a: schema: expected an utterance as the format has it, found turn: Too small: expected number to be >=0',
    ]);
    expect(lines({ media: recording(Number.NaN) })[0]).toMatch(/schema.*media\.seconds/);
  });
});
