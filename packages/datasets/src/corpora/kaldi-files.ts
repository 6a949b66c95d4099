import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { readTextFile } from '../base/text-file.ts';
import type { RowCollector, Source } from './adapter.ts';
import { readingFindings } from './record-file.ts';
import { parseSeconds } from './table-row.ts';

/** A line of a Kaldi table: a key, white space, and the rest. */
export interface KaldiEntry {
  readonly value: string;
  readonly source: Source;
}
/** By key, in the file's order. */
export type KaldiTable = ReadonlyMap<string, KaldiEntry>;

/**
 * Reads a file of `key value` lines (wav.scp, text, utt2spk, ...). A line without a value has the empty one; the
 * repetition of a key is reported and left out.
 * @param name relative to the root
 */
export function readKaldiTable(root: string, name: string, rows: RowCollector): KaldiTable {
  const content = readTextFile(join(root, name));
  rows.problems.push(...readingFindings({ name, ...content, problems: [], literalQuotes: false }));
  const table = new Map<string, KaldiEntry>();
  content.text.split(/\r\n|\n|\r/).forEach((line, i) => {
    const parts = /^\s*(\S+)\s*(.*)$/.exec(line);
    if (parts === null) return;
    const [key, value] = [parts[1] as string, (parts[2] as string).trimEnd()];
    const source = { file: name, line: i + 1 };
    const first = table.get(key);
    if (first === undefined) table.set(key, { value, source });
    else
      rows.report(
        'duplicate-id',
        'error',
        source,
        `${key} once`,
        `it again (first: line ${first.source.line})`,
      );
  });
  return table;
}

/**
 * Checks that every recording of a wav.scp is a plain file.
 * @throws UserError that names the first which is the output of a command, the standard input or part of an archive.
 */
export function requirePlainPaths(wavs: KaldiTable): void {
  const odd = [...wavs].filter(([, { value }]) => /^\||\|$|^-$|\.ark:\d+$/.test(value));
  const first = odd[0];
  if (first === undefined) return;
  const [recording, { value, source }] = first;
  throw new UserError(
    `${source.file}:${source.line}: ${recording} is '${value}' (${odd.length} of ${wavs.size} lines are such): expected plain paths, since no command is run and no archive opened here; write the recordings to files and name those`,
  );
}

/** Part of a recording. */
export interface KaldiSegment {
  readonly recording: string;
  readonly start: number;
  /** Absent: to the end of the recording (Kaldi writes -1). */
  readonly end?: number;
  readonly channel?: number;
  readonly source: Source;
}

/** Reads a segments file, `utterance recording start end [channel]`; lines of another form are reported. */
export function readSegments(root: string, name: string, rows: RowCollector): Map<string, KaldiSegment> {
  const segments = new Map<string, KaldiSegment>();
  for (const [utterance, { value, source }] of readKaldiTable(root, name, rows)) {
    const [recording, from, to, channel, ...more] = value.split(/\s+/);
    const start = parseSeconds(from ?? '');
    const end = to === '-1' ? undefined : parseSeconds(to ?? '');
    const known = channel === undefined || /^(-1|\d+)$/.test(channel);
    if (recording === undefined || start === null || end === null || !known || more.length > 0) {
      rows.report(
        'line',
        'error',
        source,
        'utterance, recording, start, end in seconds',
        `'${utterance} ${value}'`,
      );
      continue;
    }
    segments.set(utterance, {
      recording,
      start,
      ...(end === undefined ? {} : { end }),
      ...(channel === undefined || channel === '-1' ? {} : { channel: Number(channel) }),
      source,
    });
  }
  return segments;
}
