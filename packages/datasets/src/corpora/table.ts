import { UserError, UserErrors } from '../base/errors.ts';
import { describeFinding } from '../manifest/finding.ts';
import { RowCollector, rootFolder, type Prepared, type PrepareOptions, type Source } from './adapter.ts';
import type { DelimitedRecord } from './delimited.ts';
import { prepareKaldi } from './kaldi.ts';
import { prepareLhotse } from './lhotse.ts';
import { fieldCountFinding, readingFindings, type RecordFile } from './record-file.ts';
import { deriveTableCard } from './table-card.ts';
import { detectFormat } from './table-format.ts';
import { mapColumns, readTable, type ColumnMap } from './table-file.ts';
import { findAudioFolder, resolveFile, withoutEnding } from './table-media.ts';
import type { ColumnRole, TableOptions } from './table-options.ts';
import { addTableRow, endOf, parseSeconds } from './table-row.ts';

/**
 * Any corpus without an adapter of its own: a table and a folder of recordings, a Kaldi data folder, or Lhotse
 * manifests, as the options say or as the files show.
 */
export function prepareTable(root: string, options: PrepareOptions): Prepared {
  const folder = rootFolder(root, options.dataset);
  const format = detectFormat(root, folder, options.table ?? {});
  if (format !== 'table' && options.table?.tags !== undefined)
    throw new UserError(
      `${root} is read as ${format === 'kaldi' ? 'a Kaldi data folder' : 'Lhotse manifests'}: only columns of a table can be tags (tags.NAME=COLUMN); leave tags out`,
    );
  if (format === 'kaldi') return prepareKaldi(root, options);
  return format === 'lhotse' ? prepareLhotse(root, options) : prepareRecords(root, folder, options);
}

/**
 * A CSV, TSV or JSONL table. The root is the folder of the table, or the table itself. One row is one utterance; ids
 * are `<dataset>/<file without its ending>`, or come from an id column. The card is derived from the rows.
 *
 * Columns that the options name as start, end and duration make segments. Those that are only called so do it where
 * some recording has several rows; where each row has a recording of its own they are taken for times that somebody
 * annotated, against which the recording's length is checked.
 */
function prepareRecords(root: string, folder: string, options: PrepareOptions): Prepared {
  const mapping = options.table ?? {};
  const table = readTable(root, folder, mapping);
  const { columns, tags, findings } = mapColumns(table, mapping);
  const rows = new RowCollector();
  rows.problems.push(...readingFindings(table), ...findings);
  const whole = table.records.filter((record) => {
    const problem = fieldCountFinding(table, record);
    if (problem !== null) rows.problems.push(problem);
    return problem === null;
  });
  const files = whole.map((record) => cell(record, columns, 'file')).filter((file) => file !== null);
  const context: RowContext = {
    folder,
    audio: findAudioFolder(folder, mapping.audio, files),
    dataset: options.dataset,
    table,
    columns,
    tags,
    rows,
    segments: namesSegments(mapping) || new Set(files).size < files.length,
  };
  for (const record of whole) addRow(context, record);
  if (rows.utterances.length === 0) {
    const lines = rows.problems.map(describeFinding);
    throw new UserErrors([`the table ${table.name} has no row that can be used`, ...lines.slice(0, 10)]);
  }
  const { utterances, problems, sources } = rows;
  const card = options.carded === true ? {} : { card: deriveTableCard(options.dataset, utterances) };
  return { utterances, problems, sources, ...card };
}

function namesSegments({ start, end, duration }: TableOptions): boolean {
  return [start, end, duration].some((column) => typeof column === 'string');
}

/** The cell of a role, trimmed; null where there is no such column or the cell is empty. */
function cell(record: DelimitedRecord, columns: ColumnMap, role: ColumnRole): string | null {
  const index = columns[role];
  const value = index === null ? '' : (record.fields[index] ?? '').trim();
  return value === '' ? null : value;
}

interface RowContext {
  readonly folder: string;
  readonly audio: string;
  readonly dataset: string;
  readonly table: RecordFile;
  readonly columns: ColumnMap;
  readonly tags: Readonly<Record<string, number>>;
  readonly rows: RowCollector;
  /** Start, end and duration cut a segment out of the recording. */
  readonly segments: boolean;
}

function addRow(context: RowContext, record: DelimitedRecord): void {
  const { folder, audio, dataset, table, columns, rows } = context;
  const source: Source = { file: table.name, line: record.line };
  const value = (role: ColumnRole) => cell(record, columns, role);
  const wrong = (role: ColumnRole, expected: string, found: string) =>
    rows.report(
      'schema',
      'error',
      source,
      `${expected} in column ${table.columns[columns[role] ?? 0]}`,
      found,
    );
  const file = value('file');
  if (file === null) return wrong('file', 'a file', 'nothing');
  for (const role of ['turn', 'channel'] as const) {
    const number = value(role);
    if (number !== null && !/^\d+$/.test(number)) return wrong(role, 'a whole number', `'${number}'`);
  }
  const bounds = { start: value('start'), end: value('end'), duration: value('duration') };
  for (const [role, text] of Object.entries(bounds)) {
    if (context.segments && text !== null && parseSeconds(text) === null)
      return wrong(role as keyof typeof bounds, 'seconds', `'${text}'`);
  }
  const times = timesOf(bounds);
  const segment = context.segments ? times : {};
  const [turn, channel] = [value('turn'), value('channel')];
  addTableRow(
    rows,
    dataset,
    {
      id: value('id') ?? withoutEnding(folder, file) + segmentName(segment),
      path: resolveFile(folder, audio, file),
      ...segment,
      channel: channel === null ? undefined : Number(channel),
      label: value('label'),
      text: columns.text === null ? '' : (record.fields[columns.text] ?? ''),
      speaker: value('speaker'),
      split: value('split'),
      session: value('session'),
      dialogue: value('dialogue'),
      turn: turn === null ? null : Number(turn),
      tags: tagsOf(record, context.tags),
    },
    context.segments ? source : { ...source, ...times },
  );
}

/** The row's tags; an empty cell gives none. */
function tagsOf(record: DelimitedRecord, columns: Readonly<Record<string, number>>): Record<string, string> {
  const cells = Object.entries(columns).map(([name, i]) => [name, (record.fields[i] ?? '').trim()] as const);
  return Object.fromEntries(cells.filter(([, value]) => value !== ''));
}

interface Times {
  readonly start?: number;
  readonly end?: number;
}

/** Start and end in seconds; a duration stands in for an end. What is no number is left out. */
function timesOf(bounds: Readonly<Record<'start' | 'end' | 'duration', string | null>>): Times {
  const [start, end, duration] = [bounds.start, bounds.end, bounds.duration].map((text) =>
    text === null ? null : parseSeconds(text),
  );
  const last = end ?? (typeof duration === 'number' ? endOf(start ?? 0, duration) : null);
  // a row with one bound in a table of whole recordings says nothing of their length
  return { ...(typeof start === 'number' && { start }), ...(typeof last === 'number' && { end: last }) };
}

/** `-0001500-0003250`: start and end in milliseconds, as Kaldi's recipes name segments; nothing for whole recordings. */
function segmentName({ start, end }: Times): string {
  if (start === undefined && end === undefined) return '';
  const name = (seconds: number) => `-${String(Math.round(seconds * 1000)).padStart(7, '0')}`;
  return name(start ?? 0) + (end === undefined ? '' : name(end));
}
