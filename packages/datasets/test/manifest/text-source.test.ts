import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/canonical-json.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { replaceTexts } from '../../src/manifest/text-source.ts';
import { putFiles, row, temporaryFolder } from '../support.ts';

const rows = ['a', 'b', 'c'].map((id) => row(`demo/${id}`, { text: `text ${id}`, rawText: `raw ${id}` }));
const replace = (name: string, content: string) => {
  const folder = temporaryFolder();
  putFiles(folder, { [name]: content });
  return replaceTexts(rows, 'demo', join(folder, name));
};

describe('replaceTexts', () => {
  it.each([
    ['asr.csv', 'utt_id,score,Hypothesis\nb,1," I\u0092m  ""here"" "\ndemo/a,2,\nc,3,see\n'],
    ['asr.tsv', 'id\ttext\nb\t I\u0092m  "here" \ndemo/a\t\nc\tsee\n'],
    [
      'asr.jsonl',
      '{"id":"b","text":" I\u0092m  \\"here\\" "}\n{"id":"demo/a","text":""}\n{"id":"c","text":"see"}\n',
    ],
  ])('takes the texts of %s by id, and says where they come from', (name, content) => {
    const { utterances, problems, source } = replace(name, content);
    expect(problems).toEqual([]);
    expect(source).toBe(`${name} sha256:${sha256Hex(content).slice(0, 12)}`);
    expect(utterances.map((one) => [one.text, one.rawText, one.textSource])).toEqual([
      ['', 'raw a', source],
      ['I’m "here"', 'raw b', source],
      ['see', 'raw c', source],
    ]);
  });

  it('counts what does not fit, keeps those texts, and names repetitions and torn lines', () => {
    const content = 'id,text\na,one\nx,two\na,three\ny,four\nb\n';
    const { utterances, problems, source } = replace('asr.csv', content);
    expect(utterances.map((one) => [one.text, one.textSource])).toEqual([
      ['one', source],
      ['text b', 'corpus'],
      ['text c', 'corpus'],
    ]);
    expect(problems.map((one) => [one.level, describeFinding(one)])).toEqual([
      ['error', 'asr.csv:4 demo/a: text-source: expected each id once, found it again (line 2 is used)'],
      ['error', 'asr.csv:6: line: expected 2 fields, found 1'],
      [
        'warning',
        'asr.csv:3: text-source: expected ids of the corpus, found 2 that it lacks (first: demo/x)',
      ],
      [
        'warning',
        "asr.csv: text-source: expected a text for every utterance, found none for 2 of 3 (first: demo/b): they keep the corpus's",
      ],
    ]);
  });

  it('refuses a file without the columns, and one that is not there', () => {
    expect(() => replace('asr.csv', 'name,text\na,b\n')).toThrow(
      'no column for the id in asr.csv: expected one of id, utterance_id',
    );
    expect(() => replace('asr.csv', 'id,words\na,b\n')).toThrow('no column for the text in asr.csv');
    expect(() => replaceTexts(rows, 'demo', join(temporaryFolder(), 'x.csv'))).toThrow(
      'there is no such file or folder',
    );
  });
});
