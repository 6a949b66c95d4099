import { describe, expect, it } from 'vitest';
import { prepareIemocap } from '../../src/corpora/iemocap.ts';
import { Card, loadCard } from '../../src/manifest/card.ts';
import { parseDevRule } from '../../src/manifest/dev-part.ts';
import { chooseFolds, filterUtterances, type FoldAsk } from '../../src/manifest/fold-choice.ts';
import { planFolds, selectFolds } from '../../src/manifest/folds.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import type { Utterance } from '../../src/manifest/utterance.ts';
import { parseWhere } from '../../src/manifest/where.ts';
import { putTree, turnsOfCard } from '../corpora/iemocap-tree.ts';
import { repositoryFile, row, temporaryFolder } from '../support.ts';

const card = Card.parse({
  name: 'd',
  title: 'd',
  adapter: 'table',
  synthetic: false,
  paper: null,
  licence: 'none',
  restricted: false,
  layout: [],
  tasks: [
    {
      name: 't',
      description: '',
      classes: [
        { name: 'A', labels: ['a'] },
        { name: 'B', labels: ['b'] },
      ],
      protocol: { kind: 'leave-one-session-out' },
      metric: 'ua',
    },
  ],
});
const task = card.tasks[0] as Card['tasks'][number];
/** Three sessions of eight utterances; the last is outside the task. One text is said in sessions 1 and 2. */
const rows: Utterance[] = Array.from({ length: 25 }, (_, i) => {
  const session = 1 + (i % 3);
  return row(`d/${String(i).padStart(2, '0')}`, {
    rawLabel: i === 24 ? 'other' : ('ab'[Math.floor(i / 3) % 2] as string),
    session: `S${session}`,
    speaker: `${session}${i % 2 === 0 ? 'F' : 'M'}`,
    dialogue: `S${session}_${Math.floor(i / 6)}`,
    text: i === 0 || i === 1 ? 'this is a long sentence' : `words of number ${i} are these`,
    tags: { style: i < 12 ? 'improvised' : 'scripted' },
  });
});
const choose = (ask: Partial<Omit<FoldAsk, 'where' | 'dev'>> & { where?: string; dev?: string } = {}) =>
  chooseFolds(task, rows, {
    fold: ask.fold ?? 'all',
    protocol: ask.protocol,
    dev: ask.dev === undefined ? undefined : parseDevRule(ask.dev),
    where: ask.where === undefined ? undefined : parseWhere(ask.where),
  });

describe('chooseFolds', () => {
  it("gives the task's own folds and rows, untouched, where nothing else is asked", () => {
    const view = applyTask(task, rows);
    const own = planFolds(
      task.protocol,
      view.rows.map((one) => one.utterance),
    );
    const plain = choose();
    expect(plain.folds).toEqual(own);
    expect(plain.rows).toEqual(view.rows);
    expect([plain.speakerDependent, plain.notes]).toEqual([false, []]);
    expect(choose({ dev: 'none', protocol: 'leave-one-session-out' }).folds).toEqual(own);
    expect(choose({ fold: '2' }).folds).toEqual(selectFolds(own, '2'));
  });

  it('cuts by another protocol, and marks folds that share speakers', () => {
    const random = choose({ protocol: 'random:4:3' });
    expect([random.folds.length, random.speakerDependent]).toEqual([4, true]);
    expect(random.protocol).toEqual({ kind: 'random', k: 4, seed: 3 });
    expect(choose({ protocol: 'leave-one-speaker-out' })).toMatchObject({ speakerDependent: false });
    expect(() => choose({ protocol: 'fixed-split' })).toThrow('a fixed split needs the splits');
  });

  it('carves dev out of training, and says from where', () => {
    const { folds, notes } = choose({ dev: 'session' });
    expect(folds.map((fold) => [fold.train.length, fold.dev.length, fold.test.length])).toEqual([
      [8, 8, 8],
      [8, 8, 8],
      [8, 8, 8],
    ]);
    expect(notes[0]).toBe('fold S1: dev is session S2, 8 utterances');
    expect(choose({ dev: 'speaker', fold: '1' }).notes[0]).toMatch(
      /^fold S1: dev is 1 speaker, 4 utterances; 4 of them share 4 dialogues with training$/,
    );
  });

  it('takes filtered rows out of the folds, and moves none between them', () => {
    const { folds, rows: left, notes } = choose({ where: 'tags.style=improvised' });
    const own = planFolds(
      task.protocol,
      applyTask(task, rows).rows.map((one) => one.utterance),
    );
    const keep = new Set(rows.slice(0, 12).map((one) => one.id));
    expect(folds).toEqual(
      own.map(({ id, train, test }) => ({
        id,
        train: train.filter((one) => keep.has(one)),
        dev: [],
        test: test.filter((one) => keep.has(one)),
      })),
    );
    expect(left).toHaveLength(12);
    expect(notes).toEqual(['where tags.style=improvised: 12 of 24 utterances of the task']);
  });

  it('drops folds that nothing is left to test in, and says so', () => {
    const { folds, notes } = choose({ where: 'session!=S2' });
    expect(folds.map((fold) => fold.id)).toEqual(['S1', 'S3']);
    expect(notes[1]).toBe('folds without a test utterance left are dropped: S2');
    expect(() => choose({ where: 'session=S2' })).toThrow('fold S2 has nothing left to train on');
    expect(() => choose({ where: 'label=other' })).toThrow('--where label=other: no utterance is left');
    expect(() => choose({ where: 'session=S2', fold: '1' })).toThrow('no fold has a test utterance left');
  });

  it('leaves out of the held-out parts what training knows, or keeps nothing else', () => {
    const clean = choose({ where: 'not leaked' });
    expect(clean.folds.map((fold) => fold.test.length)).toEqual([7, 7, 8]);
    expect(clean.folds.every((fold) => fold.train.length === 16)).toBe(true);
    expect(clean.notes).toContain('2 dev and test utterances are known from training');
    const known = choose({ where: 'leaked' });
    expect(known.folds.map((fold) => [fold.id, fold.test])).toEqual([
      ['S1', ['d/00']],
      ['S2', ['d/01']],
    ]);
    // what the filter takes from training is not known any more
    expect(choose({ where: 'not leaked and id!=d/00' }).folds[1]?.test).toHaveLength(8);
  });
});

