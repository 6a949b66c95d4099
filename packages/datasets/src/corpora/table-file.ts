import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError, UserErrors } from '../base/errors.ts';
import type { Finding } from '../manifest/finding.ts';
import { listFolder } from './adapter.ts';
import { readRecordFile, RECORD_FILE, type RecordFile } from './record-file.ts';
import { COLUMN_NAMES, type ColumnRole, type TableOptions } from './table-options.ts';

/**
 * Finds and reads the table of a corpus.
 * @throws UserError where there is none, several to choose from, no header, or no row.
 */
export function readTable(root: string, folder: string, options: TableOptions): RecordFile {
  const name = options.table ?? findTable(root, folder);
  return readRecordFile(join(folder, name), name, options.delimiter);
}

function findTable(root: string, folder: string): string {
  if (statSync(root).isFile()) return basename(resolve(root));
  const tables = (listFolder(folder) ?? [])
    .map((entry) => entry.name)
    .filter((name) => RECORD_FILE.test(name));
  if (tables.length === 1) return tables[0] as string;
  if (tables.length === 0)
    throw new UserError(
      `no table in ${root}: expected one .csv, .tsv or .jsonl file, or name it with --columns table=FILE`,
    );
  throw new UserError(
    `${tables.length} tables in ${root}: choose one with --columns table=FILE: ${tables.join(', ')}`,
  );
}

/** Index of the column of each role; null where the table has none. */
export type ColumnMap = Readonly<Record<ColumnRole, number | null>>;

/** Which column plays which role, and what is missing that the pass can do without. */
export interface ColumnMapping {
  readonly columns: ColumnMap;
  /** Index of the column of each tag that the options name. */
  readonly tags: Readonly<Record<string, number>>;
  readonly findings: Finding[];
}

/** Ordinary names of columns, per role. */
export type ColumnNames = Readonly<Record<ColumnRole, readonly string[]>>;

/**
 * Which column plays which role: as the options say, else by ordinary names, upper or lower case. A table without a
 * text is a finding; without files, labels or anything to make folds of there is nothing to go on with.
 * @throws UserErrors that say which columns there are, one line for each that is missing.
 */
export function mapColumns(
  table: Pick<RecordFile, 'name' | 'columns'>,
  options: TableOptions,
  names: ColumnNames = COLUMN_NAMES,
): ColumnMapping {
  const there = `the columns of ${table.name} are ${table.columns.join(', ')}`;
  const problems: string[] = [];
  const roles = Object.keys(COLUMN_NAMES) as ColumnRole[];
  const columns = Object.fromEntries(
    roles.map((role) => {
      const asked = options[role];
      const index = findColumn(table.columns, asked, names[role]);
      if (typeof asked === 'string' && index === null)
        problems.push(`no column '${asked}' (${role}): ${there}`);
      return [role, index];
    }),
  ) as Record<ColumnRole, number | null>;
  const tags: Record<string, number> = {};
  for (const [name, asked] of Object.entries(options.tags ?? {})) {
    const index = findColumn(table.columns, asked, []);
    if (index === null) problems.push(`no column '${asked}' (tags.${name}): ${there}`);
    else tags[name] = index;
  }
  for (const role of ['file', 'label'] as const) {
    if (columns[role] === null && options[role] === undefined)
      problems.push(`no column for the ${role}: ${there}; name one with --columns ${role}=NAME`);
  }
  const foldable = (['speaker', 'split', 'session'] as const).some(
    (role) => columns[role] !== null || typeof options[role] === 'string',
  );
  if (!foldable) {
    problems.push(
      `no column for the speaker, session or split, so no folds: ${there}; name one with --columns speaker=NAME (or session, split)`,
    );
  }
  if (problems.length > 0) throw new UserErrors(problems);
  const textless = columns.text === null && options.text !== null;
  return { columns, tags, findings: textless ? [noText(table)] : [] };
}

function findColumn(
  columns: readonly string[],
  asked: string | null | undefined,
  names: readonly string[],
): number | null {
  if (asked === null) return null;
  const lower = columns.map((column) => column.toLowerCase());
  if (asked === undefined) {
    const name = names.find((one) => lower.includes(one));
    return name === undefined ? null : lower.indexOf(name);
  }
  const exact = columns.indexOf(asked);
  const index = exact >= 0 ? exact : lower.indexOf(asked.toLowerCase());
  return index < 0 ? null : index;
}

function noText({ name, columns }: Pick<RecordFile, 'name' | 'columns'>): Finding {
  const expected = 'a column for the text (--columns text=NAME, or text=null where the corpus has none)';
  return {
    kind: 'schema',
    level: 'error',
    id: null,
    file: name,
    line: 1,
    expected,
    found: columns.join(', '),
  };
}
