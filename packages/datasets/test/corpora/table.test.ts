import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { prepareTable } from '../../src/corpora/table.ts';
import type { TableOptions } from '../../src/corpora/table-options.ts';
import { buildManifest } from '../../src/manifest/build.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { planFolds } from '../../src/manifest/folds.ts';
import { readManifest } from '../../src/manifest/manifest-file.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { putFiles, sharedData, temporaryFolder, wavBytes } from '../support.ts';

const prepare = (files: Record<string, string | Uint8Array>, table?: TableOptions) => {
  const root = temporaryFolder();
  putFiles(root, files);
  return prepareTable(root, { dataset: 'mine', ...(table && { table }) });
};

describe('prepareTable', () => {
  it('takes tags from columns, of tables only', () => {
    const text = 'file,label,text,speaker,Stil\na.wav,sad,x,s1, frei \nb.wav,joy,y,s2,\n';
    const files = { 't.csv': text, 'a.wav': '', 'b.wav': '' };
    const tags = (column: string) =>
      prepare(files, { tags: { style: column } }).utterances.map((one) => one.tags);
    expect(tags('stil')).toEqual([{ style: 'frei' }, {}]);
    expect(() => tags('Style')).toThrow("no column 'Style' (tags.style): the columns of t.csv are file");
    expect(() => prepare({ 'wav.scp': 'a a.wav\n' }, { tags: { style: 'x' } })).toThrow(
      /is read as a Kaldi data folder: only columns of a table can be tags/,
    );
  });

  it('reads every mapped column', () => {
    const text =
      'clip;who;mood;words;part;scene;dia;no\n' +
      's/a; Ann ;sad;" I\u0092m ""here"" ";test;1;d1;7\nb.flac;Bob;;\u00a0x  y;train;;;\n';
    const mapping = {
      file: 'clip',
      speaker: 'who',
      label: 'mood',
      text: 'words',
      split: 'part',
      session: 'scene',
      dialogue: 'dia',
      turn: 'no',
    };
    const more = 'c;Cem;joy;z;train;;;\n';
    const prepared = prepare({ 't.csv': text + more, 'audio/s/a.wav': '', 'audio/b.flac': '' }, mapping);
    const media = { sha256: null, seconds: null, sampleRate: null, channels: null };
    const common = { dataset: 'mine', annotations: [], textSource: 'corpus', tags: {} };
    expect(prepared.utterances.slice(0, 2)).toEqual([
      {
        ...common,
        id: 'mine/s/a',
        split: 'test',
        session: '1',
        dialogue: 'd1',
        turn: 7,
        speaker: 'Ann',
        rawLabel: 'sad',
        text: 'I’m "here"',
        rawText: ' I\u0092m "here" ',
        media: { path: 'audio/s/a.wav', ...media },
      },
      {
        ...common,
        id: 'mine/b',
        split: 'train',
        session: null,
        dialogue: null,
        turn: null,
        speaker: 'Bob',
        rawLabel: null,
        text: 'x y',
        rawText: 'x  y',
        media: { path: 'audio/b.flac', ...media },
      },
    ]);
    expect(prepared.problems).toEqual([]);
    expect(prepared.sources.get('mine/b')).toEqual({ file: 't.csv', line: 3 });
    expect(prepared.card?.tasks[0]?.protocol).toEqual({
      kind: 'fixed-split',
      train: ['train'],
      dev: [],
      test: ['test'],
    });
  });

  it('lists every bad row with its line and keeps the others', () => {
    const text = [
      'file,label,text,speaker,turn',
      'a.wav,x,t,s1,',
      'b.wav,x,t,s1',
      ',x,t,s1,',
      'a.wav,y,t,s2,',
      'c d.wav,y,t,s2,',
      'e.wav,y,t,s2,two',
      '"f.wav"?,y,t,s2,1',
      'g.wav,y,\u00e9,s2,3',
      'h.wav,y,"t,s2,1',
    ].join('\r\n');
    const prepared = prepare({ 'data.csv': Buffer.from(text, 'latin1') });
    expect(prepared.utterances.map((one) => [one.id, one.text, one.turn])).toEqual([
      ['mine/a', 't', null],
      ['mine/g', 'é', 3],
    ]);
    expect(prepared.problems.map(describeFinding)).toEqual([
      'data.csv:9: encoding: expected UTF-8, found bytes read as windows-1252: save the table as UTF-8',
      "data.csv:8: line: expected a delimiter after the closing quote, found '?,y,t,s2,1'",
      "data.csv:10: line: expected a closing quote, found 't,s2,1' to the end of the file",
      'data.csv:3: line: expected 5 fields, found 4',
      'data.csv:4: schema: expected a file in column file, found nothing',
      'data.csv:5 mine/a: duplicate-id: expected each id once, found it again (first: data.csv:2)',
      "data.csv:6 mine/c d: schema: expected parts of letters, digits, dot, underscore and hyphen, joined by / (a table may have ids of its own: --columns id=NAME), found the id 'mine/c d'",
      "data.csv:7: schema: expected a whole number in column turn, found 'two'",
    ]);
  });

  it('takes ids from a column, for files whose names cannot be ids', () => {
    const text = 'file,label,text,speaker,key\nc d.wav,x,t,1,k1\né.wav,y,t,2,k2\n';
    const prepared = prepare({ 'data.csv': text }, { id: 'key' });
    expect(prepared.utterances.map((one) => one.id)).toEqual(['mine/k1', 'mine/k2']);
  });

  it('says so when no row is left', () => {
    expect(() => prepare({ 'data.csv': 'file,label,text,speaker\n,x,t,1\n' })).toThrow(
      'the table data.csv has no row that can be used\ndata.csv:2: schema: expected a file in column file, found nothing',
    );
  });
});

