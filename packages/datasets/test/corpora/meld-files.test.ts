import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RowCollector } from '../../src/corpora/adapter.ts';
import { findMeldFiles } from '../../src/corpora/meld-files.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { MELD_LAYOUTS } from '../support/meld-corpus.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const find = (files: Record<string, string>, prepare: (root: string) => void = () => {}) => {
  const root = temporaryFolder();
  putFiles(root, files);
  prepare(root);
  const rows = new RowCollector();
  const found = findMeldFiles(root, rows);
  return { ...found, problems: rows.problems.map((one) => `${one.level} ${describeFinding(one)}`) };
};

describe('findMeldFiles', () => {
  it.each(Object.entries(MELD_LAYOUTS))('finds its way in the layout %s', (_, { tables, clips }) => {
    const files: Record<string, string> = {};
    for (const split of ['train', 'dev', 'test'] as const) {
      files[tables[split]] = split;
      files[`${clips[split]}/dia0_utt0.mp4`] = split;
      files[`${clips[split]}/dia10_utt3.mp4`] = split;
    }
    const found = find(files);
    expect(found.problems).toEqual([]);
    expect(Object.fromEntries(found.tables)).toEqual(tables);
    expect(Object.fromEntries(found.folders)).toEqual(clips);
    expect(Object.fromEntries(found.clips.dev)).toEqual({
      dia0_utt0: `${clips.dev}/dia0_utt0.mp4`,
      dia10_utt3: `${clips.dev}/dia10_utt3.mp4`,
    });
  });

  it('tells splits by the innermost folder that names one', () => {
    const found = find({
      'contest/val/dia0_utt0.wav': '',
      'train/latest/dia1_utt0.mp4': '',
      'train/test_set/dia2_utt0.mp4': '',
      'dev/DEV2/DIA3_UTT0.MP4': '',
    });
    expect(Object.fromEntries(found.clips.dev)).toEqual({
      dia0_utt0: 'contest/val/dia0_utt0.wav',
      dia3_utt0: 'dev/DEV2/DIA3_UTT0.MP4',
    });
    expect([...found.clips.train.keys(), ...found.clips.test.keys()]).toEqual(['dia1_utt0', 'dia2_utt0']);
  });

  it('passes over leftovers and reports them once a folder; knows archives and odd names', () => {
    const found = find({
      'test/._dia0_utt0.mp4': '',
      'test/._dia0_utt1.mp4': '',
      'test/.DS_Store': '',
      'test/dia0_utt0.mp4': '',
      'test/final_videos_testdia0_utt0.mp4': '',
      'test/readme.txt': '',
      'train.tar.gz': '',
    });
    expect([...found.clips.test.keys()]).toEqual(['dia0_utt0']);
    expect(found.oddClips).toEqual([{ split: 'test', path: 'test/final_videos_testdia0_utt0.mp4' }]);
    expect(found.archives).toEqual(['train.tar.gz']);
    expect(found.problems).toEqual([
      'known test: layout: expected no leftovers of macOS, found 2 files ._*, passed over',
    ]);
  });

  it('uses the outer of two copies, and the film before its sound', () => {
    const found = find({
      'train_sent_emo.csv': 'one',
      'train/train_sent_emo.csv': 'two',
      'data/dev_sent_emo.csv': 'same',
      'dev/dev_sent_emo.csv': 'same',
      'train/dia0_utt0.mp4': '',
      'train/wav/dia0_utt0.wav': '',
      'train/wav/dia0_utt1.wav': '',
      'test/dia0_utt0.wav': '',
      'test/dia0_utt0.mp4': '',
      'clips/dia0_utt0.mp4': '',
    });
    expect(Object.fromEntries(found.tables)).toEqual({
      train: 'train_sent_emo.csv',
      dev: 'data/dev_sent_emo.csv',
    });
    expect(Object.fromEntries(found.clips.train)).toEqual({
      dia0_utt0: 'train/dia0_utt0.mp4',
      dia0_utt1: 'train/wav/dia0_utt1.wav',
    });
    expect(found.clips.test.get('dia0_utt0')).toBe('test/dia0_utt0.mp4');
    expect(found.problems).toEqual([
      'warning clips: layout: expected clips in a folder of train, dev or test, found 1 recordings in a folder that says none of them',
      'warning test: layout: expected one clip of each utterance, found 1 more, not used',
      'warning train/train_sent_emo.csv: layout: expected the same annotations as in train_sent_emo.csv, found others (train_sent_emo.csv is used)',
      'warning train/wav: layout: expected one clip of each utterance, found 1 more, not used',
    ]);
  });

  it('follows links to folders, but in no circle, and reports those that lead nowhere', () => {
    const elsewhere = temporaryFolder();
    putFiles(elsewhere, { 'dia0_utt0.mp4': '' });
    const found = find({ 'dev/dia0_utt0.mp4': '' }, (root) => {
      symlinkSync(elsewhere, join(root, 'train_splits'));
      symlinkSync('..', join(root, 'dev/up'));
      symlinkSync('gone', join(root, 'unmounted'));
      symlinkSync('self', join(root, 'self'));
    });
    expect([...found.clips.train.values()]).toEqual(['train_splits/dia0_utt0.mp4']);
    expect(found.problems).toEqual([
      'error self: layout: expected a symbolic link that leads somewhere, found its symbolic links form a loop',
      'error unmounted: layout: expected a symbolic link that leads somewhere, found there is no such file or folder',
      'warning dev/up: layout: expected each folder once, found a symbolic link leads to it as well: read once',
    ]);
  });

  it('reports a folder without rights, and reads the rest', ({ skip }) => {
    if (process.getuid?.() === 0) {
      console.log('skipped: root is stopped by no rights');
      skip('the superuser may read everything');
      return;
    }
    const found = find({ 'train/dia0_utt0.mp4': '', 'dev/dia0_utt0.mp4': '' }, (root) => {
      mkdirSync(join(root, 'test'));
      chmodSync(join(root, 'test'), 0);
    });
    expect(found.clips.train.size + found.clips.dev.size).toBe(2);
    expect(found.problems).toEqual([
      'error test: layout: expected a folder that can be read, found no permission',
    ]);
  });
});
