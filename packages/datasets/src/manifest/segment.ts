import type { Finding } from './finding.ts';
import type { Utterance } from './utterance.ts';

/** A segment may end this much after its recording without a word: times are often written with two decimals. */
const ROUNDING_SECONDS = 0.01;
/** A segment that ends later than this after its recording is an error (Kaldi's extract-segments: 0.5 s). */
const OVERSHOOT_SECONDS = 0.5;

/**
 * Puts a segment into its recording. On the way in `media.seconds` is the length of the whole recording; on the way
 * out that of what lies between start and end. A segment or channel that its recording lacks is reported, and tagged
 * `media: segment`; one that ends a little after it is cut there, with a warning. Rows of whole recordings, and those
 * whose length is not known, come back as they are (the latter with the segment's own length).
 */
export function placeSegment(row: Utterance): { utterance: Utterance; problem: Finding | null } {
  const { media } = row;
  if (media?.channel !== undefined && media.channels !== null && media.channel >= media.channels) {
    const expected = `one of the ${media.channels} channels, counted from 0`;
    const problem = finding(row, 'error', expected, media.path, `channel ${media.channel}`);
    return { utterance: tagged(row), problem };
  }
  if (media === null || (media.start === undefined && media.end === undefined)) {
    return { utterance: row, problem: null };
  }
  const start = media.start ?? 0;
  const { end, seconds: whole } = media;
  const within = (seconds: number | null): Utterance => ({ ...row, media: { ...media, seconds } });
  if (end !== undefined && end <= start) return outside(within(0), 'an end after the start', media.path);
  if (whole === null)
    return { utterance: within(end === undefined ? null : round(end - start)), problem: null };
  const last = end ?? whole;
  const utterance = within(Math.max(0, round(Math.min(last, whole) - start)));
  if (last <= whole + ROUNDING_SECONDS && start < whole) return { utterance, problem: null };
  const expected = `a segment within the ${round(whole)} s of the recording`;
  if (start >= whole || last > whole + OVERSHOOT_SECONDS) return outside(utterance, expected, media.path);
  return { utterance, problem: finding(utterance, 'warning', `${expected}: it is cut there`, media.path) };
}

function outside(row: Utterance, expected: string, path: string): { utterance: Utterance; problem: Finding } {
  return { utterance: tagged(row), problem: finding(row, 'error', expected, path) };
}

function tagged(row: Utterance): Utterance {
  return { ...row, tags: { ...row.tags, media: 'segment' } };
}

function finding(
  row: Utterance,
  level: 'error' | 'warning',
  expected: string,
  file: string,
  found = boundsOf(row),
): Finding {
  return { kind: 'segment', level, id: row.id, file, line: null, expected, found };
}

function boundsOf({ media }: Utterance): string {
  return `${media?.start ?? 0} to ${media?.end ?? 'the end'} s`;
}

/** To the nanosecond: times are decimal, and 0.3 - 0.1 is not. */
function round(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e9;
}
