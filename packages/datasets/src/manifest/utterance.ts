import { z } from 'zod';

/** Ids are paths of at least two parts, `meld/train/dia0_utt0`; no part is `.` or `..`. */
export const ID_PATTERN = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;

/** Pointer to the recorded signal. Fields that were not read (`--media none|headers`) are null. */
export const Media = z.strictObject({
  /** Path relative to the corpus root, with `/`. */
  path: z.string(),
  /** Start and end in seconds where the utterance is a segment of a longer recording. */
  start: z.number().nonnegative().optional(),
  end: z.number().positive().optional(),
  /** Index, from 0, of the one channel that holds the utterance; absent: all of them. */
  channel: z.number().int().nonnegative().optional(),
  /** Lower-case hex sha256 of the file. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** Length of the file's first audio stream (of the segment, where it is one), in seconds. */
  seconds: z.number().nonnegative().nullable(),
  /** In Hz. */
  sampleRate: z.number().int().positive().nullable(),
  channels: z.number().int().positive().nullable(),
});
export type Media = z.infer<typeof Media>;

/** What one annotator said (IEMOCAP). */
export const Annotation = z.strictObject({
  annotator: z.string(),
  categories: z.array(z.string()).optional(),
  valence: z.number().nullable().optional(),
  activation: z.number().nullable().optional(),
  dominance: z.number().nullable().optional(),
  sentiment: z.string().optional(),
});
export type Annotation = z.infer<typeof Annotation>;

/** One utterance: one JSON line of a manifest. The manifest holds pointers only, and every utterance of the corpus. */
export const Utterance = z.strictObject({
  id: z.string().regex(ID_PATTERN),
  dataset: z.string(),
  split: z.string().nullable(),
  session: z.string().nullable(),
  dialogue: z.string().nullable(),
  turn: z.number().int().nonnegative().nullable(),
  speaker: z.string().nullable(),
  /** As the corpus writes it; a task turns it into a class when training. */
  rawLabel: z.string().nullable(),
  annotations: z.array(Annotation),
  /** Normalised text (version 1); `rawText` is as the corpus has it. */
  text: z.string(),
  rawText: z.string(),
  /** Where the text comes from: `corpus`, or the name of a file that replaced it. */
  textSource: z.string(),
  media: Media.nullable(),
  /** Free properties, for instance `style: improvised`. */
  tags: z.record(z.string(), z.string()),
});
export type Utterance = z.infer<typeof Utterance>;

/** Order of manifests and of everything that follows them: UTF-8 bytes of the id. */
export function compareIds(a: string, b: string): number {
  // strings compare by UTF-16 units, which is the same order as long as both are ASCII, and ten times as fast
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

const ASCII = /^[\0-\x7f]*$/;