describe('IEMOCAP, generated with its true counts', () => {
  it('has the folds of the facts, by session and by speaker, and a dev session each', () => {
    const iemocap = loadCard(repositoryFile('manifests/iemocap.json'));
    const root = temporaryFolder();
    putTree(root, turnsOfCard(iemocap));
    const { utterances } = prepareIemocap(root, { dataset: 'iemocap' });
    const sizes = (ask: Partial<FoldAsk>) =>
      chooseFolds(findTask(iemocap), utterances, { fold: 'all', ...ask }).folds.map((fold) => [
        fold.id,
        fold.train.length,
        fold.dev.length,
        fold.test.length,
      ]);
    expect(sizes({ dev: parseDevRule('session') })).toEqual([
      ['Ses01', 5531 - 1085 - 1023, 1023, 1085],
      ['Ses02', 5531 - 1023 - 1151, 1151, 1023],
      ['Ses03', 5531 - 1151 - 1031, 1031, 1151],
      ['Ses04', 5531 - 1031 - 1241, 1241, 1031],
      ['Ses05', 5531 - 1241 - 1085, 1085, 1241],
    ]);
    const speakers = sizes({ protocol: 'leave-one-speaker-out' });
    expect(speakers.map((one) => one[0])).toEqual(
      ['1F', '1M', '2F', '2M', '3F', '3M', '4F', '4M', '5F', '5M'].map((speaker) => `spk-${speaker}`),
    );
    expect(speakers.map((one) => one[3])).toEqual([528, 557, 481, 542, 522, 629, 528, 503, 590, 651]);
    const improvised = chooseFolds(findTask(iemocap), utterances, {
      fold: 'all',
      where: parseWhere('tags.style=improvised'),
    });
    expect(improvised.rows).toHaveLength(2943);
    expect(improvised.folds.map((fold) => fold.test.length)).toEqual([521, 530, 627, 534, 731]);
  });
});

describe('filterUtterances', () => {
  const ids = (where: string) => filterUtterances(card, rows, parseWhere(where)).map((one) => one.id);

  it('filters all of a manifest, inside and outside the task', () => {
    expect(ids('tags.style=scripted')).toEqual(rows.slice(12).map((one) => one.id));
    expect(ids('label=other')).toEqual(['d/24']);
    expect(() => ids('label=a and label=b')).toThrow('no utterance is left');
  });

  it("knows what is leaked from the folds of the card's first task", () => {
    expect(ids('leaked')).toEqual(['d/00', 'd/01']);
    expect(ids('not leaked')).toHaveLength(23);
  });
});
