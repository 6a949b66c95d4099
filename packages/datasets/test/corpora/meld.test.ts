import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareMeld } from '../../src/corpora/meld.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import {
  inventedRows,
  MELD_COLUMNS,
  MELD_LAYOUTS,
  meldCsv,
  nameOf,
  putTables,
  type MeldRow,
} from '../support/meld-corpus.ts';
import { putFiles, temporaryFolder } from '../support.ts';

const rows = inventedRows();
const { tables, clips } = MELD_LAYOUTS.release;
const [first] = rows.train as [MeldRow];

/** A tree of invented rows whose clips are there by name, with other files in place of some. */
function tree(changes: Record<string, string | Uint8Array | null> = {}): string {
  const root = temporaryFolder();
  putTables(root, rows);
  for (const split of ['train', 'dev', 'test'] as const) {
    for (const row of rows[split]) putFiles(root, { [`${clips[split]}/${nameOf(row)}.mp4`]: '' });
  }
  for (const [path, data] of Object.entries(changes)) {
    if (data === null) rmSync(join(root, path));
    else putFiles(root, { [path]: data });
  }
  return root;
}
const prepare = (root: string) => {
  const { utterances, problems, sources } = prepareMeld(root, { dataset: 'meld' });
  return { utterances, sources, problems: problems.map((one) => `${one.level} ${describeFinding(one)}`) };
};
/** Problems of a tree whose train annotations are these. */
const ofTrain = (csv: string | Uint8Array) => prepare(tree({ [tables.train]: csv }));
/** The invented rows of train, the first one changed. */
const changed = (cells: Partial<Record<(typeof MELD_COLUMNS)[number], string>>) =>
  meldCsv([MELD_COLUMNS.map((column, i) => cells[column] ?? first[i] ?? ''), ...rows.train.slice(1)]);

