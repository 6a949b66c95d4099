import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mapColumns, readTable } from '../../src/corpora/table-file.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import type { TableOptions } from '../../src/corpora/table-options.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const folderOf = (files: Record<string, string | Uint8Array>) => {
  const folder = temporaryFolder();
  putFiles(folder, files);
  return folder;
};
const read = (files: Record<string, string | Uint8Array>, options: TableOptions = {}) => {
  const folder = folderOf(files);
  return readTable(folder, folder, options);
};

describe('readTable', () => {
  it.each([
    ['t.csv', 'a,b,c\n1,2,3\n'],
    ['t.tsv', 'a\tb\tc\n1\t2\t3\n'],
    ['t.csv', 'a;b;c\r\n1;2;3\r\n'],
    ['t.csv', '"a";"b, x";c\n1;2;3'],
    ['t.csv', '\ufeffa\tb\tc\n1\t2\t3'],
  ])('finds the table and its delimiter: %s %j', (name, text) => {
    const table = read({ [name]: text, 'notes.txt': '', '._t.csv': '' });
    expect(table.name).toBe(name);
    expect(table.columns).toHaveLength(3);
    expect(table.columns[0]).toBe('a');
    expect(table.records).toEqual([{ line: 2, fields: ['1', '2', '3'] }]);
  });

  it('takes a table of one column for what its name says, and a delimiter that is given', () => {
    expect(read({ 't.csv': 'a\n1\n' }).columns).toEqual(['a']);
    expect(read({ 't.csv': 'a;b,c\n1;2\n' }, { delimiter: 'semicolon' }).columns).toEqual(['a', 'b,c']);
  });

  it('takes the table that is named, or that is the root itself', () => {
    const folder = folderOf({ 'a.csv': 'x\n1\n', 'b.csv': 'y\n2\n' });
    expect(readTable(folder, folder, { table: 'b.csv' }).columns).toEqual(['y']);
    expect(readTable(join(folder, 'a.csv'), folder, {}).columns).toEqual(['x']);
    expect(() => readTable(folder, folder, {})).toThrow('choose one with --columns table=FILE: a.csv, b.csv');
    expect(() => readTable(folder, folder, { table: 'c.csv' })).toThrow('there is no such file or folder');
  });

  it('says that there is nothing in it', () => {
    expect(() => read({ 'notes.txt': '' })).toThrow(
      'expected one .csv, .tsv or .jsonl file, or name it with --columns table=FILE',
    );
    expect(() => read({ 't.csv': '' })).toThrow(
      /the table .*t\.csv is empty: expected a line of column names/,
    );
    expect(() => read({ 't.csv': '\n\n' })).toThrow('is empty');
    expect(() => read({ 't.csv': 'file,label\n' })).toThrow(
      'has no row below its column names (file, label)',
    );
    expect(() => read({ 't.csv': 'a,b,a\n1,2,3\n' })).toThrow(
      "has two columns 'a': column names must differ",
    );
  });

  it('reads quotes of a tab-separated file as characters where they do not pair', () => {
    const table = read({ 't.tsv': 'a\tb\n"Yes" he said\t1\n"no\t2\n' });
    expect(table.literalQuotes).toBe(true);
    expect(table.problems).toEqual([]);
    expect(table.records.map((record) => record.fields[0])).toEqual(['"Yes" he said', '"no']);
    expect(read({ 't.tsv': 'a\tb\n"x\ty"\t1\n' }).records[0]?.fields).toEqual(['x\ty', '1']);
  });

  it('names the lines that are not UTF-8', () => {
    const table = read({ 't.csv': Buffer.from('a,b\n\u00e9,1\nx,2\n', 'latin1') });
    expect(table.badLines).toEqual([2]);
    expect(table.records[0]?.fields).toEqual(['é', '1']);
  });
});

describe('mapColumns', () => {
  const table = (columns: string[]) => ({ name: 't.csv', columns });

  it('finds columns by ordinary names, in order of preference', () => {
    const columns = [
      'ID',
      'normalized_text',
      'raw_text',
      'Emotion',
      'speaker_id',
      'File_ID',
      'Split',
      'turn',
    ];
    expect(mapColumns(table(columns), {}).columns).toEqual({
      file: 5,
      label: 3,
      text: 2,
      speaker: 4,
      split: 6,
      session: null,
      dialogue: null,
      turn: 7,
      id: null,
      start: null,
      end: null,
      duration: null,
      channel: null,
    });
  });

  it('does as it is told', () => {
    const columns = ['file', 'label', 'text', 'speaker', 'split', 'Mood', 'mood'];
    const options = { label: 'mood', speaker: 'SPEAKER', split: null, text: null };
    expect(mapColumns(table(columns), options).columns).toMatchObject({
      file: 0,
      label: 6,
      text: null,
      speaker: 3,
      split: null,
    });
  });

  it('says which columns there are when one is missing', () => {
    const message = 'the columns of t.csv are clip, mood, who';
    const columns = table(['clip', 'mood', 'who']);
    expect(() => mapColumns(columns, {})).toThrow(
      [
        `no column for the label: ${message}; name one with --columns label=NAME`,
        `no column for the speaker, session or split, so no folds: ${message}; name one with --columns speaker=NAME (or session, split)`,
      ].join('\n'),
    );
    expect(() => mapColumns(columns, { label: 'mod', speaker: 'who' })).toThrow(
      new RegExp(`^no column 'mod' \\(label\\): ${message}$`),
    );
    const found = mapColumns(columns, { label: 'mood', speaker: 'who' });
    expect(found.columns).toMatchObject({ label: 1, text: null, speaker: 2 });
    expect(found.findings.map(describeFinding)).toEqual([
      't.csv:1: schema: expected a column for the text (--columns text=NAME, or text=null where the corpus has none), found clip, mood, who',
    ]);
    expect(mapColumns(columns, { label: 'mood', speaker: 'who', text: null }).findings).toEqual([]);
  });
});
