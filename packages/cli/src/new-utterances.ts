import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { normaliseText, readRecordFile, UserError, UserErrors, type Utterance } from '@lsgmer/datasets';

/** A recording with its text, from outside any corpus. */
export interface NewUtterance {
  /** As it is called in results: the id of the table, or the file's name. */
  readonly name: string;
  readonly file: string | null;
  readonly text: string | null;
}

/** Names that columns of a table may have. */
const COLUMNS = {
  file: ['file', 'path', 'audio', 'wav', 'filename'],
  text: ['text', 'transcript', 'transcription', 'sentence'],
  name: ['id', 'name', 'utterance'],
} as const;

/**
 * A table of recordings and texts (CSV, TSV or JSONL); files are relative to it.
 * @throws UserError(s) where it cannot be read, or neither a column of files nor one of texts is there
 */
export function readNewUtterances(table: string): NewUtterance[] {
  if (!existsSync(table)) throw new UserError(`no file ${table}: --table takes a CSV, TSV or JSONL file`);
  const { columns, records, problems } = readRecordFile(table);
  if (problems.length > 0)
    throw new UserErrors(problems.map(({ line, found }) => `${table}:${line}: ${found}`));
  const at = (role: keyof typeof COLUMNS): number =>
    columns.findIndex((column) => COLUMNS[role].some((name) => name === column.trim().toLowerCase()));
  const places = { file: at('file'), text: at('text'), name: at('name') };
  if (places.file === -1 && places.text === -1)
    throw new UserError(
      `${table}: no column ${COLUMNS.file.join(', ')} and none ${COLUMNS.text.join(', ')}; it has ${columns.join(', ')}`,
    );
  return records.map(({ fields, line }) => {
    const cell = (place: number): string | null => (place === -1 ? null : (fields[place] ?? ''));
    const file = cell(places.file);
    return {
      name: cell(places.name) ?? file ?? `line ${line}`,
      file: file === null || file === '' ? null : resolve(dirname(table), file),
      text: cell(places.text),
    };
  });
}

/** What is wrong with an utterance before anything is computed; undefined where nothing is. */
export function problemOfNew(
  { name, file, text }: NewUtterance,
  reads: { readonly text: boolean; readonly audio: boolean },
  masking: boolean,
): string | undefined {
  const [hasText, hasAudio] = [text !== null && normaliseText(text) !== '', file !== null];
  if (file !== null && reads.audio && !existsSync(file)) return `${name}: no file ${file}`;
  const both = reads.text && reads.audio;
  if (masking && both && (hasText || hasAudio)) return undefined;
  const or = both ? ', or leave the modality out with --missing mask' : '';
  if (reads.text && !hasText)
    return text === null
      ? `${name}: no text, which the head reads: give it${or}`
      : `${name}: its text is empty: give what was said${or}`;
  if (reads.audio && !hasAudio) return `${name}: no recording, which the head reads: give it${or}`;
  return undefined;
}

/** As a manifest would have it, with paths relative to the file system's root. */
export function utteranceOf({ file, text }: NewUtterance, index: number): Utterance {
  const rawText = text ?? '';
  return {
    id: `predict/${String(index).padStart(6, '0')}`,
    dataset: 'predict',
    split: null,
    session: null,
    dialogue: null,
    turn: null,
    speaker: null,
    rawLabel: null,
    annotations: [],
    text: normaliseText(rawText),
    rawText,
    textSource: 'command line',
    media:
      file === null
        ? null
        : {
            path: relative('/', file),

            sha256: null,
            seconds: null,
            sampleRate: null,
            channels: null,
          },
    tags: {},
  };
}
