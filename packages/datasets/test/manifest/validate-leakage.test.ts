import { describe, expect, it } from 'vitest';
import { prepareIemocap } from '../../src/corpora/iemocap.ts';
import { Card, loadCard, type Protocol } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import {
  describeLeakTotal,
  leakFindings,
  leakTotals,
  taskLeakage,
} from '../../src/manifest/validate-leakage.ts';
import { putTree } from '../corpora/iemocap-tree.ts';
import { repositoryFile, row, temporaryFolder } from '../support.ts';

function cardWith(...protocols: Protocol[]): Card {
  return Card.parse({
    name: 'd',
    title: 'd',
    adapter: 'table',
    synthetic: false,
    paper: null,
    licence: 'none',
    restricted: false,
    layout: [],
    tasks: protocols.map((protocol, i) => ({
      name: `t${i}`,
      description: '',
      classes: [
        { name: 'A', labels: ['a'] },
        { name: 'B', labels: ['b'] },
      ],
      protocol,
      metric: 'ua',
    })),
  });
}
const split: Protocol = { kind: 'fixed-split', train: ['train'], dev: ['dev'], test: ['test'] };
const long = 'one two three four five';
const rows = [
  row('d/1', { rawLabel: 'a', split: 'train', speaker: 'x', text: long }),
  row('d/2', { rawLabel: 'b', split: 'train', speaker: 'x', text: 'yes' }),
  row('d/3', { rawLabel: 'a', split: 'test', speaker: 'x', text: 'Yes!' }),
  row('d/4', { rawLabel: 'a', split: 'test', speaker: 'y', text: `${long}!` }),
  row('d/5', { rawLabel: 'b', split: 'dev', speaker: 'z', text: 'no' }),
  row('d/6', { rawLabel: 'other', split: 'test', speaker: 'x', text: long }),
];
const lines = (card: Card, utterances: readonly Utterance[] = rows) =>
  leakFindings(taskLeakage(card, utterances, undefined), undefined).map(
    (one) => `${one.level} ${describeFinding(one)}`,
  );
const totals = (card: Card, utterances: readonly Utterance[] = rows) =>
  taskLeakage(card, utterances, undefined).flatMap((one) => leakTotals(one).map(describeLeakTotal));

describe('leakFindings', () => {
  const place = 'task t0 (fixed split: train against test), fold test';

  it('tells speakers by value and texts by row; rows outside the task are in no fold', () => {
    expect(lines(cardWith(split))).toEqual([
      `warning ${place}: leak-speaker: expected speaker x on one side, found 1 test and 2 training rows`,
      `warning ${place} d/4: leak-text: expected no text of training in test, found that of d/1: ${long}`,
    ]);
  });

  it('knows what is shared by design', () => {
    expect(lines(cardWith({ ...split, shared: ['speaker'] })).map((line) => line.split(' ')[0])).toEqual([
      'known',
      'warning',
    ]);
  });

  it('looks at each protocol once, and at none that cannot be cut', () => {
    const speakers: Protocol = { kind: 'by-speaker' };
    const leakage = taskLeakage(
      cardWith(split, speakers, split, { kind: 'leave-one-session-out' }),
      rows,
      undefined,
    );
    expect(leakage.map((one) => one.task)).toEqual(['t0', 't1']);
    expect(leakage[1]?.folds.map((one) => one.fold)).toEqual(['spk-x', 'spk-y', 'spk-z']);
  });

  it('places a finding of a row in the corpus', () => {
    const sources = new Map([['d/4', { file: 'list.csv', line: 5 }]]);
    const found = leakFindings(taskLeakage(cardWith(split), rows, sources), sources);
    expect(found.at(-1)).toMatchObject({ id: 'd/4', file: 'list.csv', line: 5 });
  });
});

describe('leakTotals', () => {
  it('adds up the folds', () => {
    expect(totals(cardWith(split))).toEqual([
      'test: 1 of 2 rows have a speaker of training (1 speakers)',
      'test: 1 of 2 rows have a text of training (five or more words; 2 at any length)',
    ]);
    expect(totals(cardWith({ kind: 'random', k: 5, seed: 1 }))).toEqual([
      'test: 3 of 5 rows have a speaker of training (1 speakers), by design',
      'test: 2 of 5 rows have a text of training (five or more words; 4 at any length)',
    ]);
    expect(totals(cardWith(split), [rows[0] as Utterance, rows[4] as Utterance])).toEqual([]);
  });

  it('counts the texts that scripted dialogues repeat in other sessions, by the rule of the facts', () => {
    const root = temporaryFolder();
    const say = (name: string, text: string) => ({ name, label: 'neu', text });
    putTree(root, [
      // said in three sessions, with other signs: six rows less one that is short
      say('Ses01F_script01_1_F000', 'I want to go to the beach.'),
      say('Ses02F_script01_1_F000', 'I want to go to the beach!'),
      say('Ses03F_script01_1_F000', 'I want -- to go to THE beach'),
      // twice in one session only: not across sessions
      say('Ses01F_impro01_M000', 'This is said here and there only.'),
      say('Ses01F_impro02_M000', 'This is said here and there only.'),
      // short: counted at any length
      say('Ses04F_impro01_F000', 'Yeah.'),
      say('Ses05F_impro01_F000', 'Yeah.'),
      say('Ses05F_impro01_M000', 'Nobody else says this one sentence.'),
    ]);
    const { utterances } = prepareIemocap(root, { dataset: 'iemocap' });
    expect(totals(loadCard(repositoryFile('manifests/iemocap.json')), utterances)).toEqual([
      'test: 3 of 8 rows have a text of training (five or more words; 5 at any length)',
    ]);
  });
});
