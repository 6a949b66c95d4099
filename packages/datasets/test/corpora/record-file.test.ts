import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fieldCountFinding, readingFindings, readRecordFile } from '../../src/corpora/record-file.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const read = (name: string, content: string | Uint8Array) => {
  const folder = temporaryFolder();
  putFiles(folder, { [name]: content });
  return readRecordFile(join(folder, name));
};

describe('readRecordFile', () => {
  it.each([
    ['t.csv', 'id,text\na,b\n'],
    ['t.tsv', 'id\ttext\na\tb\n'],
    ['t.jsonl', '{"id":"a","text":"b"}\n'],
    ['t.csv.gz', gzipSync('id,text\na,b\n')],
    ['t.NDJSON.gz', gzipSync('{"id":"a","text":"b"}')],
  ])('reads %s', (name, content) => {
    const file = read(name, content);
    expect(file).toMatchObject({ name, columns: ['id', 'text'], problems: [], encoding: 'utf-8' });
    expect(file.records.map((record) => record.fields)).toEqual([['a', 'b']]);
    expect(readingFindings(file)).toEqual([]);
  });

  it('says where a JSONL file holds nothing', () => {
    expect(() => read('t.jsonl', '\n')).toThrow('expected JSONL, a JSON object a line, found an empty file');
    expect(() => read('t.jsonl', '[\n{"a":1\n')).toThrow("a JSON object a line, found '[' in line 1");
  });
});

describe('readingFindings and fieldCountFinding', () => {
  it('name file and line', () => {
    const file = read('t.tsv', '\ufeffid\ttext\n"a\tb\nc\n');
    expect(readingFindings(file).map((one) => [one.level, describeFinding(one)])).toEqual([
      ['warning', 't.tsv:1: encoding: expected UTF-8 without a byte-order mark, found one, passed over'],
      ['warning', 't.tsv: line: expected quotes in pairs, found others: quotes are read as characters'],
    ]);
    expect(file.records.map((record) => fieldCountFinding(file, record)?.line ?? null)).toEqual([null, 3]);
  });
});
