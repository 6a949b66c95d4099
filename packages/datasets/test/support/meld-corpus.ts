import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDelimited } from '../../src/corpora/delimited.ts';
import { MELD_SPLITS, type MeldSplit } from '../../src/corpora/meld-files.ts';
import { parseMeldTime } from '../../src/corpora/meld-times.ts';
import { putFiles, sharedData } from '../support.ts';
import { clip, disguised, type ClipKind } from './clips.ts';

/** Columns of MELD's annotations, in their order. */
export const MELD_COLUMNS = [
  'Sr No.',
  'Utterance',
  'Speaker',
  'Emotion',
  'Sentiment',
  'Dialogue_ID',
  'Utterance_ID',
  'Season',
  'Episode',
  'StartTime',
  'EndTime',
] as const;
/** One line of the annotations: a cell for each column. */
export type MeldRow = readonly string[];
export type MeldRows = Readonly<Record<MeldSplit, readonly MeldRow[]>>;

/** Whole dialogues of the real annotations, those with every defect among them; undefined where they are absent. */
export function realRows(): MeldRows | undefined {
  const folder = sharedData('meld');
  if (folder === undefined) return undefined;
  const dialogues: Record<MeldSplit, readonly number[]> = {
    train: [0, 1, 2, 3, 12, 59, 61, 117, 125, 309, 437],
    dev: [0, 1, 49, 52, 66, 77, 110],
    test: [0, 1, 38, 85, 101, 108, 117, 155, 187, 220],
  };
  const rows = (split: MeldSplit) =>
    parseDelimited(readFileSync(join(folder, `${split}_sent_emo.csv`), 'utf8'), ',', true)
      .records.slice(1)
      .map((record) => record.fields)
      .filter((row) => dialogues[split].includes(Number(row[5])));
  return { train: rows('train'), dev: rows('dev'), test: rows('test') };
}

const EMOTIONS = ['neutral', 'joy', 'surprise', 'anger', 'sadness', 'disgust', 'fear'];
const SENTIMENTS = ['neutral', 'positive', 'negative', 'negative', 'negative', 'negative', 'negative'];

/** Invented dialogues of four turns of two seconds; each split has episodes, speakers and words of its own. */
export function inventedRows(dialogues = 3): MeldRows {
  const rows = (split: MeldSplit, place: number) =>
    Array.from({ length: 4 * dialogues }, (_, i): MeldRow => {
      const time = (seconds: number) =>
        `00:${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')},000`;
      const kind = i % EMOTIONS.length;
      return [
        String(i + 1),
        `It is line number ${i} of ${split}, isn\u2019t it?`,
        `${split} speaker ${i % 2}`,
        EMOTIONS[kind] as string,
        SENTIMENTS[kind] as string,
        String(Math.floor(i / 4)),
        String(i % 4),
        '1',
        String(place + 1),
        time(2 * i),
        time(2 * i + 2),
      ];
    });
  return { train: rows('train', 0), dev: rows('dev', 1), test: rows('test', 2) };
}

/** The annotations as MELD writes them: CRLF, quotes only where they are needed. */
export function meldCsv(rows: readonly MeldRow[], columns: readonly string[] = MELD_COLUMNS): string {
  const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** `dia0_utt0` */
export function nameOf(row: MeldRow): string {
  return `dia${row[5]}_utt${row[6]}`;
}

export interface MeldLayout {
  readonly tables: Readonly<Record<MeldSplit, string>>;
  readonly clips: Readonly<Record<MeldSplit, string>>;
}

/** Layouts that circulate: unpacked in the splits' folders, all beside each other, and below two more folders. */
export const MELD_LAYOUTS: Readonly<Record<'release' | 'flat' | 'deep', MeldLayout>> = {
  release: {
    tables: {
      train: 'train/train_sent_emo.csv',
      dev: 'dev_sent_emo.csv',
      test: 'test_sent_emo.csv',
    },
    clips: {
      train: 'train/train_splits',
      dev: 'dev/dev_splits_complete',
      test: 'test/output_repeated_splits_test',
    },
  },
  flat: {
    tables: { train: 'train_sent_emo.csv', dev: 'dev_sent_emo.csv', test: 'test_sent_emo.csv' },
    clips: { train: 'train_splits', dev: 'dev_splits_complete', test: 'output_repeated_splits_test' },
  },
  deep: {
    tables: {
      train: 'MELD-RAW/MELD.Raw/train/train_sent_emo.csv',
      dev: 'MELD-RAW/MELD.Raw/dev/dev_sent_emo.csv',
      test: 'MELD-RAW/MELD.Raw/test/test_sent_emo.csv',
    },
    clips: {
      train: 'MELD-RAW/MELD.Raw/train/train_splits',
      dev: 'MELD-RAW/MELD.Raw/dev/dev_splits_complete',
      test: 'MELD-RAW/MELD.Raw/test/output_repeated_splits_test',
    },
  },
};

/** Writes the annotations. */
export function putTables(root: string, rows: MeldRows, layout: MeldLayout = MELD_LAYOUTS.release): void {
  for (const split of MELD_SPLITS) putFiles(root, { [layout.tables[split]]: meldCsv(rows[split]) });
}

/**
 * Writes a clip for each row, as long as its times say: 5.1 at 48 kHz, of which every eighth is stereo, as in MELD.
 * @param instead by `train/dia0_utt0`: other bytes, or null for no file
 */
export function putClips(
  root: string,
  ffmpeg: string,
  rows: MeldRows,
  layout: MeldLayout = MELD_LAYOUTS.release,
  instead: Readonly<Record<string, Uint8Array | null>> = {},
): void {
  for (const split of MELD_SPLITS) {
    for (const row of rows[split]) {
      const name = nameOf(row);
      const other = instead[`${split}/${name}`];
      if (other === null) continue;
      const kind: ClipKind = Number(row[0]) % 8 === 7 ? 'stereo' : 'surround';
      const bytes = other ?? disguised(clip(ffmpeg, kind), lengthOf(row), `${split}/${name}`);
      putFiles(root, { [`${layout.clips[split]}/${name}.mp4`]: bytes });
    }
  }
}

function lengthOf(row: MeldRow): number {
  const [start, end] = [parseMeldTime(row[9] ?? ''), parseMeldTime(row[10] ?? '')];
  return start === null || end === null ? 1 : Math.max(0.064, end.seconds - start.seconds);
}
