import { describe, expect, it } from 'vitest';
import { prepareMeld } from '../../src/corpora/meld.ts';
import { planFolds, type Fold } from '../../src/manifest/folds.ts';
import { leakedIds, LeakIndex, textKey, type AspectLeak } from '../../src/manifest/leakage.ts';
import { countWords } from '../../src/manifest/word-count.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { repeatedRows } from '../../src/manifest/validate-corpus.ts';
import { row, sharedData } from '../support.ts';

const sha = (digit: string) => digit.repeat(64);
const media = (sha256: string | null, segment = {}) => ({
  path: 'x.wav',
  sha256,
  seconds: 1,
  sampleRate: 16000,
  channels: 1,
  ...segment,
});
const fold = (train: string[], test: string[], dev: string[] = []): Fold => ({ id: 'f', train, dev, test });
const summary = ({ aspect, part, rows, ofRows, values, ofValues, anyLength }: AspectLeak) => [
  aspect,
  part,
  rows,
  ofRows,
  values,
  ofValues,
  ...(anyLength === undefined ? [] : [anyLength]),
];
const summaries = (rows: readonly Utterance[], one: Fold) =>
  new LeakIndex(rows).compare(one).leaks.map(summary);

describe('textKey', () => {
  it('keeps letters, digits and apostrophes, in lower case', () => {
    expect(textKey('You\u2014you-you GO to the \u201Cdoctor\u201D!')).toBe('you you you go to the doctor');
    expect(textKey("It\u2019s 5 o'clock.")).toBe("it's 5 o'clock");
    expect(textKey('Zażółć \u0130')).toBe('zażółć i̇');
    expect(textKey(' ... ')).toBe('');
  });

  it('counts words', () => {
    expect(countWords(textKey("I don't -- know, really!"))).toBe(4);
    expect(countWords('')).toBe(0);
  });
});

describe('LeakIndex', () => {
  const rows = [
    row('d/a', { speaker: 'x', dialogue: '1', text: 'one two three four five' }),
    row('d/b', { speaker: 'y', dialogue: '1', text: 'Yeah.' }),
    row('d/c', { speaker: 'x', dialogue: '2', text: 'One, two; three: four - FIVE?' }),
    row('d/d', { speaker: 'z', dialogue: '1', text: 'yeah' }),
    row('d/e', { speaker: null, dialogue: '3', text: '' }),
  ];

  it('counts rows and values that a held-out part shares with training', () => {
    expect(summaries(rows, fold(['d/a', 'd/b'], ['d/c', 'd/d', 'd/e']))).toEqual([
      ['speaker', 'test', 1, 2, 1, 2],
      ['dialogue', 'test', 1, 3, 1, 3],
      // two texts at any length, one of five words
      ['text', 'test', 1, 2, 1, 2, 2],
    ]);
  });

  it('compares dev with training, and not with test', () => {
    expect(summaries(rows, fold(['d/a'], ['d/d'], ['d/b']))).toEqual([
      ['speaker', 'dev', 0, 1, 0, 1],
      ['speaker', 'test', 0, 1, 0, 1],
      ['dialogue', 'dev', 1, 1, 1, 1],
      ['dialogue', 'test', 1, 1, 1, 1],
      ['text', 'dev', 0, 1, 0, 1, 0],
      ['text', 'test', 0, 1, 0, 1, 0],
    ]);
  });

  it('names the row, what is shared, the first training row that has it, and how many have', () => {
    const { leaks } = new LeakIndex(rows).compare(fold(['d/a', 'd/b', 'd/e'], ['d/c', 'd/d']));
    expect(leaks[0]?.hits).toEqual([{ id: 'd/c', value: 'x', other: 'd/a' }]);
    expect(leaks[1]?.hits).toEqual([{ id: 'd/d', value: '1', other: 'd/a' }]);
    expect(leaks[1]?.trainingRows).toEqual(new Map([['1', 2]]));
    expect(leaks[2]?.hits).toEqual([{ id: 'd/c', value: 'one two three four five', other: 'd/a' }]);
  });

  it('knows time spans of segments, episodes and annotations, and the sound itself', () => {
    const times = { season: '1', episode: '2', start: '00:01:02,500', end: '00:01:04,000' };
    const cut = [
      row('d/a', { media: media(sha('a'), { start: 1, end: 2 }) }),
      row('d/b', { media: media(sha('a'), { start: 1, end: 2 }) }),
      row('d/c', { media: media(sha('a'), { start: 1, end: 2, channel: 1 }) }),
      row('d/e', { tags: times }),
      row('d/f', { tags: { ...times, start: '0:01:02,500' } }),
      row('d/g', { tags: { ...times, episode: '3' } }),
      row('d/h', { dialogue: 'q' }),
      row('d/i', { dialogue: 'q' }),
    ];
    const sources = new Map(
      ['d/h', 'd/i'].map((id) => [id, { file: 'x', line: 1, start: 0.5, end: 0.9 }] as const),
    );
    const { leaks } = new LeakIndex(cut, sources).compare(
      fold(['d/a', 'd/e', 'd/h'], ['d/b', 'd/c', 'd/f', 'd/g', 'd/i']),
    );
    const hits = (aspect: string) => leaks.find((leak) => leak.aspect === aspect)?.hits.map((hit) => hit.id);
    expect(hits('span')).toEqual(['d/b', 'd/f', 'd/i']);
    expect(hits('recording')).toEqual(['d/b', 'd/c', 'd/f']);
    expect(hits('audio')).toEqual(['d/b']);
    expect(leaks.find((leak) => leak.aspect === 'span')?.hits[1]?.value).toBe(
      'season 1 episode 2 62.500-64.000 s',
    );
  });

  it('takes text, span and sound of a row itself for known, not its speaker or dialogue', () => {
    const leakage = new LeakIndex(rows).compare(fold(['d/a', 'd/b'], ['d/c', 'd/d', 'd/e']));
    expect(leakedIds(leakage)).toEqual(new Set(['d/c']));
  });
});

