import { describe, expect, it } from 'vitest';
import { isSpeakerDependent, planFolds, selectFolds, type Fold } from '../../src/manifest/folds.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { row } from '../support.ts';

const rows = (count: number, make: (i: number) => Partial<Utterance>) =>
  Array.from({ length: count }, (_, i) => row(`d/${String(i).padStart(3, '0')}`, make(i)));
const ids = (folds: readonly Fold[]) => folds.map((fold) => fold.id);

describe('planFolds', () => {
  it('leaves one session out', () => {
    const utterances = rows(6, (i) => ({ session: `Ses0${(i % 3) + 1}` }));
    const folds = planFolds({ kind: 'leave-one-session-out' }, utterances);
    expect(folds).toEqual([
      { id: 'Ses01', train: ['d/001', 'd/002', 'd/004', 'd/005'], dev: [], test: ['d/000', 'd/003'] },
      { id: 'Ses02', train: ['d/000', 'd/002', 'd/003', 'd/005'], dev: [], test: ['d/001', 'd/004'] },
      { id: 'Ses03', train: ['d/000', 'd/001', 'd/003', 'd/004'], dev: [], test: ['d/002', 'd/005'] },
    ]);
  });

  it('takes a fixed split, which may have no dev part', () => {
    const utterances = rows(5, (i) => ({ split: ['train', 'test', 'val', 'train', 'other'][i] as string }));
    const protocol = { kind: 'fixed-split', train: ['train'], dev: ['dev', 'val'], test: ['test'] } as const;
    const plan = {
      ...protocol,
      train: [...protocol.train],
      dev: [...protocol.dev],
      test: [...protocol.test],
    };
    expect(planFolds(plan, utterances)).toEqual([
      { id: 'test', train: ['d/000', 'd/003'], dev: ['d/002'], test: ['d/001'] },
    ]);
    expect(() => planFolds({ ...plan, test: ['eval'] }, utterances)).toThrow(
      'the fixed split has no test utterance: expected split eval, found other, test, train, val',
    );
  });

  it('leaves one speaker out up to ten speakers', () => {
    const folds = planFolds(
      { kind: 'by-speaker' },
      rows(30, (i) => ({ speaker: `s${i % 10}` })),
    );
    expect(ids(folds)).toEqual(Array.from({ length: 10 }, (_, i) => `spk-s${i}`));
    expect(folds[3]?.test).toEqual(['d/003', 'd/013', 'd/023']);
  });

  it('gives speakers whose names a fold id cannot hold ids of their own', () => {
    const names = ['Ann, Lee', 'Ann  Lee', 'Ann. Lee'];
    const folds = planFolds(
      { kind: 'by-speaker' },
      rows(3, (i) => ({ speaker: names[i] as string })),
    );
    expect(ids(folds)).toEqual(['spk-Ann._Lee', 'spk-Ann__Lee', 'spk-Ann__Lee-2']);
    expect(folds.map((fold) => fold.test)).toEqual([['d/002'], ['d/001'], ['d/000']]);
  });

  it('groups more speakers evenly, none in two groups', () => {
    // speaker i has i + 1 utterances: 12 speakers, 78 utterances
    const speakers = Array.from({ length: 12 }, (_, i) =>
      Array.from({ length: i + 1 }, () => `s${i}`),
    ).flat();
    const utterances = rows(78, (i) => ({ speaker: speakers[i] as string }));
    const folds = planFolds({ kind: 'by-speaker', k: 4 }, utterances);
    expect(ids(folds)).toEqual(['k01', 'k02', 'k03', 'k04']);
    const speakerOf = new Map(utterances.map((one) => [one.id, one.speaker]));
    for (const fold of folds) {
      const test = new Set(fold.test.map((id) => speakerOf.get(id)));
      expect(fold.train.some((id) => test.has(speakerOf.get(id) ?? null))).toBe(false);
      expect(fold.train.length + fold.test.length).toBe(78);
      // 78 / 4 = 19.5
      expect(Math.abs(fold.test.length - 19.5)).toBeLessThan(2);
    }
    expect(planFolds({ kind: 'by-speaker' }, utterances)).toHaveLength(5);
    expect(planFolds({ kind: 'by-speaker', k: 4 }, utterances)).toEqual(folds);
  });

  it('groups dialogues', () => {
    const utterances = rows(12, (i) => ({ dialogue: `dia${i % 6}` }));
    const folds = planFolds({ kind: 'by-dialogue', k: 3 }, utterances);
    expect(ids(folds)).toEqual(['k01', 'k02', 'k03']);
    expect(folds[0]?.test).toEqual(['d/000', 'd/003', 'd/006', 'd/009']);
    expect(() => planFolds({ kind: 'by-dialogue', k: 7 }, utterances)).toThrow(
      '7 folds by dialogue need 7 of them: there are 6',
    );
  });

  it('leaves one speaker out, however many there are', () => {
    const utterances = rows(24, (i) => ({ speaker: `s${i % 12}` }));
    const folds = planFolds({ kind: 'leave-one-speaker-out' }, utterances);
    expect(folds).toHaveLength(12);
    expect(folds.find((fold) => fold.id === 'spk-s3')?.test).toEqual(['d/003', 'd/015']);
  });

  it('cuts random folds by seed: each row is tested once, sizes differ by one at most', () => {
    const utterances = rows(23, (i) => ({ speaker: `s${i % 2}` }));
    const folds = planFolds({ kind: 'random', k: 5, seed: 1 }, utterances);
    expect(ids(folds)).toEqual(['k01', 'k02', 'k03', 'k04', 'k05']);
    expect(folds.flatMap((fold) => fold.test).sort()).toEqual(utterances.map((one) => one.id));
    expect(folds.map((fold) => fold.test.length)).toEqual([5, 5, 5, 4, 4]);
    for (const fold of folds) expect([...fold.train, ...fold.test].sort()).toHaveLength(23);
    expect(planFolds({ kind: 'random', k: 5, seed: 1 }, utterances)).toEqual(folds);
    expect(planFolds({ kind: 'random', k: 5, seed: 2 }, utterances)).not.toEqual(folds);
    expect(() => planFolds({ kind: 'random', k: 24, seed: 1 }, utterances)).toThrow(
      '24 random folds need 24 utterances: there are 23',
    );
  });

  it('says what the utterances lack', () => {
    expect(() => planFolds({ kind: 'by-speaker' }, [])).toThrow('the task has no utterance in this manifest');
    expect(() =>
      planFolds(
        { kind: 'leave-one-session-out' },
        rows(3, (i) => ({ session: i === 1 ? null : 'a' })),
      ),
    ).toThrow('folds by session need a session for every utterance: 1 of 3 have none (first: d/001)');
    expect(() =>
      planFolds(
        { kind: 'by-speaker' },
        rows(3, () => ({ speaker: 'a' })),
      ),
    ).toThrow("folds by speaker need two of them: the task's utterances are all of a");
  });

  it('refuses an utterance that is there twice', () => {
    const twice = [...rows(2, (i) => ({ session: `s${i}` })), row('d/001', { session: 's0' })];
    expect(() => planFolds({ kind: 'leave-one-session-out' }, twice)).toThrow(
      'fold s0: d/001 is in two parts',
    );
  });
});

