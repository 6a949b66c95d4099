import { dirname, join, posix } from 'node:path';
import { UserError } from '../base/errors.ts';
import { normaliseText } from '../manifest/normalise.ts';
import type { Finding, FindingKind, FindingLevel } from '../manifest/finding.ts';
import type { Utterance } from '../manifest/utterance.ts';
import { RowCollector, rootFolder, type Prepared, type PrepareOptions, type Source } from './adapter.ts';
import type { DelimitedRecord } from './delimited.ts';
import { clipName, findMeldFiles, MELD_SPLITS, type MeldFiles, type MeldSplit } from './meld-files.ts';
import { parseMeldTime, type MeldTime } from './meld-times.ts';
import { fieldCountFinding, readingFindings, readRecordFile, type RecordFile } from './record-file.ts';

/**
 * MELD: a multimodal multi-party dataset for emotion recognition in conversations (Poria et al., ACL 2019), the raw
 * release (mp4 clips and CSV annotations) in any of the layouts in which it circulates, for instance
 *
 *     MELD.Raw/train/train_sent_emo.csv       MELD.Raw/train/train_splits/diaX_uttY.mp4
 *     MELD.Raw/dev_sent_emo.csv               MELD.Raw/dev/dev_splits_complete/diaX_uttY.mp4
 *     MELD.Raw/test_sent_emo.csv              MELD.Raw/test/output_repeated_splits_test/diaX_uttY.mp4
 *
 * An utterance is a line of the annotations; clips without one are reported and left out, as its authors advise.
 * (dialogue, utterance) is unique within a split only, so dialogues carry the split. `turn` is MELD's own number, which
 * has gaps. Tags: season and episode, and start and end in the episode as `HH:MM:SS,mmm`.
 */
export function prepareMeld(root: string, options: PrepareOptions): Prepared {
  const base = rootFolder(root, options.dataset);
  const rows = new RowCollector();
  const files = findMeldFiles(base, rows);
  if (files.tables.size === 0) throw wrongLayout(root, files);
  for (const split of MELD_SPLITS) readSplit({ base, split, files, dataset: options.dataset, rows });
  return rows;
}

function wrongLayout(root: string, files: MeldFiles): UserError {
  const clips = MELD_SPLITS.reduce((sum, split) => sum + files.clips[split].size, 0);
  const found =
    files.archives.length > 0
      ? `archives that are still packed: ${files.archives.slice(0, 3).join(', ')}: unpack them there`
      : clips > 0
        ? `${clips} clips without them: put the CSV files of MELD's repository beside them`
        : 'neither annotations nor clips';
  return new UserError(
    `no train_sent_emo.csv, dev_sent_emo.csv or test_sent_emo.csv in ${root}, expected MELD's raw release: found ${found}`,
  );
}

interface SplitContext {
  readonly base: string;
  readonly split: MeldSplit;
  readonly files: MeldFiles;
  readonly dataset: string;
  readonly rows: RowCollector;
}

/** Names of the folders in the release. */
const CLIP_FOLDERS = {
  train: 'train_splits',
  dev: 'dev_splits_complete',
  test: 'output_repeated_splits_test',
} as const;

function readSplit(context: SplitContext): void {
  const { base, split, files, rows } = context;
  const name = files.tables.get(split);
  if (name === undefined) {
    const archive = files.archives.find((path) => posix.basename(path).startsWith(split));
    const found = archive === undefined ? 'none' : `${archive}, which is still packed`;
    const file = `${split}_sent_emo.csv`;
    rows.report('layout', 'error', { file, line: null }, `the annotations of ${split}`, found);
    return;
  }
  let table: RecordFile;
  try {
    table = readRecordFile(join(base, name), name, 'comma');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    rows.report('layout', 'error', { file: name, line: null }, `the annotations of ${split}`, error.message);
    return;
  }
  rows.problems.push(...readingFindings(table));
  const columns = mapColumns(table, rows);
  if (columns === null) return;
  const folder = files.folders.get(split);
  if (folder === undefined) {
    const expected = `the clips of ${split} in ${CLIP_FOLDERS[split]}`;
    rows.report('layout', 'warning', { file: dirname(name), line: null }, expected, 'none');
  }
  const place = folder ?? posix.join(posix.dirname(name), CLIP_FOLDERS[split]);
  const reading = new TableReading(context, table, columns, place);
  for (const record of table.records) reading.take(record);
  reading.finish();
}

