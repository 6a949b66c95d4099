import { UserError, UserErrors } from '../base/errors.ts';
import { NO_LABEL } from './task.ts';
import type { Utterance } from './utterance.ts';
import { countWords } from './word-count.ts';

type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** One condition on a row by itself. */
interface FieldTerm {
  readonly field: string;
  readonly operator: Operator;
  /** Any of them, for `=` and `!=`; one number for the others. */
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** A filter of utterances: every term must hold. */
export interface Where {
  /** As it was given. */
  readonly text: string;
  readonly terms: readonly FieldTerm[];
  /** Whether rows that training knows are left out (`not leaked`) or alone are kept (`leaked`). */
  readonly leaked: 'out' | 'only' | null;
}

type Value = string | number | null;

/** Fields of an utterance by the names that a filter uses. Tags are `tags.<name>`. */
const FIELDS: Readonly<Record<string, (row: Utterance) => Value>> = {
  id: (row) => row.id,
  dataset: (row) => row.dataset,
  split: (row) => row.split,
  session: (row) => row.session,
  dialogue: (row) => row.dialogue,
  turn: (row) => row.turn,
  speaker: (row) => row.speaker,
  label: (row) => row.rawLabel,
  sentiment: (row) => row.annotations.find((one) => one.sentiment !== undefined)?.sentiment ?? null,
  text: (row) => row.text,
  textSource: (row) => row.textSource,
  words: (row) => countWords(row.text),
  path: (row) => row.media?.path ?? null,
  seconds: (row) => row.media?.seconds ?? null,
  start: (row) => row.media?.start ?? null,
  end: (row) => row.media?.end ?? null,
  sampleRate: (row) => row.media?.sampleRate ?? null,
  channels: (row) => row.media?.channels ?? null,
};
const NUMBERS = new Set(['turn', 'words', 'seconds', 'start', 'end', 'sampleRate', 'channels']);
/** Fields that only reading the recordings fills. */
const MEDIA_FIELDS = new Set(['seconds', 'sampleRate', 'channels']);
const TERM = /^(not\s+)?([A-Za-z][\w.-]*)\s*(!=|<=|>=|=|<|>)\s*(.*)$/is;
const LEAKED = /^(not\s+)?leaked$/i;

/**
 * Reads a filter: `label=neu,ang and split!=dev and seconds<10 and tags.style=improvised and not leaked`. Values with
 * commas or blanks stand in quotes; `(none)` is a field without a value; `not` turns a term round. `leaked` is a row
 * whose text (five or more words), time span or recording the training part of its fold also has.
 * @throws UserErrors with every term that is not understood.
 */
export function parseWhere(text: string): Where {
  const terms: FieldTerm[] = [];
  const problems: string[] = [];
  let leaked: Where['leaked'] = null;
  for (const part of splitOutsideQuotes(text, /\s+and\s+/iy)) {
    const bare = LEAKED.exec(part.trim());
    if (bare !== null) {
      const sense = bare[1] === undefined ? 'only' : 'out';
      if (leaked !== null && leaked !== sense) problems.push(`'leaked' and 'not leaked' leave nothing`);
      leaked = sense;
      continue;
    }
    const term = parseTerm(part.trim());
    if (typeof term === 'string') problems.push(term);
    else terms.push(term);
  }
  if (problems.length > 0) throw new UserErrors(problems.map((problem) => `--where: ${problem}`));
  return { text: text.trim(), terms, leaked };
}

function parseTerm(text: string): FieldTerm | string {
  const parts = TERM.exec(text);
  if (parts === null) {
    const what = text === '' ? 'a term is empty' : `'${text}' is no condition`;
    return `${what}: write field=value, field!=a,b, seconds<10, or not leaked, joined by and`;
  }
  const [, not, field = '', operator = '', rest = ''] = parts;
  const name = field === 'rawLabel' ? 'label' : field;
  if (!Object.hasOwn(FIELDS, name) && !name.startsWith('tags.')) {
    return `there is no field '${field}': fields are ${Object.keys(FIELDS).join(', ')}, and tags.<name>`;
  }
  const values = splitOutsideQuotes(rest, /,/y).map((value) => unquoted(value.trim()));
  if (values.some((value) => value === null))
    return `'${text}': a value is empty or its quote is open; (none) means without one`;
  if (/\sor\s/i.test(rest) && !/["']/.test(rest))
    return `'${text}': there is no 'or': several values of a field stand with commas`;
  const numeric = NUMBERS.has(name);
  const compared = operator !== '=' && operator !== '!=';
  if (compared && values.length > 1) return `'${text}': ${operator} takes one number`;
  const wrong = (values as string[]).find(
    (value) => (numeric || compared) && !(value === NO_LABEL && !compared) && !isNumber(value),
  );
  if (wrong !== undefined) return `'${text}': ${name} ${operator} needs a number, found '${wrong}'`;
  if (compared && !numeric && !name.startsWith('tags.'))
    return `'${text}': ${name} is text: ${operator} is for ${[...NUMBERS].join(', ')} and tags`;
  const plain = (values as string[]).map((value) =>
    numeric && value !== NO_LABEL ? String(Number(value)) : value,
  );
  return { field: name, operator: operator as Operator, values: plain, negated: not !== undefined };
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

/** The value without its quotes; null for an empty one, and for a quote that is not closed. */
function unquoted(text: string): string | null {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text === '' ? null : text;
  return text.length >= 2 && text.endsWith(quote) ? text.slice(1, -1) : null;
}

/** @param separator sticky */
function splitOutsideQuotes(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let part = '';
  let quote: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    separator.lastIndex = at;
    if (quote === null && separator.test(text)) {
      parts.push(part);
      part = '';
      at = separator.lastIndex - 1;
      continue;
    }
    // a quote opens a value: the apostrophe within a word is a letter
    if (quote === null && /["']/.test(character) && /(^|[=<>,\s])$/.test(part)) quote = character;
    else if (quote === character) quote = null;
    part += character;
  }
  return [...parts, part];
}

/** Whether all terms but `leaked` hold for a row. A comparison never holds where the field has no value. */
export function matchesWhere({ terms }: Where, row: Utterance): boolean {
  return terms.every((term) => {
    const value = valueOf(term.field, row);
    const { operator, values, negated } = term;
    if (operator === '=' || operator === '!=') {
      const listed = values.includes(value === null ? NO_LABEL : String(value));
      return listed === ((operator === '=') !== negated);
    }
    return value !== null && compare(Number(value), operator, Number(values[0])) !== negated;
  });
}

function valueOf(field: string, row: Utterance): Value {
  if (field.startsWith('tags.')) return row.tags[field.slice(5)] ?? null;
  return (FIELDS[field] as (row: Utterance) => Value)(row);
}

function compare(value: number, operator: Operator, bound: number): boolean {
  if (operator === '<') return value < bound;
  if (operator === '<=') return value <= bound;
  if (operator === '>') return value > bound;
  return value >= bound;
}

/** Values that an error lists at most. */
const LISTED = 12;

/**
 * A filter that names what no utterance has is a slip, not a wish for nothing.
 * @param rows every utterance of the manifest
 * @throws UserErrors that lists what there is.
 */
export function checkWhere({ terms }: Where, rows: readonly Utterance[]): void {
  const problems = terms.flatMap((term) => {
    const there = new Set(rows.map((row) => valueOf(term.field, row)).filter((value) => value !== null));
    if (there.size === 0) return [`--where: ${noValue(term.field, rows)}`];
    if (term.operator !== '=' && term.operator !== '!=') return [];
    const texts = new Set([...there].map(String));
    const unknown = term.values.filter((value) => value !== NO_LABEL && !texts.has(value));
    if (unknown.length === 0) return [];
    const shown = [...texts].sort().slice(0, LISTED).join(', ');
    const more = texts.size > LISTED ? `, and ${texts.size - LISTED} more` : '';
    return [`--where: no utterance has ${term.field} '${unknown.join("' or '")}': there is ${shown}${more}`];
  });
  if (problems.length > 0) throw new UserErrors(problems);
}

function noValue(field: string, rows: readonly Utterance[]): string {
  if (MEDIA_FIELDS.has(field)) {
    return `no utterance has ${field}: build the manifest with --media headers or hash`;
  }
  if (!field.startsWith('tags.')) return `no utterance of this dataset has ${field}`;
  const tags = [...new Set(rows.flatMap((row) => Object.keys(row.tags)))].sort();
  const list = tags.length === 0 ? 'there are no tags' : `tags are ${tags.join(', ')}`;
  return `no utterance has the tag ${field.slice(5)}: ${list}`;
}

/** The filter, or an error where it leaves nothing. */
export function requireRows<T>(where: Where, rows: readonly T[]): readonly T[] {
  if (rows.length > 0) return rows;
  throw new UserError(`--where ${where.text}: no utterance is left`);
}