describe('isSpeakerDependent', () => {
  const utterances = rows(12, (i) => ({ speaker: `s${i % 3}`, dialogue: `x${i % 4}` }));
  const dependent = (protocol: Parameters<typeof planFolds>[0]) =>
    isSpeakerDependent(protocol, planFolds(protocol, utterances), utterances);

  it('is so where a tested speaker is heard in training', () => {
    expect(dependent({ kind: 'by-dialogue', k: 2 })).toBe(true);
    expect(dependent({ kind: 'by-speaker' })).toBe(false);
  });

  it('is always so for random folds', () => {
    const nameless = utterances.map((one) => ({ ...one, speaker: null }));
    const random = { kind: 'random', k: 2, seed: 1 } as const;
    expect(isSpeakerDependent(random, planFolds(random, nameless), nameless)).toBe(true);
    const dialogues = { kind: 'by-dialogue', k: 2 } as const;
    expect(isSpeakerDependent(dialogues, planFolds(dialogues, nameless), nameless)).toBe(false);
  });
});

describe('selectFolds', () => {
  const folds = planFolds(
    { kind: 'leave-one-session-out' },
    rows(5, (i) => ({ session: `Ses0${i + 1}` })),
  );

  it('takes ids, numbers, lists and all, in the order of the plan', () => {
    expect(ids(selectFolds(folds, 'Ses02'))).toEqual(['Ses02']);
    expect(ids(selectFolds(folds, '5, Ses01,1'))).toEqual(['Ses01', 'Ses05']);
    expect(ids(selectFolds(folds, 'all'))).toEqual(ids(folds));
  });

  it('prefers an id to a number', () => {
    const numbered = planFolds(
      { kind: 'leave-one-session-out' },
      rows(2, (i) => ({ session: ['2', '7'][i] as string })),
    );
    expect(ids(selectFolds(numbered, '2'))).toEqual(['2']);
    expect(ids(selectFolds(numbered, '1'))).toEqual(['2']);
  });

  it('names the choices', () => {
    for (const wrong of ['Ses06', '0', '6', '', 'Ses01,']) {
      expect(() => selectFolds(folds, wrong)).toThrow(
        'choose from Ses01, Ses02, Ses03, Ses04, Ses05, a number from 1 to 5, or all',
      );
    }
  });
});