/** Columns that each CSV has; a row cannot be named without the first two. */
const COLUMNS = {
  dialogue: 'Dialogue_ID',
  utterance: 'Utterance_ID',
  number: 'Sr No.',
  text: 'Utterance',
  speaker: 'Speaker',
  emotion: 'Emotion',
  sentiment: 'Sentiment',
  season: 'Season',
  episode: 'Episode',
  start: 'StartTime',
  end: 'EndTime',
} as const;
type Role = keyof typeof COLUMNS;

/** Index of each column, -1 for one that is missing; null where rows cannot be named. */
function mapColumns(table: RecordFile, rows: RowCollector): Record<Role, number> | null {
  const there = table.columns.map((column) => column.toLowerCase());
  const entries = Object.entries(COLUMNS).map(
    ([role, name]) => [role, there.indexOf(name.toLowerCase())] as const,
  );
  for (const [role, index] of entries) {
    if (index >= 0) continue;
    const found = `columns ${table.columns.join(', ')}`;
    rows.report(
      'schema',
      'error',
      { file: table.name, line: 1 },
      `a column '${COLUMNS[role as Role]}'`,
      found,
    );
  }
  const map = Object.fromEntries(entries) as Record<Role, number>;
  return map.dialogue < 0 || map.utterance < 0 ? null : map;
}

/** C1 controls: windows-1252 punctuation that somebody read as Latin-1. */
const C1 = /[\u0080-\u009f]/;

/** Reads the rows of one split, and what only the whole of them shows. */
class TableReading {
  private readonly context: SplitContext;
  private readonly table: RecordFile;
  private readonly columns: Record<Role, number>;
  private readonly folder: string;
  /** Line of the first row of each `Sr No.`. */
  private readonly numbers = new Map<string, number>();
  /** Utterance numbers of each dialogue. */
  private readonly dialogues = new Map<number, Set<number>>();
  private readonly damagedText: number[] = [];

  constructor(context: SplitContext, table: RecordFile, columns: Record<Role, number>, folder: string) {
    this.context = context;
    this.table = table;
    this.columns = columns;
    this.folder = folder;
  }

  take(record: DelimitedRecord): void {
    const { rows, split, dataset, files } = this.context;
    const wrong = fieldCountFinding(this.table, record);
    if (wrong !== null) {
      rows.problems.push(wrong);
      return;
    }
    const dialogue = this.wholeNumber(record, 'dialogue');
    const utterance = this.wholeNumber(record, 'utterance');
    if (dialogue === null || utterance === null) return;
    const name = clipName(dialogue, utterance);
    const id = `${dataset}/${split}/${name}`;
    const rawText = this.columns.text < 0 ? '' : (record.fields[this.columns.text] ?? '');
    if (C1.test(rawText)) this.damagedText.push(record.line);
    const times = this.readTimes(record, id);
    const tags = {
      season: this.cell(record, 'season'),
      episode: this.cell(record, 'episode'),
      start: times.start?.text ?? null,
      end: times.end?.text ?? null,
    };
    const sentiment = this.cell(record, 'sentiment');
    const speaker = this.cell(record, 'speaker');
    const row: Utterance = {
      id,
      dataset,
      split,
      session: null,
      dialogue: `${split}/dia${dialogue}`,
      turn: utterance,
      speaker: speaker === null ? null : normaliseText(speaker),
      rawLabel: this.cell(record, 'emotion'),
      annotations: sentiment === null ? [] : [{ annotator: 'consensus', sentiment }],
      text: normaliseText(rawText),
      rawText,
      textSource: 'corpus',
      media: {
        path: files.clips[split].get(name) ?? `${this.folder}/${name}.mp4`,
        sha256: null,
        seconds: null,
        sampleRate: null,
        channels: null,
      },
      tags: Object.fromEntries(Object.entries(tags).filter((tag) => tag[1] !== null)) as Utterance['tags'],
    };
    const source: Source = {
      file: this.table.name,
      line: record.line,
      ...(times.start && { start: times.start.seconds }),
      ...(times.end && { end: times.end.seconds }),
    };
    if (!rows.add(row, source)) return;
    const known = this.dialogues.get(dialogue) ?? new Set();
    this.dialogues.set(dialogue, known.add(utterance));
    this.checkNumber(record, id);
    if (row.rawLabel === null && this.columns.emotion >= 0)
      this.report('schema', 'error', id, record.line, 'an emotion', 'none');
  }

