import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { prepareIemocap } from '../../src/corpora/iemocap.ts';
import { collectCorpus } from '../../src/manifest/build.ts';
import { loadCard } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { planFolds } from '../../src/manifest/folds.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { putFiles, repositoryFile, temporaryFolder, wavBytes } from '../support.ts';
import { putTree, treeFiles, turnsOfCard } from './iemocap-tree.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));
const options = { dataset: 'iemocap' };

describe('prepareIemocap', () => {
  const evaluation = [
    '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]',
    '',
    '[8.0000 - 9.5000]\tSes05F_impro01_M000\txxx\t[3.0000, 2.0000, 1.5000]',
    'C-E2:\tNeutral; Frustration;\t(half smiling; odd)',
    'C-F1:\tOther;\t(curious)',
    'A-E2:\tval 3; act 2; dom  1;\t(comment)',
    'A-E4:\tval 3; act 2; dom  ;\t()',
    '',
    '[6.2901 - 8.2357]\tSes05F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]',
    '',
  ].join('\n');
  const transcript = [
    'Ses05F_impro01_F000 [006.2901-008.2357]: Excuse  me. [LAUGHTER]',
    'M: [LAUGHTER]',
    'Ses05F_impro01_M000 [008.0000-009.5000]: I\u0092m here.',
    'Ses05F_impro01_MXX0 [010.0000-010.5000]: (breathing)',
    '',
  ].join('\n');
  const files = {
    'Session5/dialog/EmoEvaluation/Ses05F_impro01.txt': evaluation,
    'Session5/dialog/EmoEvaluation/Categorical/Ses05F_impro01_e2_cat.txt': 'ignored',
    'Session5/dialog/transcriptions/Ses05F_impro01.txt': Buffer.from(transcript, 'latin1'),
    'Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_F000.wav': wavBytes(1.9),
    'Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_M000.wav': wavBytes(1.5),
    'Session5/dialog/EmoEvaluation/._Ses05F_impro01.txt': '\0\u0005\u0016\u0007',
    'Session5/dialog/transcriptions/._Ses05F_impro01.txt': '\0\u0005\u0016\u0007',
    'Session5/sentences/wav/Ses05F_impro01/._Ses05F_impro01_F000.wav': '\0\u0005\u0016\u0007',
    'Session5/sentences/wav/._Ses05F_impro01': '\0\u0005\u0016\u0007',
    '._Session5': '\0\u0005\u0016\u0007',
    'Documentation/notes.txt': 'ignored',
  };
  const setUp = (changes: Record<string, string | Uint8Array | null> = {}) => {
    const root = temporaryFolder();
    putFiles(root, files);
    for (const [path, data] of Object.entries(changes)) {
      if (data === null) rmSync(join(root, path), { recursive: true });
      else putFiles(root, { [path]: data });
    }
    return root;
  };

  it('reads labels, annotators, texts and the true speaker, and skips AppleDouble files', () => {
    const prepared = prepareIemocap(setUp(), options);
    expect(prepared.utterances).toEqual([
      {
        id: 'iemocap/Ses05F_impro01_F000',
        dataset: 'iemocap',
        split: null,
        session: 'Ses05',
        dialogue: 'Ses05F_impro01',
        turn: 0,
        speaker: '5F',
        rawLabel: 'neu',
        annotations: [{ annotator: 'consensus', valence: 2.5, activation: 2.5, dominance: 2.5 }],
        text: 'Excuse me. [LAUGHTER]',
        rawText: 'Excuse  me. [LAUGHTER]',
        textSource: 'corpus',
        media: {
          path: 'Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_F000.wav',
          sha256: null,
          seconds: null,
          sampleRate: null,
          channels: null,
        },
        tags: { style: 'improvised' },
      },
      expect.objectContaining({
        id: 'iemocap/Ses05F_impro01_M000',
        turn: 1,
        // the dialogue's F wears the markers; M speaks
        speaker: '5M',
        rawLabel: 'xxx',
        text: 'I’m here.',
        annotations: [
          { annotator: 'consensus', valence: 3, activation: 2, dominance: 1.5 },
          {
            annotator: 'E2',
            categories: ['Neutral', 'Frustration'],
            valence: 3,
            activation: 2,
            dominance: 1,
          },
          { annotator: 'F1', categories: ['Other'] },
          { annotator: 'E4', valence: 3, activation: 2, dominance: null },
        ],
      }),
    ]);
    expect(prepared.sources.get('iemocap/Ses05F_impro01_M000')).toEqual({
      file: 'Session5/dialog/EmoEvaluation/Ses05F_impro01.txt',
      line: 3,
      start: 8,
      end: 9.5,
    });
    expect(prepared.problems.map((one) => [one.level, describeFinding(one)])).toEqual([
      [
        'warning',
        'Session5/dialog/transcriptions/Ses05F_impro01.txt:3: encoding: expected UTF-8, found bytes read as windows-1252',
      ],
      [
        'known',
        "Session5/dialog/transcriptions/Ses05F_impro01.txt:2: line: expected 'name [start-end]: text', found 'M: [LAUGHTER]'",
      ],
    ]);
  });

  it('takes a recording without an evaluation as an unlabelled utterance', () => {
    const root = setUp({ 'Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_MXX0.wav': wavBytes(0.5) });
    const extra = prepareIemocap(root, options).utterances.find((one) => one.id.endsWith('MXX0'));
    expect(extra).toMatchObject({
      rawLabel: null,
      annotations: [],
      text: '(breathing)',
      turn: 2,
      speaker: '5M',
    });
  });

  it('does not let a damaged evaluation line take its label along in silence', () => {
    const file = 'Session5/dialog/EmoEvaluation/Ses05F_impro01.txt';
    const damaged = '1.0 - 2.0]\tSes05F_impro01_F007\tang\t[2.5, 2.5, 2.5]';
    const reversed = '[9.0 - 1.0]\tSes05F_impro01_F008\tang\t[2.5, 2.5, 2.5]';
    const recording = 'Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_F007.wav';
    const root = setUp({ [file]: `${evaluation}${damaged}\n${reversed}\n`, [recording]: wavBytes(0.5) });
    const found = prepareIemocap(root, options).problems.filter((one) => one.level !== 'known');
    expect(found.filter((one) => one.file === file || one.file === recording).map(describeFinding)).toEqual([
      `${file}:10: line: expected '[start - end]', name, label and '[v, a, d]' separated by tabs, found '${damaged}'`,
      `${file}:11: times: expected an end after the start, found Ses05F_impro01_F008 from 9 to 1 s`,
      `${recording}: line: expected a line for it in ${file}, found none, so no label`,
    ]);
  });

  it('reports lines, names and files that do not fit, and goes on', () => {
    const line = '[1.0000 - 2.0000]\tSes05F_impro01_F000\tang\t[2.5000, 2.5000, 2.5000]\n';
    const root = setUp({
      'Session5/dialog/EmoEvaluation/Ses05F_impro01.txt': `${evaluation}[torn\n${line}${line.replace('impro01_F000', 'impro02_F000')}`,
      'Session5/dialog/EmoEvaluation/Ses05F_other02.txt': line.replace('impro01', 'other02'),
      'Session5/dialog/transcriptions/Ses05F_lost.txt': '',
      'Session4/dialog/transcriptions/x.txt': '',
    });
    const prepared = prepareIemocap(root, options);
    expect(prepared.utterances.map((one) => one.id)).toEqual([
      'iemocap/Ses05F_impro01_F000',
      'iemocap/Ses05F_impro01_M000',
      'iemocap/Ses05F_other02_F000',
    ]);
    expect(prepared.utterances[2]).toMatchObject({ text: '', tags: {} });
    const file = 'Session5/dialog/EmoEvaluation/Ses05F_impro01.txt';
    expect(prepared.problems.filter((one) => one.level === 'error').map(describeFinding)).toEqual([
      'Session4/dialog/EmoEvaluation: layout: expected a folder, found none',
      `${file}:10: line: expected '[start - end]', name, label and '[v, a, d]' separated by tabs, found '[torn'`,
      `${file}:11 iemocap/Ses05F_impro01_F000: duplicate-id: expected each id once, found it again (first: ${file}:9)`,
      `${file}:12: schema: expected a name such as Ses05F_impro01_F000, found 'Ses05F_impro02_F000'`,
      'Session5/dialog/transcriptions/Ses05F_other02.txt: layout: expected the transcript of Ses05F_other02, found none',
    ]);
  });

  it('says what is wrong with a root', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'empty'));
    putFiles(join(folder, 'meld'), { 'train_sent_emo.csv': '', 'dev_sent_emo.csv': '' });
    putFiles(join(folder, 'above/IEMOCAP_full_release'), files);
    putFiles(join(folder, 'features'), { 'Session1/features.pkl': '' });
    const prepare = (name: string) => () => prepareIemocap(join(folder, name), options);
    expect(prepare('none')).toThrow(
      `cannot read ROOT of iemocap: ${folder}/none: there is no such file or folder`,
    );
    expect(prepare('empty')).toThrow('expected the full release of IEMOCAP: found an empty folder');
    expect(prepare('meld')).toThrow('found dev_sent_emo.csv, train_sent_emo.csv');
    expect(prepare('above')).toThrow(
      `they are in IEMOCAP_full_release: give ROOT=${folder}/above/IEMOCAP_full_release`,
    );
    expect(prepare('features')).toThrow('no file in');
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  if (process.getuid?.() === 0) console.log('skipped: root is stopped by no rights');
  it.skipIf(process.getuid?.() === 0)('says that a root may not be read', () => {
    const root = temporaryFolder();
    mkdirSync(join(root, 'x'), { mode: 0o000 });
    expect(() => prepareIemocap(join(root, 'x'), options)).toThrow('no permission');
  });
});

