import { describe, expect, it } from 'vitest';
import { Card } from '../../src/manifest/card.ts';
import { describeFinding, type Finding } from '../../src/manifest/finding.ts';
import type { Media, Utterance } from '../../src/manifest/utterance.ts';
import { validateCorpus, validateManifest } from '../../src/manifest/validate.ts';
import { row } from '../support.ts';

const card = Card.parse({
  name: 'd',
  title: 'd',
  adapter: 'table',
  synthetic: false,
  paper: null,
  licence: 'none',
  restricted: false,
  layout: [],
  labels: ['a', 'b', 'other'],
  expected: {
    labelled: 4,
    labels: { a: 2, b: 1, other: 1 },
    splits: { train: 3, test: 1 },
    speakers: { s: 3, t: 1 },
    dialogues: 2,
  },
  tasks: [
    {
      name: 't',
      description: '',
      classes: [
        { name: 'A', labels: ['a'] },
        { name: 'B', labels: ['b'] },
      ],
      expected: 3,
      counts: {
        classes: { A: 2, B: 1 },
        classesBySplit: { train: { A: 2, B: 0 }, test: { B: 1 } },
        speakers: { s: 2, t: 1 },
      },
      protocol: { kind: 'fixed-split', train: ['train'], dev: [], test: ['test'] },
      metric: 'ua',
    },
  ],
});
const media = (seconds: number): Media => ({
  path: 'x.wav',
  sha256: null,
  seconds,
  sampleRate: 16000,
  channels: 1,
});
const whole: Utterance[] = [
  row('d/1', { rawLabel: 'a', split: 'train', speaker: 's', dialogue: 'x' }),
  row('d/2', { rawLabel: 'a', split: 'train', speaker: 's', dialogue: 'x' }),
  row('d/3', { rawLabel: 'b', split: 'test', speaker: 't', dialogue: 'y' }),
  row('d/4', { rawLabel: 'other', split: 'train', speaker: 's', dialogue: 'x' }),
];
const change = (index: number, changes: Partial<Utterance>) =>
  whole.map((one, i) => (i === index ? { ...one, ...changes } : one));
const lines = (utterances: readonly Utterance[], more = {}) =>
  validateManifest({ card, utterances, ...more }).map(describeFinding);

