import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { prepareTable } from '../../src/corpora/table.ts';
import { collectCorpus } from '../../src/manifest/build.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putFiles, temporaryFolder, wavBytes } from '../support.ts';

const head = 'file,label,text,speaker\n';
const good = `${head}a.wav,x,one,1\nb.wav,y,two,2\n`;

/** Texts of the rows that are left, and what was found. */
const outcome = (content: string | Uint8Array, name = 't.csv') => {
  const root = temporaryFolder();
  putFiles(root, { [name]: content });
  const { utterances, problems } = prepareTable(root, { dataset: 'mine', carded: true });
  return [utterances.map((one) => one.text), problems.map(describeFinding)];
};

describe('prepareTable of a damaged table', () => {
  it('names all columns that are missing, and those that are there', () => {
    expect(() => outcome('clip,words\na.wav,one\n')).toThrow(
      /^no column for the label: the columns of t\.csv are clip, words.*\nno column for the speaker/,
    );
    expect(outcome('file,label,speaker\na.wav,x,1\n')).toEqual([
      [''],
      [
        't.csv:1: schema: expected a column for the text (--columns text=NAME, or text=null where the corpus has none), found file, label, speaker',
      ],
    ]);
  });

  it.each([
    ['UTF-16 with a mark', Buffer.from(`\ufeff${good}`, 'utf16le'), ['UTF-8, found UTF-16LE, read as such']],
    ['UTF-16 without one', Buffer.from(good, 'utf16le').swap16(), ['UTF-8, found UTF-16BE, read as such']],
    ['UTF-8 with a mark', `\ufeff${good}`, ['UTF-8 without a byte-order mark, found one, passed over']],
    ['CRLF', good.replaceAll('\n', '\r\n'), []],
    ['CR', good.replaceAll('\n', '\r'), []],
  ])('reads %s', (_, content, expected) => {
    expect(outcome(content)).toEqual([
      ['one', 'two'],
      expected.map((one) => `t.csv:1: encoding: expected ${one}`),
    ]);
  });

  it('reads Latin-1 bytes as windows-1252 and names their lines', () => {
    expect(outcome(Buffer.concat([Buffer.from(good), Buffer.from('c.wav,x,caf\u00e9,3', 'latin1')]))).toEqual(
      [
        ['one', 'two', 'café'],
        ['t.csv:4: encoding: expected UTF-8, found bytes read as windows-1252: save the table as UTF-8'],
      ],
    );
  });

  it('names a torn last line', () => {
    expect(outcome(`${good}c.wav,x`)).toEqual([
      ['one', 'two'],
      ['t.csv:4: line: expected 4 fields, found 2'],
    ]);
    expect(outcome(`${good}c.wav,x,"thr`)).toEqual([
      ['one', 'two'],
      ["t.csv:4: line: expected a closing quote, found 'thr' to the end of the file"],
    ]);
  });

  it('reads doubled quotes inside quotes, and names single ones', () => {
    const doubled = 'a.wav,x,"He said ""no"", ""never""",1';
    expect(outcome(`${head}${doubled}\nb.wav,y,"say "so" now",2\n`)).toEqual([
      ['He said "no", "never"'],
      [`t.csv:3: line: expected a delimiter after the closing quote, found 'so" now",2'`],
    ]);
  });

  it('names a field of 10 MB and goes on', () => {
    const long = 'x'.repeat(10_000_000);
    const found = `line: expected 65536 characters in a field or fewer, found 10000000 that begin '${'x'.repeat(40)}'`;
    expect(outcome(`${good}c.wav,x,${long},3\nd.wav,x,four,4\n`)).toEqual([
      ['one', 'two', 'four'],
      [`t.csv:4: ${found}`],
    ]);
    const line = (text: string) => JSON.stringify({ file: 'a.wav', label: 'x', text, speaker: 1 });
    expect(outcome(`${line(long)}\n${line('two')}`, 't.jsonl')).toEqual([['two'], [`t.jsonl:1: ${found}`]]);
  });

  it('says where symbolic links form a loop', async () => {
    const root = temporaryFolder();
    const loop = 'its symbolic links form a loop';
    symlinkSync('loop', join(root, 'loop'));
    expect(() => prepareTable(join(root, 'loop'), { dataset: 'mine' })).toThrow(
      `cannot read ROOT of mine: ${join(root, 'loop')}: ${loop}`,
    );
    symlinkSync('t.csv', join(root, 't.csv'));
    expect(() => prepareTable(root, { dataset: 'mine' })).toThrow(
      `cannot read ${join(root, 't.csv')}: ${loop}`,
    );
    putFiles(root, { 'u.csv': good, 'b.wav': wavBytes(1) });
    symlinkSync('a.wav', join(root, 'a.wav'));
    symlinkSync('.', join(root, 'again'));
    const table = { table: 'u.csv' };
    const options = { dataset: 'mine', root, card: null, store: null, reporter: silent, table };
    const { problems, utterances } = await collectCorpus(options);
    expect(problems.map(describeFinding)).toEqual([
      `a.wav mine/a: media-undecodable: expected a readable recording, found ${loop}`,
    ]);
    expect(utterances.map((one) => one.media?.seconds)).toEqual([undefined, 1]);
  });
});

/** Root may read everything, so as root the work is done as another user. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe.skipIf(process.platform === 'win32')('a corpus that may not be read', () => {
  it('is named, and a recording of that kind does not stop the others', async () => {
    const outer = temporaryFolder();
    const root = join(outer, 'corpus');
    putFiles(root, { 't.csv': good, 'a.wav': wavBytes(1), 'b.wav': wavBytes(1) });
    chmodSync(outer, 0o755);
    const collect = () =>
      unprivileged(() => collectCorpus({ dataset: 'mine', root, card: null, store: null, reporter: silent }));
    chmodSync(root, 0o000);
    await expect(collect()).rejects.toThrow(`cannot read ROOT of mine: ${root}: no permission`);
    chmodSync(root, 0o755);
    chmodSync(join(root, 't.csv'), 0o000);
    await expect(collect()).rejects.toThrow(/cannot read .*t\.csv: no permission/);
    chmodSync(join(root, 't.csv'), 0o644);
    chmodSync(join(root, 'a.wav'), 0o000);
    const { problems, utterances } = await collect();
    expect(problems.map(describeFinding)).toEqual([
      'a.wav mine/a: media-undecodable: expected a readable recording, found no permission',
    ]);
    expect(utterances.map((one) => one.media?.seconds)).toEqual([undefined, 1]);
  });
});
