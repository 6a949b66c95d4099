import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type NewUtterance, problemOfNew, readNewUtterances, utteranceOf } from '../src/new-utterances.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-new-'));
afterAll(() => rmSync(folder, { recursive: true }));
const table = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('a table of new utterances', () => {
  it('is read from CSV or JSONL, files relative to it', () => {
    expect(readNewUtterances(table('a.csv', 'id,path,text\none,x/1.wav,"Hello, you."\n,2.wav,\n'))).toEqual([
      { name: 'one', file: join(folder, 'x/1.wav'), text: 'Hello, you.' },
      { name: '', file: join(folder, '2.wav'), text: '' },
    ]);
    expect(readNewUtterances(table('b.jsonl', '{"file": "1.wav", "transcript": "Hi"}\n'))).toEqual([
      { name: '1.wav', file: join(folder, '1.wav'), text: 'Hi' },
    ]);
  });

  it('is refused without columns that can be meant', () => {
    expect(() => readNewUtterances(table('c.csv', 'a,b\n1,2\n'))).toThrow(
      /no column file, path.*it has a, b/,
    );
    expect(() => readNewUtterances(join(folder, 'none.csv'))).toThrow(/no file/);
  });
});

describe('problemOfNew', () => {
  const whole: NewUtterance = { name: 'call', file: table('1.wav', ''), text: 'hello' };
  const both = { text: true, audio: true };

  it.each([
    [whole, both, false, undefined],
    [{ ...whole, text: ' \u00a0' }, both, false, /call: its text is empty/],
    [
      { ...whole, text: null },
      both,
      false,
      /call: no text, which the head reads: give it, or .*--missing mask/,
    ],
    [{ ...whole, text: null }, { text: false, audio: true }, false, undefined],
    [{ ...whole, text: null }, { text: true, audio: false }, true, /no text, which the head reads: give it$/],
    [{ ...whole, file: null }, both, false, /call: no recording/],
    [{ ...whole, file: null }, both, true, undefined],
    [{ ...whole, file: '/nowhere.wav' }, both, true, /no file \/nowhere\.wav/],
    [{ name: 'x', file: null, text: '' }, both, true, /its text is empty/],
  ] as const)('%o', (one, reads, masking, expected) => {
    const found = problemOfNew(one, reads, masking);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(expected);
  });

  it('text is normalised as manifests have it', () => {
    expect(utteranceOf({ ...whole, text: ' so\u00a0 what ' }, 3)).toMatchObject({
      id: 'predict/000003',
      text: 'so what',
      media: { path: join(folder, '1.wav').slice(1), sha256: null },
    });
  });
});
