import { z } from 'zod';
import { UserErrors } from '../base/errors.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import { readJsonFile } from '../base/text-file.ts';

/** Name of a column; null says that the corpus has none. Absent: found by its name. */
const Column = z.string().min(1).nullable().optional();

/**
 * How a corpus without an adapter of its own is read: flags, or a small JSON file of the same keys. In a Kaldi data
 * folder a role names a file of `utterance value` lines (`label: utt2emo`); in Lhotse manifests a key of the
 * supervisions (`label: custom.emotion`).
 */
export const TableOptions = z.strictObject({
  /** Found from the files that are there when not given. */
  format: z.enum(['table', 'kaldi', 'lhotse']).optional(),
  /** The table (of Lhotse the supervisions), relative to the root; needed only where the root holds several. */
  table: z.string().min(1).optional(),
  /** Lhotse: the recordings, relative to the root; found by the name of the supervisions. */
  recordings: z.string().min(1).optional(),
  /** Folder that paths of recordings are relative to, itself relative to the root; found where it has an ordinary name. */
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
  /** Ids; otherwise the recordings' paths without their extension, for segments with start and end in milliseconds. */
  id: Column,
  /** Segments of long recordings: start, and end or duration, in seconds. */
  start: Column,
  end: Column,
  duration: Column,
  /** Index, from 0, of the recording's channel that is meant. */
  channel: Column,
  /** Tags by name, from a column each: tables only. */
  tags: z.record(z.string().regex(/^[A-Za-z0-9_-]+$/), z.string().min(1)).optional(),
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
    'audio.path',
    'audio_file',
    'audio_path',
    'audio_filepath',
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
  start: ['start', 'start_time', 'offset', 'begin'],
  end: ['end', 'end_time', 'stop'],
  duration: ['duration'],
  channel: [],
} as const satisfies Record<string, readonly string[]>;
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