describe('a tree with the counts of the facts', () => {
  const root = () => {
    const folder = temporaryFolder();
    putTree(folder, turnsOfCard(card));
    return folder;
  };
  const collect = (folder: string) =>
    collectCorpus({ dataset: 'iemocap', root: folder, card, media: 'none', store: null, reporter: silent });

  it('agrees with the card in every count, for every task', async () => {
    const { utterances, problems, sources } = await collect(root());
    expect(utterances).toHaveLength(10039);
    expect(validateManifest({ card, utterances, problems, sources })).toEqual([]);
    const sizes = card.tasks.map((task) => applyTask(task, utterances).rows.length);
    expect(sizes).toEqual([5531, 4490, 2943, 7380]);
    const view = applyTask(findTask(card), utterances);
    expect(view.excluded).toEqual({ dis: 2, fea: 40, fru: 1849, oth: 3, sur: 107, xxx: 2507 });
    const folds = planFolds(
      findTask(card).protocol,
      view.rows.map((one) => one.utterance),
    );
    expect(folds.map((fold) => [fold.id, fold.train.length, fold.test.length])).toEqual([
      ['Ses01', 4446, 1085],
      ['Ses02', 4508, 1023],
      ['Ses03', 4380, 1151],
      ['Ses04', 4500, 1031],
      ['Ses05', 4290, 1241],
    ]);
  });

  it('does not agree when one line is gone', async () => {
    const folder = root();
    const [path, text] = Object.entries(treeFiles(turnsOfCard(card))).find(([name]) =>
      name.includes('Session3/dialog/Emo'),
    ) as [string, string];
    const label = /\t(\w{3})\t/.exec(text)?.[1];
    writeFileSync(join(folder, path), text.replace(/^\[.*\n/m, ''));
    const { utterances } = await collect(folder);
    expect(validateManifest({ card, utterances }).map(describeFinding)).toEqual(
      expect.arrayContaining([
        'card iemocap: count: expected 10039 labelled utterances, found 10038',
        'card iemocap: count: expected 2136 of session Ses03, found 2135',
        `card iemocap: count: expected ${card.expected?.labels?.[label as string]} of label ${label}, found ${(card.expected?.labels?.[label as string] as number) - 1}`,
      ]),
    );
    expect(validateManifest({ card, utterances, subset: true })).toEqual([]);
  });
});