describe('prepareMeld', () => {
  it('reads each row of the annotations', () => {
    const { utterances, sources, problems } = prepare(tree());
    expect(problems).toEqual([]);
    expect(utterances).toHaveLength(36);
    expect(utterances[1]).toEqual({
      id: 'meld/train/dia0_utt1',
      dataset: 'meld',
      split: 'train',
      session: null,
      dialogue: 'train/dia0',
      turn: 1,
      speaker: 'train speaker 1',
      rawLabel: 'joy',
      annotations: [{ annotator: 'consensus', sentiment: 'positive' }],
      text: 'It is line number 1 of train, isn\u2019t it?',
      rawText: 'It is line number 1 of train, isn\u2019t it?',
      textSource: 'corpus',
      media: {
        path: 'train/train_splits/dia0_utt1.mp4',
        sha256: null,
        seconds: null,
        sampleRate: null,
        channels: null,
      },
      tags: { season: '1', episode: '1', start: '00:00:02,000', end: '00:00:04,000' },
    });
    expect(sources.get('meld/dev/dia0_utt0')).toEqual({
      file: 'dev_sent_emo.csv',
      line: 2,
      start: 0,
      end: 2,
    });
  });

  it('reads C1 controls as the quotes that they were, keeps them in rawText, and says so once', () => {
    const csv = meldCsv(rows.train).replaceAll('\u2019', '\u0092');
    const { utterances, problems } = ofTrain(csv);
    expect(utterances[0]?.text).toBe('It is line number 0 of train, isn\u2019t it?');
    expect(utterances[0]?.rawText).toBe('It is line number 0 of train, isn\u0092t it?');
    expect(problems).toEqual([
      'warning train/train_sent_emo.csv:2: text-broken: expected typographic quotes as in the repository, found C1 controls in 12 rows: read as windows-1252 in text, kept in rawText',
    ]);
  });

  it('gives the same rows for the same annotations in another line order', () => {
    const sorted = (csv: string) => ofTrain(csv).utterances.sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(meldCsv([...rows.train].reverse()))).toEqual(sorted(meldCsv(rows.train)));
  });

  it('reports times that are not as they should be, and keeps the row', () => {
    const of = (StartTime: string, EndTime: string) => {
      const { utterances, problems } = ofTrain(changed({ StartTime, EndTime }));
      const { start, end } = utterances.find((row) => row.id === 'meld/train/dia0_utt0')?.tags ?? {};
      return [start, end, ...problems.map((one) => one.replace(/^.*: times: /, ''))];
    };
    expect(of('0:00:00,000', '00:00:02,50')).toEqual([
      '00:00:00,000',
      '00:00:02,050',
      "expected EndTime as HH:MM:SS,mmm, found '00:00:02,50', read as 00:00:02,050",
    ]);
    expect(of('00:00:01,000', '00:00:01,000')).toEqual([
      '00:00:01,000',
      '00:00:01,000',
      'expected an end after the start, found 00:00:01,000 to 00:00:01,000',
    ]);
    expect(of('soon', '')).toEqual([
      undefined,
      undefined,
      "expected StartTime as HH:MM:SS,mmm, found 'soon'",
      "expected EndTime as HH:MM:SS,mmm, found ''",
    ]);
  });

  it('reports numbers that are there twice, gaps, clips without rows, and rows that cannot be named', () => {
    const odd = changed({ 'Sr No.': '2', Emotion: '' })
      .split('\r\n')
      .filter((line) => !line.includes('number 5 of'))
      .join('\r\n');
    const more = meldCsv([
      ['99', 'Words.', 'A', 'joy', 'positive', '5', '0', '1', '1', '00:00:50,000', '00:00:51,000'],
      ['100', 'Words.', 'A', 'joy', 'positive', 'five', '0', '1', '1', '00:00:50,000', '00:00:51,000'],
      ['101', 'Again.', 'A', 'joy', 'positive', '5', '0', '1', '1', '00:00:50,000', '00:00:51,000'],
    ]).replace(/^.*\r\n/, '');
    const root = tree({ [tables.train]: odd + more, [`${clips.train}/final_videos_testdia0_utt0.mp4`]: '' });
    const csv = 'train/train_sent_emo.csv';
    expect(prepare(root).problems.sort()).toEqual([
      `error ${csv}:14: schema: expected a whole number in column Dialogue_ID, found 'five'`,
      `error ${csv}:15 meld/train/dia5_utt0: duplicate-id: expected each id once, found it again (first: ${csv}:13)`,
      `error ${csv}:2 meld/train/dia0_utt0: schema: expected an emotion, found none`,
      `error train/train_splits/dia1_utt1.mp4 meld/train/dia1_utt1: media-extra: expected a row of it in ${csv}, found none`,
      `error train/train_splits/final_videos_testdia0_utt0.mp4: media-extra: expected a row of it in ${csv}, found none`,
      `warning ${csv} meld/train/dia1: gap: expected utterances 0 to 3, found no 1`,
      `warning ${csv} meld/train/dia3: gap: expected dialogues 0 to 5, found no dialogues 3 to 4`,
      `warning ${csv}:3 meld/train/dia0_utt1: duplicate-number: expected each Sr No. once, found 2 again (first: line 2)`,
    ]);
  });

  it('says where clips are expected when there are none', () => {
    const root = temporaryFolder();
    putTables(root, rows);
    const { utterances, problems } = prepare(root);
    expect(utterances[0]?.media?.path).toBe('train/train_splits/dia0_utt0.mp4');
    expect(problems).toEqual([
      'warning train: layout: expected the clips of train in train_splits, found none',
      'warning .: layout: expected the clips of dev in dev_splits_complete, found none',
      'warning .: layout: expected the clips of test in output_repeated_splits_test, found none',
    ]);
  });
});