describe('MELD across its splits', () => {
  const root = sharedData('meld');
  const rows = root === undefined ? [] : prepareMeld(root, { dataset: 'meld' }).utterances;
  const [meld] =
    root === undefined
      ? []
      : planFolds({ kind: 'fixed-split', train: ['train'], dev: ['dev'], test: ['test'] }, rows);
  const leaks = meld === undefined ? [] : new LeakIndex(rows).compare(meld).leaks;
  const of = (aspect: string, part: string) =>
    leaks.find((leak) => leak.aspect === aspect && leak.part === part) as AspectLeak;

  it.skipIf(root === undefined)('has the texts that the facts count', () => {
    expect(summary(of('text', 'test')).slice(2)).toEqual([
      9,
      2610,
      expect.any(Number),
      expect.any(Number),
      403,
    ]);
    expect(summary(of('text', 'dev')).slice(2)).toEqual([
      2,
      1109,
      expect.any(Number),
      expect.any(Number),
      170,
    ]);
  });

  it.skipIf(root === undefined)('has the speakers and episodes that the facts count', () => {
    expect(of('speaker', 'test').rows).toBe(2501);
    expect(summary(of('recording', 'test')).slice(2)).toEqual([2609, 2610, 142, 143]);
    expect(of('dialogue', 'test').rows).toBe(0);
  });

  it.skipIf(root === undefined)('has the time spans that the facts name', () => {
    const pairs = (part: string) => of('span', part).hits.map(({ id, other }) => `${id} = ${other}`);
    expect(pairs('test').sort()).toEqual([
      'meld/test/dia117_utt8 = meld/train/dia887_utt0',
      'meld/test/dia85_utt0 = meld/train/dia12_utt7',
      'meld/test/dia85_utt1 = meld/train/dia12_utt8',
    ]);
    expect(pairs('dev').sort()).toEqual([
      'meld/dev/dia52_utt2 = meld/train/dia53_utt0',
      'meld/dev/dia77_utt0 = meld/train/dia433_utt1',
    ]);
  });

  it.skipIf(root === undefined)('has 20 spans twice inside train, 10 of them with two labels', () => {
    const all = repeatedRows(rows, undefined);
    expect(new Set(all.map((finding) => finding.kind))).toEqual(new Set(['duplicate-span']));
    const findings = all.filter((finding) => finding.id?.startsWith('meld/train/'));
    expect(findings).toHaveLength(20);
    expect(findings.filter((finding) => finding.found.includes('another label'))).toHaveLength(10);
  });
});
