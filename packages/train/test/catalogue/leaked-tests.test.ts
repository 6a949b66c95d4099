import type { Manifest, Utterance } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { leakedTests, outdatedRuns } from '../../src/catalogue/leaked-tests.ts';
import type { RunGroup } from '../../src/catalogue/run-group.ts';
import { utterancesDigest } from '../../src/record/run-id.ts';

const row = (session: string, i: number, text: string): Utterance =>
  ({
    id: `c/${session}_${i}`,
    session,
    speaker: `${session}F`,
    dialogue: `${session}_d`,
    rawLabel: i % 2 === 0 ? 'hap' : 'sad',
    text,
    media: null,
    tags: {},
    annotations: [],
  }) as unknown as Utterance;
const utterances = [
  row('Ses01', 0, 'I told you never to come back here'),
  row('Ses01', 1, 'what is that'),
  row('Ses02', 0, 'something else that nobody says twice'),
  row('Ses02', 1, 'I told you, never to come back here!'),
];
const card = {
  name: 'c',
  tasks: [
    {
      name: 't',
      classes: [
        { name: 'happy', labels: ['hap'] },
        { name: 'sad', labels: ['sad'] },
      ],
      protocol: { kind: 'leave-one-session-out' },
      metric: 'ua',
    },
  ],
};
const manifest = { card, utterances } as unknown as Manifest;
const labelled = (session: string) =>
  utterances.filter((one) => one.session === session).map(({ id }, i) => ({ id, label: i % 2 }));
const group = (utterancesDigestOfFold: string, protocol: object | null): RunGroup =>
  ({
    label: 'full',
    task: 't',
    folds: ['Ses01'],
    protocol,
    runs: [
      {
        id: 'abc',
        role: null,
        identity: { fold: 'Ses01', utterances: utterancesDigestOfFold, config: {} },
        coverage: { missingTest: [], missingTrain: [] },
      },
    ],
  }) as unknown as RunGroup;
const own = { name: 'leave one session out', speakerDependent: false, where: null, asked: null, dev: null };
const digest = utterancesDigest({ train: labelled('Ses02'), dev: [], test: labelled('Ses01') });

describe('leakedTests', () => {
  it('finds test texts that training also has, in folds cut as the runs say', () => {
    expect(leakedTests(manifest, group(digest, own))).toEqual(new Map([['Ses01', new Set(['c/Ses01_0'])]]));
  });

  it('does not answer for other utterances than the runs saw', () => {
    expect(() => leakedTests(manifest, group('0'.repeat(64), own))).toThrow(
      'run abc, fold Ses01: the manifest gives other utterances or labels than the run saw',
    );
    expect(() => leakedTests(manifest, group(digest, null))).toThrow('do not say how their folds were cut');
  });
});

describe('outdatedRuns', () => {
  it('names runs of other labels or of fewer utterances than the manifest has now', () => {
    const corrected = utterances.map((one, i) => (i === 3 ? { ...one, rawLabel: 'hap' } : one));
    const added = [...utterances, row('Ses02', 2, 'a new one')];
    const now = (rows: readonly Utterance[]): string[] =>
      outdatedRuns({ card, utterances: rows } as unknown as Manifest, group(digest, own));
    expect(now(utterances)).toEqual([]);
    expect(now(corrected)).toEqual(['abc']);
    expect(now(added)).toEqual(['abc']);
  });

  it('says nothing of runs that do not say how their folds were cut', () => {
    expect(outdatedRuns(manifest, group('0'.repeat(64), null))).toEqual([]);
  });
});
