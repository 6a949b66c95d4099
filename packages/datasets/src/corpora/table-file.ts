import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { readTextFile } from '../base/text-file.ts';
import { listFolder } from './adapter.ts';
import { parseDelimited, type DelimitedProblem, type DelimitedRecord } from './delimited.ts';
import { COLUMN_NAMES, type ColumnRole, type TableOptions } from './table-options.ts';

const DELIMITERS = { comma: ',', tab: '\t', semicolon: ';' } as const;

/** A table, read but not yet interpreted. */
export interface TableFile {
  /** Relative to the root. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly records: readonly DelimitedRecord[];
  readonly problems: readonly DelimitedProblem[];
  /** Lines that are not UTF-8 and were read as windows-1252. */
  readonly badLines: readonly number[];
  /** Quotes do not pair, so they were taken as characters of the text (tab-separated files only). */
  readonly literalQuotes: boolean;
}

/**
 * Finds and reads the table of a corpus.
 * @throws UserError where there is none, several to choose from, no header, or no row.
 */
export function readTable(root: string, folder: string, options: TableOptions): TableFile {
  const name = options.table ?? findTable(root, folder);
  const { text, badLines } = readTextFile(join(folder, name));
  const header = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter =
    options.delimiter === undefined ? detectDelimiter(header, name) : DELIMITERS[options.delimiter];
  const quoted = parseDelimited(text, delimiter, true);
  const literal = delimiter === '\t' && quoted.problems.length > 0;
  const { records, problems } = literal ? parseDelimited(text, delimiter, false) : quoted;
  const [first, ...rest] = records;
  if (first === undefined)
    throw new UserError(`the table ${join(folder, name)} is empty: expected a line of column names`);
  if (rest.length === 0) {
    throw new UserError(
      `the table ${join(folder, name)} has no row below its column names (${first.fields.join(', ')})`,
    );
  }
  const columns = first.fields.map((field) => field.trim());
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice !== undefined) {
    throw new UserError(
      `the table ${join(folder, name)} has two columns '${twice}': column names must differ`,
    );
  }
  return { name, columns, records: rest, problems, badLines, literalQuotes: literal };
}

function findTable(root: string, folder: string): string {
  if (statSync(root).isFile()) return basename(resolve(root));
  const tables = (listFolder(folder) ?? [])
    .map((entry) => entry.name)
    .filter((name) => /\.(csv|tsv)$/i.test(name));
  if (tables.length === 1) return tables[0] as string;
  if (tables.length === 0)
    throw new UserError(
      `no table in ${root}: expected one .csv or .tsv file, or name it with --columns table=FILE`,
    );
  throw new UserError(
    `${tables.length} tables in ${root}: choose one with --columns table=FILE: ${tables.join(', ')}`,
  );
}

/** The delimiter that occurs most often in the header, outside quotes; a tie goes to what the name's ending says. */
function detectDelimiter(header: string, name: string): string {
  const bare = header.replaceAll(/"[^"]*"/g, '');
  const preferred = /\.tsv$/i.test(name) ? '\t' : ',';
  const count = (delimiter: string) => bare.split(delimiter).length - 1;
  const candidates = [preferred, ...Object.values(DELIMITERS).filter((one) => one !== preferred)];
  return candidates.reduce((best, one) => (count(one) > count(best) ? one : best));
}

/** Index of the column of each role; null where the table has none. */
export type ColumnMap = Readonly<Record<ColumnRole, number | null>>;

/** Roles that every table must have (unless the options say that there is no text). */
const NEEDED: readonly ColumnRole[] = ['file', 'label', 'text'];

/**
 * Which column plays which role: as the options say, else by ordinary names, upper or lower case.
 * @throws UserError that says which columns there are, where one is missing.
 */
export function mapColumns(table: TableFile, options: TableOptions): ColumnMap {
  const there = `the columns of ${table.name} are ${table.columns.join(', ')}`;
  const lower = table.columns.map((column) => column.toLowerCase());
  const find = (role: ColumnRole): number | null => {
    const asked = options[role];
    if (asked === null) return null;
    if (asked !== undefined) {
      const exact = table.columns.indexOf(asked);
      const index = exact >= 0 ? exact : lower.indexOf(asked.toLowerCase());
      if (index < 0) throw new UserError(`no column '${asked}' (${role}): ${there}`);
      return index;
    }
    const name = COLUMN_NAMES[role].find((one) => lower.includes(one));
    if (name !== undefined) return lower.indexOf(name);
    if (!NEEDED.includes(role)) return null;
    const none = role === 'text' ? ', or map text to null where the corpus has none' : '';
    throw new UserError(`no column for the ${role}: ${there}; name one with --columns ${role}=NAME${none}`);
  };
  const roles = Object.keys(COLUMN_NAMES) as ColumnRole[];
  const map = Object.fromEntries(roles.map((role) => [role, find(role)])) as Record<
    ColumnRole,
    number | null
  >;
  if (map.speaker === null && map.split === null && map.session === null) {
    throw new UserError(
      `no column for the speaker, session or split, so no folds: ${there}; name one with --columns speaker=NAME (or session, split)`,
    );
  }
  return map;
}