  /** Reports gaps, text of the other encoding, and clips without a row. */
  finish(): void {
    const { rows, split, dataset, files } = this.context;
    this.reportGaps();
    const [firstDamaged] = this.damagedText;
    if (firstDamaged !== undefined) {
      const found = `C1 controls in ${this.damagedText.length} rows: read as windows-1252 in text, kept in rawText`;
      const expected = 'typographic quotes as in the repository';
      this.report('text-broken', 'warning', null, firstDamaged, expected, found);
    }
    const expected = `a row of it in ${this.table.name}`;
    const extra = { kind: 'media-extra', level: 'error', line: null, expected, found: 'none' } as const;
    for (const [name, file] of files.clips[split]) {
      const id = `${dataset}/${split}/${name}`;
      if (!rows.sources.has(id)) rows.problems.push({ ...extra, id, file });
    }
    for (const clip of files.oddClips) {
      if (clip.split === split) rows.problems.push({ ...extra, id: null, file: clip.path });
    }
  }

  /** The cell of a column, trimmed; null where it is empty or the column is missing. */
  private cell(record: DelimitedRecord, role: Role): string | null {
    const value = this.columns[role] < 0 ? '' : (record.fields[this.columns[role]] ?? '').trim();
    return value === '' ? null : value;
  }

  private wholeNumber(record: DelimitedRecord, role: Role): number | null {
    const text = this.cell(record, role) ?? '';
    if (/^\d{1,5}$/.test(text)) return Number(text);
    this.report(
      'schema',
      'error',
      null,
      record.line,
      `a whole number in column ${COLUMNS[role]}`,
      `'${text}'`,
    );
    return null;
  }

  private readTimes(record: DelimitedRecord, id: string): { start: MeldTime | null; end: MeldTime | null } {
    const [start, end] = (['start', 'end'] as const).map((role) => {
      const text = this.cell(record, role);
      const time = text === null ? null : parseMeldTime(text);
      if (this.columns[role] >= 0 && time?.regular !== true) {
        const found = time === null ? `'${text ?? ''}'` : `'${text}', read as ${time.text}`;
        this.report('times', 'warning', id, record.line, `${COLUMNS[role]} as HH:MM:SS,mmm`, found);
      }
      return time;
    }) as [MeldTime | null, MeldTime | null];
    if (start !== null && end !== null && end.seconds <= start.seconds) {
      const found = `${start.text} to ${end.text}`;
      this.report('times', 'warning', id, record.line, 'an end after the start', found);
    }
    return { start, end };
  }

  private checkNumber(record: DelimitedRecord, id: string): void {
    const number = this.cell(record, 'number');
    if (number === null) return;
    const first = this.numbers.get(number);
    if (first === undefined) this.numbers.set(number, record.line);
    else
      this.report(
        'duplicate-number',
        'warning',
        id,
        record.line,
        'each Sr No. once',
        `${number} again (first: line ${first})`,
      );
  }

  private reportGaps(): void {
    const { split, dataset } = this.context;
    const id = (dialogue: number) => `${dataset}/${split}/dia${dialogue}`;
    const last = Math.max(-1, ...this.dialogues.keys());
    for (const [from, to] of absentRuns(this.dialogues, last)) {
      const found = from === to ? `no dialogue ${from}` : `no dialogues ${from} to ${to}`;
      this.report('gap', 'warning', id(from), null, `dialogues 0 to ${last}`, found);
    }
    for (const [dialogue, known] of this.dialogues) {
      const end = Math.max(...known);
      const runs = absentRuns(known, end).map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`));
      if (runs.length === 0) continue;
      this.report('gap', 'warning', id(dialogue), null, `utterances 0 to ${end}`, `no ${runs.join(', ')}`);
    }
  }

  private report(
    kind: FindingKind,
    level: FindingLevel,
    id: string | null,
    line: number | null,
    expected: string,
    found: string,
  ): void {
    const finding: Finding = { kind, level, id, file: this.table.name, line, expected, found };
    this.context.rows.problems.push(finding);
  }
}

/** First and last of each run of numbers from 0 to `end` that a set lacks. */
function absentRuns(known: { has(number: number): boolean }, end: number): [number, number][] {
  const runs: [number, number][] = [];
  for (let i = 0; i <= end; i++) {
    if (known.has(i)) continue;
    const run = runs.at(-1);
    if (run?.[1] === i - 1) run[1] = i;
    else runs.push([i, i]);
  }
  return runs;
}
