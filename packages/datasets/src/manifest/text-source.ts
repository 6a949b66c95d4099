import { basename } from 'node:path';
import { readFileSync } from 'node:fs';
import { sha256Hex } from '../base/canonical-json.ts';
import { UserError } from '../base/errors.ts';
import { fileTrouble } from '../base/text-file.ts';
import {
  fieldCountFinding,
  readingFindings,
  readRecordFile,
  type RecordFile,
} from '../corpora/record-file.ts';
import type { Finding, FindingLevel } from './finding.ts';
import { normaliseText } from './normalise.ts';
import type { Utterance } from './utterance.ts';

const ID_COLUMNS = ['id', 'utterance_id', 'utt_id', 'utt', 'key', 'file', 'file_id'];
const TEXT_COLUMNS = [
  'text',
  'hypothesis',
  'hyp',
  'transcript',
  'transcription',
  'asr',
  'sentence',
  'utterance',
];
/** Digits of the file's sha256 in a source: enough to tell versions of one file apart. */
const DIGITS = 12;

export interface TextReplacement {
  readonly utterances: Utterance[];
  readonly problems: Finding[];
  /** Name of the file and the beginning of its sha256: the `textSource` of every row that it gave a text. */
  readonly source: string;
}

/**
 * Replaces transcripts by those of a CSV, TSV or JSONL file with an id and a text (output of a speech recogniser).
 * Ids are those of the utterances, with the dataset or without it. `text` is the replacement, normalised; `rawText`
 * stays as the corpus has it, so that the two can be compared. Rows without a replacement keep their text. Ids that
 * the corpus lacks and rows without a replacement are counted in a warning each; the repetition of an id is an error.
 * @throws UserError where the file cannot be read, or has no column for the id or the text.
 */
export function replaceTexts(
  utterances: readonly Utterance[],
  dataset: string,
  file: string,
): TextReplacement {
  const records = readRecordFile(file);
  const source = `${basename(file)} sha256:${digestOf(file).slice(0, DIGITS)}`;
  const { texts, problems } = readTexts(records, dataset);
  const replaced = utterances.map((row) => {
    const text = texts.get(row.id);
    if (text === undefined) return row;
    return { ...row, text: normaliseText(text.content), textSource: source };
  });
  const ids = new Set(utterances.map((row) => row.id));
  const strangers = [...texts].filter(([id]) => !ids.has(id));
  const left = utterances.filter((row) => !texts.has(row.id));
  const report = (level: FindingLevel, line: number | null, expected: string, found: string) =>
    problems.push({ kind: 'text-source', level, id: null, file: records.name, line, expected, found });
  const stranger = strangers[0];
  if (stranger !== undefined) {
    const found = `${strangers.length} that it lacks (first: ${stranger[0]})`;
    report('warning', stranger[1].line, 'ids of the corpus', found);
  }
  if (left.length > 0) {
    const found = `none for ${left.length} of ${utterances.length} (first: ${left[0]?.id}): they keep the corpus's`;
    report('warning', null, 'a text for every utterance', found);
  }
  return { utterances: replaced, problems, source };
}

function digestOf(file: string): string {
  try {
    return sha256Hex(readFileSync(file));
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${fileTrouble(error)}`);
  }
}

interface Text {
  readonly content: string;
  readonly line: number;
}

function readTexts(records: RecordFile, dataset: string): { texts: Map<string, Text>; problems: Finding[] } {
  const idColumn = findColumn(records, ID_COLUMNS, 'id');
  const textColumn = findColumn(records, TEXT_COLUMNS, 'text');
  const texts = new Map<string, Text>();
  const problems = readingFindings(records);
  for (const record of records.records) {
    const { line, fields } = record;
    const torn = fieldCountFinding(records, record);
    if (torn !== null) {
      problems.push(torn);
      continue;
    }
    const name = (fields[idColumn] ?? '').trim();
    const id = name.startsWith(`${dataset}/`) ? name : `${dataset}/${name}`;
    const first = texts.get(id);
    if (first === undefined) texts.set(id, { content: fields[textColumn] ?? '', line });
    else {
      const found = `it again (line ${first.line} is used)`;
      problems.push({
        kind: 'text-source',
        level: 'error',
        id,
        file: records.name,
        line,
        expected: 'each id once',
        found,
      });
    }
  }
  return { texts, problems };
}

function findColumn({ name, columns }: RecordFile, names: readonly string[], role: string): number {
  const lower = columns.map((column) => column.toLowerCase());
  const found = names.find((one) => lower.includes(one));
  if (found !== undefined) return lower.indexOf(found);
  throw new UserError(
    `no column for the ${role} in ${name}: expected one of ${names.join(', ')}, found ${columns.join(', ')}`,
  );
}