describe('annotations in trouble', () => {
  const csv = 'train/train_sent_emo.csv';

  it('lacks a column', () => {
    const columns = MELD_COLUMNS.map((column) => (column === 'Emotion' ? 'Feeling' : column));
    const { utterances, problems } = ofTrain(meldCsv(rows.train, columns));
    expect(utterances).toHaveLength(36);
    expect(utterances[0]?.rawLabel).toBeNull();
    expect(problems).toEqual([
      `error ${csv}:1: schema: expected a column 'Emotion', found columns ${columns.join(', ')}`,
    ]);
    const unnamed = MELD_COLUMNS.map((column) => (column === 'Dialogue_ID' ? 'Dialogue' : column));
    expect(ofTrain(meldCsv(rows.train, unnamed)).utterances).toHaveLength(24);
  });

  it('is in another encoding', () => {
    const latin = Buffer.from(changed({ Utterance: 'That\u0092s it.' }).replaceAll('\u2019', "'"), 'latin1');
    const { utterances, problems } = ofTrain(latin);
    expect(utterances[0]?.text).toBe('That\u2019s it.');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(`error ${csv}:2: encoding: expected UTF-8, found bytes read as windows-1252`);
    const utf16 = Buffer.from(`\ufeff${meldCsv(rows.train)}`, 'utf16le');
    expect(ofTrain(utf16).utterances).toEqual(ofTrain(meldCsv(rows.train)).utterances);
  });

  it('begins with a byte-order mark', () => {
    const { utterances, problems } = ofTrain(`\ufeff${meldCsv(rows.train)}`);
    expect(utterances).toHaveLength(36);
    expect(problems).toEqual([
      `warning ${csv}:1: encoding: expected UTF-8 without a byte-order mark, found one, passed over`,
    ]);
  });

  it('has LF in place of CRLF', () => {
    const { utterances, problems } = ofTrain(meldCsv(rows.train).replaceAll('\r\n', '\n'));
    expect(utterances).toEqual(ofTrain(meldCsv(rows.train)).utterances);
    expect(problems).toEqual([]);
  });

  it('ends in the middle of its last line', () => {
    const text = meldCsv(rows.train);
    const extra = `error train/train_splits/dia2_utt3.mp4 meld/train/dia2_utt3: media-extra: expected a row of it in ${csv}, found none`;
    expect(ofTrain(text.slice(0, text.lastIndexOf(',1,1,"'))).problems).toEqual([
      `error ${csv}:13: line: expected 11 fields, found 7`,
      extra,
    ]);
    expect(ofTrain(text.slice(0, -6)).problems).toEqual([
      `error ${csv}:13: line: expected a closing quote, found '00:00:24,' to the end of the file`,
      extra,
    ]);
  });

  it('has quotes inside quotes', () => {
    const quoted = changed({ Utterance: 'He said "go", and "stay".' });
    expect(ofTrain(quoted).utterances[0]?.text).toBe('He said "go", and "stay".');
    const broken = quoted.replace('""go""', '"go"');
    expect(ofTrain(broken).problems[0]).toBe(
      `error ${csv}:2: line: expected a delimiter after the closing quote, found 'go", and ""stay"".",train speaker 0,neut'`,
    );
    expect(ofTrain(broken).utterances).toHaveLength(35);
  });

  it('has 10 MB in one field', () => {
    const { utterances, problems } = ofTrain(changed({ Utterance: 'ab,'.repeat(3_500_000) }));
    expect(utterances).toHaveLength(35);
    expect(problems[0]).toMatch(
      new RegExp(
        `^error ${csv}:2: line: expected 65536 characters in a field or fewer, found 10500000 that begin`,
      ),
    );
    // and its clip and its place in the dialogue
    expect(problems.slice(1).map((one) => one.split(': ')[1])).toEqual(['gap', 'media-extra']);
  });

  it('is empty, or missing', () => {
    expect(ofTrain('').problems[0]).toMatch(
      `error ${csv}: layout: expected the annotations of train, found the table`,
    );
    const { utterances, problems } = prepare(tree({ [tables.train]: null, 'train.tar.gz': '' }));
    expect(utterances).toHaveLength(24);
    expect(problems).toEqual([
      'error train_sent_emo.csv: layout: expected the annotations of train, found train.tar.gz, which is still packed',
    ]);
  });
});

describe('a root in trouble', () => {
  const trouble = (files: Record<string, string>) => {
    const root = temporaryFolder();
    putFiles(root, files);
    try {
      prepareMeld(root, { dataset: 'meld' });
    } catch (error) {
      return (error as Error).message.replace(root, 'ROOT');
    }
    return '';
  };
  const expected =
    "no train_sent_emo.csv, dev_sent_emo.csv or test_sent_emo.csv in ROOT, expected MELD's raw release: found";

  it('is missing, or something else', () => {
    expect(() => prepareMeld('/nowhere/MELD.Raw', { dataset: 'meld' })).toThrow(
      'cannot read ROOT of meld: /nowhere/MELD.Raw: there is no such file or folder',
    );
    expect(trouble({ 'notes.txt': '' })).toBe(`${expected} neither annotations nor clips`);
    expect(trouble({ 'train_splits/dia0_utt0.mp4': '' })).toBe(
      `${expected} 1 clips without them: put the CSV files of MELD's repository beside them`,
    );
    expect(trouble({ 'MELD.Raw/train.tar.gz': '' })).toBe(
      `${expected} archives that are still packed: MELD.Raw/train.tar.gz: unpack them there`,
    );
  });
});
