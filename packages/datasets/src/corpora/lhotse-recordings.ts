import { join } from 'node:path';
import { z } from 'zod';
import { readTextFile } from '../base/text-file.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import type { RowCollector, Source } from './adapter.ts';
import { parseJsonLines } from './json-lines.ts';

/** A line of a Lhotse recordings manifest: the keys that are needed here. */
const Recording = z.object({
  id: z.string().min(1),
  sources: z
    .array(
      z.object({
        type: z.string(),
        channels: z.array(z.number().int().nonnegative()).min(1),
        source: z.string(),
      }),
    )
    .min(1),
  duration: z.number().positive(),
  transforms: z.array(z.unknown()).nullish(),
});

/** A recording whose sources are plain files. */
export interface LhotseRecording {
  readonly sources: readonly { readonly channels: readonly number[]; readonly source: string }[];
  /** In seconds, as the manifest says. */
  readonly duration: number;
  readonly place: Source;
}

/**
 * Reads a recordings manifest (`recordings.jsonl`, also packed). What cannot be read as it is - the output of a
 * command, an address, bytes in memory, a recording with transforms (speed, volume, resampling) - is reported and
 * left out.
 * @param name relative to the root
 */
export function readRecordings(root: string, name: string, rows: RowCollector): Map<string, LhotseRecording> {
  const { lines, problems } = parseJsonLines(readTextFile(join(root, name)).text);
  for (const { line, expected, found } of problems)
    rows.report('line', 'error', { file: name, line }, expected, found);
  const recordings = new Map<string, LhotseRecording>();
  for (const { line, value } of lines) {
    const place = { file: name, line };
    const parsed = Recording.safeParse(value);
    if (!parsed.success) {
      rows.report('schema', 'error', place, 'a recording of Lhotse', schemaProblems(parsed.error).join('; '));
      continue;
    }
    const { id, sources, duration, transforms } = parsed.data;
    const odd = sources.find(({ type }) => type !== 'file');
    const first = recordings.get(id);
    if (first !== undefined) {
      rows.report('duplicate-id', 'error', place, `${id} once`, `it again (first: line ${first.place.line})`);
    } else if (odd !== undefined) {
      rows.report('schema', 'error', place, `a file as source of ${id}`, `a source of type ${odd.type}`);
    } else if ((transforms ?? []).length > 0) {
      rows.report(
        'schema',
        'error',
        place,
        `${id} without transforms`,
        `${transforms?.length}: store what they give`,
      );
    } else recordings.set(id, { sources, duration, place });
  }
  return recordings;
}

/** The file that holds a channel of a recording, and the channel's index in it (undefined: it is all of the file). */
export interface ChannelPlace {
  readonly source: string;
  readonly channel?: number;
}

/**
 * Finds the channels that a supervision names; all of them are the file as it is, one is a channel of its file.
 * @returns null where they are some of several, or not there.
 */
export function placeChannels(recording: LhotseRecording, channels: readonly number[]): ChannelPlace | null {
  const { sources } = recording;
  const all = sources.flatMap((source) => source.channels);
  const first = sources[0];
  if (first !== undefined && sources.length === 1 && all.every((channel) => channels.includes(channel))) {
    return channels.length === all.length ? { source: first.source } : null;
  }
  const [wanted] = channels;
  if (channels.length !== 1 || wanted === undefined) return null;
  const owner = sources.find((source) => source.channels.includes(wanted));
  if (owner === undefined) return null;
  if (owner.channels.length === 1) return { source: owner.source };
  return { source: owner.source, channel: [...owner.channels].sort((a, b) => a - b).indexOf(wanted) };
}
