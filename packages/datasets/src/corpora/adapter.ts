import { closeSync, opendirSync, openSync, readdirSync, realpathSync, statSync, type Dirent } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { fileTrouble } from '../base/text-file.ts';
import type { Card } from '../manifest/card.ts';
import type { Finding, FindingKind, FindingLevel } from '../manifest/finding.ts';
import { ID_PATTERN, type Utterance } from '../manifest/utterance.ts';
import type { TableOptions } from './table-options.ts';

/** Where a corpus says something of a row: shown with every problem of that row. */
export interface Source {
  /** Relative to the corpus root. */
  readonly file: string;
  readonly line: number | null;
  /** Seconds as annotated, where the corpus gives times. */
  readonly start?: number;
  readonly end?: number;
}

export interface PrepareOptions {
  /** First part of every id. */
  readonly dataset: string;
  /** For a table corpus: how its columns are to be read. */
  readonly table?: TableOptions;
  /** There is a card already: none has to be derived. */
  readonly carded?: boolean;
}

/**
 * A corpus as its annotation files describe it. Media hold a path only, and nothing of them was opened;
 * what is wrong with the files is in `problems`, and never stops the pass.
 */
export interface Prepared {
  readonly utterances: Utterance[];
  readonly problems: Finding[];
  /** By id. */
  readonly sources: ReadonlyMap<string, Source>;
  /** A corpus without a committed card derives its own. */
  readonly card?: Card;
}

/**
 * Every corpus has this one shape.
 * @throws UserError where the root is missing, unreadable, or not of the corpus's layout.
 */
export type Prepare = (root: string, options: PrepareOptions) => Prepared;

/**
 * The folder that a corpus root names, without symbolic links: itself, or that of the file that it is (a table may
 * be named itself).
 * @throws UserError that names the root and the dataset where it is missing or unreadable.
 */
export function rootFolder(root: string, dataset: string): string {
  try {
    const real = realpathSync(root);
    const isFolder = statSync(real).isDirectory();
    const folder = isFolder ? real : dirname(real);
    // opened, not asked for rights: a network file system may say yes and mean no
    opendirSync(folder).closeSync();
    statSync(join(folder, '.'));
    if (!isFolder) closeSync(openSync(real, 'r'));
    return folder;
  } catch (error) {
    throw new UserError(`cannot read ROOT of ${dataset}: ${root}: ${fileTrouble(error)}`);
  }
}

/** Entries of a folder by name, without hidden ones (`._*` are leftovers of macOS); null where it cannot be read. */
export function listFolder(folder: string): Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return null;
  }
}

/** Gathers the rows of a corpus: an id that cannot be one and the repetition of an id are left out and reported. */
export class RowCollector {
  readonly utterances: Utterance[] = [];
  readonly problems: Finding[] = [];
  readonly sources = new Map<string, Source>();

  /** @returns whether the row was taken. */
  add(row: Utterance, source: Source): boolean {
    const place = { id: row.id, file: source.file, line: source.line };
    if (!ID_PATTERN.test(row.id)) {
      const expected =
        'parts of letters, digits, dot, underscore and hyphen, joined by / (a table may have ids of its own: --columns id=NAME)';
      this.problems.push({ kind: 'schema', level: 'error', ...place, expected, found: `the id '${row.id}'` });
      return false;
    }
    const first = this.sources.get(row.id);
    if (first !== undefined) {
      this.reportTwice(row.id, source, first);
      return false;
    }
    this.utterances.push(row);
    this.sources.set(row.id, source);
    return true;
  }

  /** Reports an id that was there before. */
  reportTwice(id: string, source: Source, first: Source): void {
    const found = `it again (first: ${first.file}${first.line === null ? '' : `:${first.line}`})`;
    const { file, line } = source;
    this.problems.push({
      kind: 'duplicate-id',
      level: 'error',
      id,
      file,
      line,
      expected: 'each id once',
      found,
    });
  }

  /** Reports something about a place in a file that is no row. */
  report(
    kind: FindingKind,
    level: FindingLevel,
    source: Source,
    expected: string | null,
    found: string,
  ): void {
    this.problems.push({ kind, level, id: null, file: source.file, line: source.line, expected, found });
  }
}