describe('validateManifest', () => {
  it('finds nothing in a whole corpus', () => {
    expect(lines(whole)).toEqual([]);
  });

  it('finds counts off the card, in the corpus and in each task, unless the corpus is a part', () => {
    const less = change(2, { split: 'train', rawLabel: 'a' });
    expect(lines(less)).toEqual([
      'card d: count: expected 2 of label a, found 3',
      'card d: count: expected 1 of label b, found 0',
      'card d: count: expected 3 of split train, found 4',
      'card d: count: expected 1 of split test, found 0',
      'card d: count: expected 2 of task t: class A, found 3',
      'card d: count: expected 1 of task t: class B, found 0',
      'card d: count: expected 2 of task t: split train, class A, found 3',
      'card d: count: expected 1 of task t: split test, class B, found 0',
    ]);
    expect(lines(less, { subset: true })).toEqual([]);
    expect(lines(whole.slice(0, 3))).toContain('card d: count: expected 4 labelled utterances, found 3');
  });

  it('finds values that the card does not count', () => {
    expect(lines(change(0, { speaker: 'new', dialogue: 'z' }))).toEqual([
      'card d: count: expected 2 dialogues, found 3',
      'card d: count: expected 3 of speaker s, found 2',
      'card d: count: expected 0 of speaker new, found 1',
      'card d: count: expected 2 of task t: speaker s, found 1',
      'card d: count: expected 0 of task t: speaker new, found 1',
    ]);
  });

  it('finds unknown labels, with the place in the corpus where it is known', () => {
    const sources = new Map([['d/4', { file: 'list.csv', line: 5 }]]);
    const odd = change(3, { rawLabel: 'oter' });
    expect(lines(odd, { sources, subset: true })).toEqual([
      "list.csv:5 d/4: unknown-label: expected one of a b other, found 'oter'",
    ]);
    expect(lines(odd, { subset: true })).toEqual([
      "d/4: unknown-label: expected one of a b other, found 'oter'",
    ]);
    const { labels: _, ...free } = card;
    expect(validateManifest({ card: free, utterances: odd, subset: true })).toEqual([]);
  });

  it('finds recordings that are too short or too long, at the bounds', () => {
    const at = (seconds: number) => lines(change(0, { media: media(seconds) }));
    expect(at(400 / 16000)).toEqual([]);
    expect(at(399 / 16000)).toEqual(['x.wav d/1: too-short: expected 0.025 s or more, found 0.025 s']);
    expect(at(35)).toEqual([]);
    expect(at(35.5)).toEqual(['x.wav d/1: too-long: expected 35 s or less, found 35.5 s']);
  });

  it('knows from the tags what was wrong with the media, and says it once', () => {
    const tagged = [
      ...change(0, { media: null, tags: { media: 'missing' } }).slice(0, 1),
      row('d/2', { ...whole[1], media: media(0), tags: { media: 'empty' } }),
      row('d/3', { ...whole[2], media: null, tags: { media: 'corrupt' } }),
      row('d/4', { ...whole[3], media: media(1), tags: { media: 'truncated' } }),
    ];
    expect(lines(tagged)).toEqual([
      'd/1: media-missing: expected a readable recording, found none',
      'x.wav d/2: media-empty: expected a readable recording, found one without samples',
      'd/3: media-undecodable: expected a readable recording, found one that cannot be read',
      'x.wav d/4: media-truncated: expected a readable recording, found one that ends early',
    ]);
    const told: Finding = {
      kind: 'media-missing',
      level: 'error',
      id: 'd/1',
      file: '1.wav',
      line: null,
      expected: 'a readable recording',
      found: 'there is no such file or folder',
    };
    expect(lines(tagged, { problems: [told] })[0]).toBe(describeFinding(told));
    expect(lines(tagged, { problems: [told] })).toHaveLength(4);
  });

  it('finds empty texts; a corpus without any is one warning', () => {
    expect(lines(change(1, { text: '', rawText: ' ' }))).toEqual([
      'd/2: text-empty: expected a text, found none',
    ]);
    const emptied = "d/2: text-empty: expected a text, found none (the corpus has '[LAUGHTER]')";
    expect(lines(change(1, { text: '', rawText: '[LAUGHTER]' }))).toEqual([emptied]);
    const textless = whole.map((one) => ({ ...one, text: '' }));
    expect(validateManifest({ card, utterances: textless })).toEqual([
      {
        kind: 'text-empty',
        level: 'warning',
        id: null,
        file: null,
        line: null,
        expected: 'texts',
        found: '4 rows without one',
      },
    ]);
  });

  it('knows the defects of the card up to their number, and not one more', () => {
    const defect = { kind: 'text-empty', count: 1, policy: 'keep', source: 's', note: 'n' } as const;
    const known = (utterances: readonly Utterance[]) =>
      validateManifest({ card: { ...card, defects: [defect] }, utterances }).map((one) => one.level);
    expect(known(change(1, { text: '', rawText: '' }))).toEqual(['known']);
    expect(
      known(
        change(1, { text: '', rawText: '' }).map((one, i) =>
          i === 3 ? { ...one, text: '', rawText: '' } : one,
        ),
      ),
    ).toEqual(['known', 'error']);
  });

  it('does not look for what a part of a corpus cannot have', () => {
    const gap: Finding = {
      kind: 'gap',
      level: 'warning',
      id: 'd/3',
      file: null,
      line: null,
      expected: 'utterances 0 to 2',
      found: 'no 1',
    };
    const found = (subset: boolean) =>
      validateManifest({ card, utterances: whole.slice(0, 3), problems: [gap], subset }).map(
        (one) => one.kind,
      );
    expect(found(true)).toEqual([]);
    expect(new Set(found(false))).toEqual(new Set(['gap', 'count']));
  });

  it('gives what the sides of the folds share', () => {
    const { findings, leakage } = validateCorpus({
      card,
      utterances: change(2, { speaker: 's' }),
      subset: true,
    });
    expect(findings.map((one) => [one.kind, one.level])).toEqual([['leak-speaker', 'warning']]);
    expect(leakage.map((one) => [one.task, one.folds.map((fold) => fold.fold)])).toEqual([['t', ['test']]]);
  });

  it('repairs nothing', () => {
    const rows = change(1, { text: 'it\u0092s', media: media(99) });
    const before = JSON.stringify(rows);
    expect(validateManifest({ card, utterances: rows })).toHaveLength(2);
    expect(JSON.stringify(rows)).toBe(before);
  });

  it('takes 13,708 rows in well under its two seconds', () => {
    const many = Array.from({ length: 13_708 }, (_, i) =>
      row(`d/m${i}`, { rawLabel: i % 2 ? 'a' : 'x', text: '' }),
    );
    expect(validateManifest({ card, utterances: [...many, ...whole], subset: true })).toHaveLength(
      13_708 + 6_854,
    );
  });
});
