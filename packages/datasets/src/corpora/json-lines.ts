import type { DelimitedProblem, DelimitedRecord } from './delimited.ts';
import { LONGEST_FIELD } from './delimited.ts';

/** One object of a JSONL file. */
export interface JsonLine {
  /** From 1. */
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface JsonLines {
  readonly lines: JsonLine[];
  readonly problems: DelimitedProblem[];
}

/** Characters of a wrong line that a problem shows. */
const SHOWN = 40;

/** Reads JSONL: one JSON object a line, blank lines skipped. Any other line is reported and left out. */
export function parseJsonLines(text: string): JsonLines {
  const lines: JsonLine[] = [];
  const problems: DelimitedProblem[] = [];
  text.split(/\r\n|\n|\r/).forEach((content, i) => {
    if (content.trim() === '') return;
    const line = i + 1;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch {
      problems.push({ line, expected: 'a JSON object', found: `'${content.slice(0, SHOWN)}'` });
      return;
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      lines.push({ line, value: value as Record<string, unknown> });
    } else {
      problems.push({ line, expected: 'a JSON object', found: `'${content.slice(0, SHOWN)}'` });
    }
  });
  return { lines, problems };
}

/**
 * A table of JSONL lines: its columns are the keys, those of inner objects joined by dots (`custom.emotion`), in the
 * order of their first appearance. Numbers and booleans become text, a list of such values is joined by commas; null
 * and a key that a line lacks are empty cells; lists of objects are left out.
 */
export function jsonTable({ lines, problems }: JsonLines): {
  columns: string[];
  records: DelimitedRecord[];
  problems: DelimitedProblem[];
} {
  const index = new Map<string, number>();
  const found = [...problems];
  const records: DelimitedRecord[] = [];
  for (const { line, value } of lines) {
    const fields: string[] = [];
    flatten(value, '', (key, text) => {
      const at = index.get(key) ?? index.size;
      index.set(key, at);
      fields[at] = text;
    });
    const long = fields.find((field) => (field ?? '').length > LONGEST_FIELD);
    if (long === undefined) records.push({ line, fields });
    else {
      const expected = `${LONGEST_FIELD} characters in a field or fewer`;
      found.push({ line, expected, found: `${long.length} that begin '${long.slice(0, SHOWN)}'` });
    }
  }
  const columns = [...index.keys()];
  const filled = records.map(({ line, fields }) => ({
    line,
    fields: columns.map((_, i) => fields[i] ?? ''),
  }));
  return { columns, records: filled, problems: found };
}

function flatten(
  value: Readonly<Record<string, unknown>>,
  prefix: string,
  put: (key: string, text: string) => void,
) {
  for (const [key, inner] of Object.entries(value)) {
    const text = scalarText(inner);
    if (text !== null) put(prefix + key, text);
    else if (Array.isArray(inner)) {
      const parts = inner.map(scalarText);
      if (!parts.includes(null)) put(prefix + key, parts.join());
    } else flatten(inner as Record<string, unknown>, `${prefix}${key}.`, put);
  }
}

/** null: no single value. */
function scalarText(value: unknown): string | null {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
