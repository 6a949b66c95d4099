import { UserErrors } from '../base/errors.ts';
import { normaliseText } from '../manifest/normalise.ts';
import type { Utterance } from '../manifest/utterance.ts';
import { RowCollector, rootFolder, type Prepared, type PrepareOptions, type Source } from './adapter.ts';
import type { DelimitedRecord } from './delimited.ts';
import { deriveTableCard } from './table-card.ts';
import { mapColumns, readTable, type ColumnMap, type TableFile } from './table-file.ts';
import { findAudioFolder, resolveFile, withoutEnding } from './table-media.ts';
import type { ColumnRole } from './table-options.ts';

/**
 * Any corpus that is a CSV or TSV table and a folder of recordings. The root is the folder of the table, or the
 * table itself. One row is one utterance; ids are `<dataset>/<file without its ending>`, or come from an id column.
 * The card is derived from the rows.
 */
export function prepareTable(root: string, options: PrepareOptions): Prepared {
  const folder = rootFolder(root, options.dataset);
  const mapping = options.table ?? {};
  const table = readTable(root, folder, mapping);
  const columns = mapColumns(table, mapping);
  const rows = new RowCollector();
  reportReading(table, rows);
  const whole = table.records.filter((record) => hasAllFields(record, table, rows));
  const files = whole.map((record) => cell(record, columns, 'file')).filter((file) => file !== null);
  const audio = findAudioFolder(folder, mapping.audio, files);
  for (const record of whole)
    addRow({ folder, audio, dataset: options.dataset, table, columns, rows }, record);
  if (rows.utterances.length === 0) {
    const lines = rows.problems.map((p) => `${p.file}:${p.line}: expected ${p.expected}, found ${p.found}`);
    throw new UserErrors([`the table ${table.name} has no row that can be used`, ...lines.slice(0, 10)]);
  }
  return {
    utterances: rows.utterances,
    problems: rows.problems,
    sources: rows.sources,
    card: deriveTableCard(options.dataset, rows.utterances),
  };
}

function reportReading(table: TableFile, rows: RowCollector): void {
  const file = table.name;
  for (const line of table.badLines) {
    rows.report(
      'encoding',
      'error',
      { file, line },
      'UTF-8',
      'bytes read as windows-1252: save the table as UTF-8',
    );
  }
  for (const { line, expected, found } of table.problems)
    rows.report('line', 'error', { file, line }, expected, found);
  if (table.literalQuotes) {
    rows.report(
      'line',
      'warning',
      { file, line: null },
      'quotes in pairs',
      'others: quotes are read as characters',
    );
  }
}

function hasAllFields(record: DelimitedRecord, table: TableFile, rows: RowCollector): boolean {
  const [found, expected] = [record.fields.length, table.columns.length];
  if (found === expected) return true;
  rows.report('line', 'error', { file: table.name, line: record.line }, `${expected} fields`, `${found}`);
  return false;
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
  readonly table: TableFile;
  readonly columns: ColumnMap;
  readonly rows: RowCollector;
}

function addRow(context: RowContext, record: DelimitedRecord): void {
  const { folder, audio, dataset, table, columns, rows } = context;
  const source: Source = { file: table.name, line: record.line };
  const file = cell(record, columns, 'file');
  if (file === null) {
    rows.report('schema', 'error', source, `a file in column ${table.columns[columns.file ?? 0]}`, 'nothing');
    return;
  }
  const turn = cell(record, columns, 'turn');
  if (turn !== null && !/^\d+$/.test(turn)) {
    rows.report(
      'schema',
      'error',
      source,
      `a whole number in column ${table.columns[columns.turn ?? 0]}`,
      `'${turn}'`,
    );
    return;
  }
  const rawText = columns.text === null ? '' : (record.fields[columns.text] ?? '');
  const row: Utterance = {
    id: `${dataset}/${cell(record, columns, 'id') ?? withoutEnding(folder, file)}`,
    dataset,
    split: cell(record, columns, 'split'),
    session: cell(record, columns, 'session'),
    dialogue: cell(record, columns, 'dialogue'),
    turn: turn === null ? null : Number(turn),
    speaker: cell(record, columns, 'speaker'),
    rawLabel: cell(record, columns, 'label'),
    annotations: [],
    text: normaliseText(rawText),
    rawText,
    textSource: 'corpus',
    media: {
      path: resolveFile(folder, audio, file),
      sha256: null,
      seconds: null,
      sampleRate: null,
      channels: null,
    },
    tags: {},
  };
  rows.add(row, source);
}
