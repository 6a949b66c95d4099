import { z } from 'zod';
import { UserErrors } from '../base/errors.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import { readJsonFile } from '../base/text-file.ts';

/** Name of a column; null says that the corpus has none. Absent: found by its name. */
const Column = z.string().min(1).nullable().optional();

/** How the table of a corpus is read: flags, or a small JSON file of the same keys. */
export const TableOptions = z.strictObject({
  /** The table, relative to the root; needed only where the root holds several. */
  table: z.string().min(1).optional(),
  /** Folder of the recordings, relative to the root; found where it has an ordinary name. */
  audio: z.string().min(1).optional(),
  delimiter: z.enum(['comma', 'tab', 'semicolon']).optional(),
  file: z.string().min(1).optional(),
  label: Column,
  text: Column,
  speaker: Column,
  split: Column,
  session: Column,
  dialogue: Column,
  turn: Column,
  /** Ids; otherwise the recordings' paths without their extension. */
  id: Column,
});
export type TableOptions = z.infer<typeof TableOptions>;

/** Roles of columns, with the names by which they are found, in order of preference. */
export const COLUMN_NAMES = {
  file: [
    'file',
    'file_id',
    'filename',
    'file_name',
    'audio',
    'audio_file',
    'audio_path',
    'path',
    'wav',
    'wav_file',
    'clip',
  ],
  label: ['label', 'emotion', 'class', 'category'],
  text: ['text', 'raw_text', 'transcript', 'transcription', 'sentence', 'utterance'],
  speaker: ['speaker', 'speaker_id', 'spk', 'spk_id', 'speakerid', 'actor', 'actor_id', 'client_id'],
  split: ['split', 'partition', 'subset'],
  session: ['session', 'session_id'],
  dialogue: ['dialogue', 'dialog', 'dialogue_id', 'dialog_id', 'conversation', 'conversation_id'],
  turn: ['turn', 'turn_id'],
  id: ['utterance_id', 'utt_id', 'utt'],
} as const;
export type ColumnRole = keyof typeof COLUMN_NAMES;

/**
 * Reads the JSON form of the options.
 * @throws UserErrors with one line for each problem.
 */
export function loadTableOptions(file: string): TableOptions {
  const parsed = TableOptions.safeParse(readJsonFile(file));
  if (!parsed.success) throw new UserErrors(schemaProblems(parsed.error).map((line) => `${file}: ${line}`));
  return parsed.data;
}
