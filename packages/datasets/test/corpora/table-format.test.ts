import { join } from 'node:path';
import { expect, it } from 'vitest';
import { detectFormat } from '../../src/corpora/table-format.ts';
import { putFiles, temporaryFolder } from '../support.ts';

it('tells the format from the files that are there, unless it is said', () => {
  const detect = (files: string[], options = {}, root = '') => {
    const folder = temporaryFolder();
    putFiles(folder, Object.fromEntries(files.map((file) => [file, ''])));
    return detectFormat(join(folder, root), folder, options);
  };
  const lhotse = ['a_recordings_x.jsonl.gz', 'a_supervisions_x.jsonl'];
  expect(detect(['data.csv', 'wav/a.wav'])).toBe('table');
  expect(detect(['wav.scp', 'data.csv'])).toBe('kaldi');
  expect(detect(['train/wav.scp'])).toBe('kaldi');
  expect(detect(lhotse)).toBe('lhotse');
  expect(detect(['supervisions.jsonl', 'a_recordings_x.jsonl'])).toBe('table');
  expect(detect(lhotse, {}, 'a_supervisions_x.jsonl')).toBe('lhotse');
  expect(detect(['wav.scp'], {}, 'wav.scp')).toBe('kaldi');
  expect(detect(['wav.scp', 'data.csv'], {}, 'data.csv')).toBe('table');
  expect(detect(['wav.scp', 'data.csv'], { table: 'data.csv' })).toBe('table');
  expect(detect(['data.csv'], { format: 'lhotse' })).toBe('lhotse');
});
