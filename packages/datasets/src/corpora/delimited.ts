/** One record of a delimited file. */
export interface DelimitedRecord {
  /** Line on which it begins, from 1. */
  readonly line: number;
  readonly fields: string[];
}

export interface DelimitedProblem {
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

export interface Delimited {
  readonly records: DelimitedRecord[];
  readonly problems: DelimitedProblem[];
}

/** Characters of a wrong field that a problem shows. */
const SHOWN = 40;
/** No utterance is longer than this, in characters: such a field is damage, or a quote that swallowed other rows. */
export const LONGEST_FIELD = 65_536;

/**
 * Reads CSV or TSV text (RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes). Line ends are
 * LF, CRLF or CR; blank lines are skipped; blanks around a field are not part of it, except inside quotes; a quote
 * inside an unquoted field stands for itself. A record with a quote that is not closed, or with text after a closing
 * quote, is reported and left out, and reading goes on with the next line: nothing is lost silently. So is a record
 * with a field of more than `LONGEST_FIELD` characters; reading goes on behind that field's last line.
 */
export function parseDelimited(text: string, delimiter: string, quotes: boolean): Delimited {
  return new Reader(text, delimiter, quotes).read();
}

class Reader {
  private readonly text: string;
  private readonly delimiter: string;
  private readonly quotes: boolean;
  private at = 0;
  private line = 1;
  private readonly records: DelimitedRecord[] = [];
  private readonly problems: DelimitedProblem[] = [];

  constructor(text: string, delimiter: string, quotes: boolean) {
    this.text = text;
    this.delimiter = delimiter;
    this.quotes = quotes;
  }

  read(): Delimited {
    while (this.at < this.text.length) {
      const start = { at: this.at, line: this.line };
      const fields = this.readRecord();
      if (fields === 'overlong') this.skipLine({ at: this.at, line: this.line });
      else if (fields === null) this.skipLine(start);
      else if (fields.length > 1 || fields[0] !== '') this.records.push({ line: start.line, fields });
    }
    return { records: this.records, problems: this.problems };
  }

  /** The fields up to the record's end, which is consumed; null where the record is broken. */
  private readRecord(): string[] | null | 'overlong' {
    const fields: string[] = [];
    for (;;) {
      this.skipBlanks();
      const start = { at: this.at, line: this.line };
      const field = this.quotes && this.text[this.at] === '"' ? this.readQuoted() : this.readPlain();
      if (field === null) return null;
      if (field.length > LONGEST_FIELD) {
        const found = `${field.length} that begin ${this.shown(start.at)}`;
        const expected = `${LONGEST_FIELD} characters in a field or fewer`;
        this.problems.push({ line: start.line, expected, found });
        return 'overlong';
      }
      fields.push(field);
      if (this.text[this.at] !== this.delimiter) break;
      this.at++;
    }
    this.skipLineEnd();
    return fields;
  }

  private readPlain(): string {
    const start = this.at;
    while (this.at < this.text.length && !this.atFieldEnd()) this.at++;
    return this.text.slice(start, this.at).trimEnd();
  }

  private readQuoted(): string | null {
    const opened = this.line;
    const start = ++this.at;
    for (;;) {
      const quote = this.text.indexOf('"', this.at);
      if (quote < 0) {
        const found = `${this.shown(start)} to the end of the file`;
        this.problems.push({ line: opened, expected: 'a closing quote', found });
        return null;
      }
      this.at = quote + 1;
      if (this.text[this.at] !== '"') break;
      this.at++;
    }
    const value = this.text.slice(start, this.at - 1);
    this.line += countLineEnds(value);
    this.skipBlanks();
    if (this.at < this.text.length && !this.atFieldEnd()) {
      this.problems.push({
        line: opened,
        expected: 'a delimiter after the closing quote',
        found: this.shown(this.at),
      });
      return null;
    }
    return value.replaceAll('""', '"');
  }

  private shown(from: number): string {
    const rest = this.text.slice(from, from + SHOWN);
    return `'${rest.split(/[\r\n]/, 1)[0]}'`;
  }

  private skipBlanks(): void {
    while (this.at < this.text.length) {
      const c = this.text[this.at] as string;
      if (c === this.delimiter || (c !== ' ' && c !== '\t' && c !== '\u00a0')) return;
      this.at++;
    }
  }

  private atFieldEnd(): boolean {
    const c = this.text[this.at];
    return c === this.delimiter || c === '\n' || c === '\r';
  }

  private skipLineEnd(): void {
    if (this.at >= this.text.length) return;
    this.at += this.text[this.at] === '\r' && this.text[this.at + 1] === '\n' ? 2 : 1;
    this.line++;
  }

  /** Goes on behind the line on which a broken record began. */
  private skipLine(start: { at: number; line: number }): void {
    this.at = start.at;
    this.line = start.line;
    while (this.at < this.text.length && this.text[this.at] !== '\n' && this.text[this.at] !== '\r')
      this.at++;
    this.skipLineEnd();
  }
}

function countLineEnds(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}
