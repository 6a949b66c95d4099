import { describe, expect, it } from 'vitest';
import type { TableOptions } from '../../src/corpora/table-options.ts';
import { prepareTable } from '../../src/corpora/table.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const prepare = (files: Record<string, string | Uint8Array>, table: TableOptions = {}) => {
  const root = temporaryFolder();
  putFiles(root, files);
  return prepareTable(root, { dataset: 'mine', carded: true, table });
};

describe('prepareTable of segments and JSONL', () => {
  it('reads JSONL with inner keys, and names the lines that are none', () => {
    const lines = [
      '{"audio": {"path": "a.wav", "rate": 16000}, "meta": {"emotion": "sad"}, "text": "one", "speaker": 7}',
      '',
      '{"audio": {"path": "b.wav"}, "meta": {"emotion": null}, "text": " two ", "speaker": "8", "words": [{"w": 1}]}',
      '[1]',
      '{"audio": {"path": "c.wav"}, "meta": {"emotion": "joy"}, "text": "th',
    ];
    const prepared = prepare({ 'm.jsonl': lines.join('\r\n') }, { label: 'meta.emotion' });
    expect(prepared.utterances.map((one) => [one.id, one.rawLabel, one.rawText, one.speaker])).toEqual([
      ['mine/a', 'sad', 'one', '7'],
      ['mine/b', null, ' two ', '8'],
    ]);
    expect(prepared.sources.get('mine/b')).toEqual({ file: 'm.jsonl', line: 3 });
    expect(prepared.problems.map(describeFinding)).toEqual([
      "m.jsonl:4: line: expected a JSON object, found '[1]'",
      `m.jsonl:5: line: expected a JSON object, found '{"audio": {"path": "c.wav"}, "meta": {"e'`,
    ]);
  });

  it('cuts segments where some recording has several rows, with ids of their times', () => {
    const lines = [
      'file,label,text,speaker,start,end',
      'rec.flac,x,a,1,0,1.5',
      'rec.flac,y,b,2,1.5,3.25',
      'other.wav,x,c,1,,',
      'rec.flac,x,d,1,9,',
      'rec.flac,x,e,1,3,two',
      'rec.flac,x,f,1,3,2',
    ];
    const prepared = prepare({ 't.csv': lines.join('\n') });
    expect(prepared.utterances.map(({ id, media }) => [id, media?.start, media?.end])).toEqual([
      ['mine/rec-0000000-0001500', 0, 1.5],
      ['mine/rec-0001500-0003250', 1.5, 3.25],
      ['mine/other', undefined, undefined],
      ['mine/rec-0009000', 9, undefined],
    ]);
    expect(prepared.problems.map(describeFinding)).toEqual([
      "t.csv:6: schema: expected seconds in column end, found 'two'",
      't.csv:7: segment: expected an end after the start of mine/rec-0003000-0002000, found 3 to 2 s',
    ]);
  });

  it('takes a duration for an end, and a channel', () => {
    const lines = [
      { audio_filepath: 'a.wav', offset: 0.1, duration: 0.2, label: 'x', text: '', speaker: 's', ch: 1 },
      { audio_filepath: 'a.wav', offset: 2, duration: 1, label: 'y', text: '', speaker: 't', ch: 'left' },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    const prepared = prepare({ 'nemo.jsonl': text }, { channel: 'ch' });
    expect(prepared.utterances.map((one) => one.media)).toMatchObject([{ start: 0.1, end: 0.3, channel: 1 }]);
    expect(prepared.problems.map(describeFinding)).toEqual([
      "nemo.jsonl:2: schema: expected a whole number in column ch, found 'left'",
    ]);
  });

  it('takes times in a table of whole recordings for annotations, unless it is told otherwise', () => {
    const text =
      'file,label,text,speaker,start_time,end_time\na.wav,x,a,1,10.5,12\nb.wav,y,b,2,0:01:02,0:01:05\n';
    const whole = prepare({ 't.csv': text });
    expect(whole.utterances.map((one) => [one.id, one.media?.start])).toEqual([
      ['mine/a', undefined],
      ['mine/b', undefined],
    ]);
    expect(whole.sources.get('mine/a')).toEqual({ file: 't.csv', line: 2, start: 10.5, end: 12 });
    expect(whole.sources.get('mine/b')).toEqual({ file: 't.csv', line: 3 });
    const cut = prepare({ 't.csv': text }, { start: 'start_time', end: 'end_time' });
    expect(cut.utterances.map((one) => [one.id, one.media?.start, one.media?.end])).toEqual([
      ['mine/a-0010500-0012000', 10.5, 12],
    ]);
  });
});