describe('a table corpus on its whole way', () => {
  const build = (root: string, store: string, dataset: string) =>
    buildManifest({ dataset, root, card: null, store, tool: '0.1.0', reporter: silent });

  it('finds missing and damaged audio, and derives what training needs', async () => {
    const [root, store] = [temporaryFolder(), temporaryFolder()];
    const names = ['a', 'b', 'c', 'd', 'e'];
    const lines = names.map((name, i) => `${name}.wav,${i % 2 === 0 ? 'x' : 'y'},text ${name},s${i % 3}`);
    putFiles(root, {
      'list.csv': `file,label,text,speaker\n${lines.join('\n')}\n`,
      'a.wav': wavBytes(1),
      'b.wav': wavBytes(0.01),
      'c.wav': 'RIFX',
      'd.wav': wavBytes(0),
    });
    const built = await build(root, store, 'mine');
    const findings = validateManifest(built);
    expect(findings.map(describeFinding)).toEqual([
      'e.wav mine/e: media-missing: expected a readable recording, found there is no such file or folder',
      'd.wav mine/d: media-empty: expected sound, found a header and 0 samples',
      "c.wav mine/c: media-undecodable: expected a readable recording, found no RIFF/WAVE header (the file begins with 'RIFX')",
      'b.wav mine/b: too-short: expected 0.025 s or more, found 0.01 s',
    ]);
    const { card, utterances } = readManifest(store, 'mine');
    expect(utterances.map((one) => one.media?.seconds ?? null)).toEqual([1, 0.01, null, 0, null]);
    const view = applyTask(findTask(card), utterances);
    expect(view.rows.map((one) => one.label)).toEqual([0, 1, 0, 1, 0]);
    const folds = planFolds(
      findTask(card).protocol,
      view.rows.map((one) => one.utterance),
    );
    expect(folds.map((fold) => [fold.id, fold.test])).toEqual([
      ['spk-s0', ['mine/a', 'mine/d']],
      ['spk-s1', ['mine/b', 'mine/e']],
      ['spk-s2', ['mine/c']],
    ]);
  });

  const nemo = sharedData('nemo');
  it.skipIf(nemo === undefined)('takes nEMO', async () => {
    const root = nemo ?? '';
    const store = temporaryFolder();
    const built = await build(root, store, 'nemo');
    // nine actors read the same sentences
    expect(new Set(validateManifest(built).map((one) => `${one.level} ${one.kind}`))).toEqual(
      new Set(['warning leak-text']),
    );
    const { card, utterances, info } = readManifest(store, 'nemo');
    expect(utterances).toHaveLength(313);
    expect(info.counts.speakers).toBe(9);
    const emotions = ['anger', 'fear', 'happiness', 'neutral', 'sadness', 'surprised'];
    expect(card.labels).toEqual(emotions);
    expect(new Set(utterances.map((one) => one.media?.sampleRate))).toEqual(new Set([24000]));
    expect(utterances.find((one) => one.id === 'nemo/KD0_neutral_2')).toMatchObject({
      speaker: 'KD0',
      rawLabel: 'neutral',
      text: 'Nie waśńmy się ze sobą.',
    });
    const folds = planFolds(findTask(card).protocol, utterances);
    const speakers = ['EB0', 'IC0', 'KD0', 'KS0', 'MK0', 'MP0', 'SM0', 'TP0', 'WR0'];
    expect(folds.map((fold) => fold.id)).toEqual(speakers.map((speaker) => `spk-${speaker}`));
    for (const fold of folds) {
      expect(fold.train.length + fold.test.length).toBe(313);
      expect(fold.test.every((id) => id.startsWith(`nemo/${fold.id.slice(4)}_`))).toBe(true);
    }
    const again = await build(join(root, 'data.tsv'), store, 'nemo');
    expect(again.unchangedMedia).toBe(313);
    expect(again.manifest.info).toEqual(info);
  });
});
