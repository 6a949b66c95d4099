import { basename } from 'node:path';
import { UserError } from '../base/errors.ts';
import { readTextFile, type TextFile } from '../base/text-file.ts';
import type { Finding, FindingKind, FindingLevel } from '../manifest/finding.ts';
import { parseDelimited, type DelimitedProblem, type DelimitedRecord } from './delimited.ts';
import { jsonTable, parseJsonLines } from './json-lines.ts';

export const DELIMITERS = { comma: ',', tab: '\t', semicolon: ';' } as const;
/** Names of files that hold records; each may also be packed (`.gz`). */
export const RECORD_FILE = /\.(csv|tsv|jsonl|ndjson)(\.gz)?$/i;
const JSON_LINES = /\.(jsonl|ndjson)(\.gz)?$/i;

/** A CSV, TSV or JSONL file, read but not yet interpreted. */
export interface RecordFile {
  /** As it is named in findings: relative to the root. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly records: readonly DelimitedRecord[];
  readonly problems: readonly DelimitedProblem[];
  /** Lines that are not UTF-8 and were read as windows-1252. */
  readonly badLines: readonly number[];
  readonly encoding: TextFile['encoding'];
  /** The file begins with a byte-order mark. */
  readonly mark: boolean;
  /** Quotes do not pair, so they were taken as characters of the text (tab-separated files only). */
  readonly literalQuotes: boolean;
}

/**
 * Reads a file of records: JSONL by the ending of its name, else CSV or TSV with a line of column names.
 * @param name how findings call it; its own name when not given
 * @throws UserError where it cannot be read, or holds no column names or no record.
 */
export function readRecordFile(
  file: string,
  name = basename(file),
  delimiter?: keyof typeof DELIMITERS,
): RecordFile {
  const content = readTextFile(file);
  const read = JSON_LINES.test(file)
    ? readJson(file, content.text)
    : readCells(file, content.text, delimiter);
  const { badLines, encoding, mark } = content;
  return { name, badLines, encoding, mark, ...read };
}

type Cells = Pick<RecordFile, 'columns' | 'records' | 'problems' | 'literalQuotes'>;

function readJson(file: string, text: string): Cells {
  const table = jsonTable(parseJsonLines(text));
  if (table.records.length === 0) {
    const first = table.problems[0];
    const found = first === undefined ? 'an empty file' : `${first.found} in line ${first.line}`;
    throw new UserError(`${file} holds no record: expected JSONL, a JSON object a line, found ${found}`);
  }
  return { ...table, literalQuotes: false };
}

function readCells(file: string, text: string, asked: keyof typeof DELIMITERS | undefined): Cells {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter = asked === undefined ? detectDelimiter(header, file) : DELIMITERS[asked];
  const quoted = parseDelimited(text, delimiter, true);
  const plain =
    delimiter === '\t' && quoted.problems.length > 0 ? parseDelimited(text, delimiter, false) : quoted;
  const literal = plain.problems.length < quoted.problems.length;
  const { records, problems } = literal ? plain : quoted;
  const [first, ...rest] = records;
  if (first === undefined) throw new UserError(`the table ${file} is empty: expected a line of column names`);
  if (rest.length === 0 && problems.length === 0) {
    throw new UserError(`the table ${file} has no row below its column names (${first.fields.join(', ')})`);
  }
  const columns = first.fields.map((field) => field.trim());
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice !== undefined) {
    throw new UserError(`the table ${file} has two columns '${twice}': column names must differ`);
  }
  return { columns, records: rest, problems, literalQuotes: literal };
}

/** The delimiter that occurs most often in the header, outside quotes; a tie goes to what the name's ending says. */
function detectDelimiter(header: string, name: string): string {
  const bare = header.replaceAll(/"[^"]*"/g, '');
  const preferred = /\.tsv(\.gz)?$/i.test(name) ? '\t' : ',';
  const count = (delimiter: string) => bare.split(delimiter).length - 1;
  const candidates = [preferred, ...Object.values(DELIMITERS).filter((one) => one !== preferred)];
  return candidates.reduce((best, one) => (count(one) > count(best) ? one : best));
}

/** What reading the file showed: its encoding, and lines that are no records. */
export function readingFindings(file: Omit<RecordFile, 'columns' | 'records'>): Finding[] {
  const finding = (
    kind: FindingKind,
    level: FindingLevel,
    line: number | null,
    expected: string,
    found: string,
  ) => ({
    kind,
    level,
    id: null,
    file: file.name,
    line,
    expected,
    found,
  });
  const findings: Finding[] = [];
  if (file.encoding !== 'utf-8') {
    findings.push(finding('encoding', 'warning', 1, 'UTF-8', `${file.encoding.toUpperCase()}, read as such`));
  } else if (file.mark) {
    findings.push(finding('encoding', 'warning', 1, 'UTF-8 without a byte-order mark', 'one, passed over'));
  }
  const guessed = 'bytes read as windows-1252: save the table as UTF-8';
  for (const line of file.badLines) findings.push(finding('encoding', 'error', line, 'UTF-8', guessed));
  for (const { line, expected, found } of file.problems)
    findings.push(finding('line', 'error', line, expected, found));
  if (file.literalQuotes) {
    const found = 'others: quotes are read as characters';
    findings.push(finding('line', 'warning', null, 'quotes in pairs', found));
  }
  return findings;
}

/** A record with another number of fields than there are columns; null where it has all. */
export function fieldCountFinding(file: RecordFile, record: DelimitedRecord): Finding | null {
  const [found, expected] = [record.fields.length, file.columns.length];
  if (found === expected) return null;
  const place = { id: null, file: file.name, line: record.line };
  return { kind: 'line', level: 'error', ...place, expected: `${expected} fields`, found: String(found) };
}
