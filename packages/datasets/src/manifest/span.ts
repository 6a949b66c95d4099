import type { Source } from '../corpora/adapter.ts';
import type { Utterance } from './utterance.ts';

/** Where an utterance lies in what it was cut from. */
export interface Span {
  /** What it was cut from: an episode, a long recording, a dialogue. */
  readonly recording: string;
  /** The one channel of it that is meant. */
  readonly channel: number | null;
  /** In seconds; null where the corpus gives no times. */
  readonly start: number | null;
  readonly end: number | null;
}

/**
 * The span of a row: that of its segment in a longer recording; else in its episode (tags `season` and `episode`);
 * else in its dialogue. Times that the manifest does not hold are taken from where the corpus gives them.
 * @returns null where the row belongs to no recording that others could share.
 */
export function rowSpan(row: Utterance, source?: Source): Span | null {
  const { media, tags } = row;
  if (media !== null && (media.start !== undefined || media.end !== undefined)) {
    const { path, channel, start, end } = media;
    return { recording: path, channel: channel ?? null, start: start ?? 0, end: end ?? null };
  }
  const { season, episode } = tags;
  const recording =
    season !== undefined && episode !== undefined ? `season ${season} episode ${episode}` : row.dialogue;
  if (recording === null) return null;
  return {
    recording,
    channel: null,
    start: source?.start ?? tagSeconds(tags['start']),
    end: source?.end ?? tagSeconds(tags['end']),
  };
}

/** A number of seconds, or `H:MM:SS,mmm`. */
function tagSeconds(text: string | undefined): number | null {
  const parts = /^(?:(\d+):(\d{1,2}):)?(\d+(?:[.,]\d+)?)$/.exec(text ?? '');
  if (parts === null) return null;
  const [, hours = '0', minutes = '0', seconds = '0'] = parts;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds.replace(',', '.'));
}

/** Equal for equal spans, to the millisecond; null where there are no times. */
export function spanKey({ recording, channel, start, end }: Span): string | null {
  if (start === null || end === null) return null;
  const place = channel === null ? recording : `${recording} channel ${channel}`;
  return `${place} ${start.toFixed(3)}-${end.toFixed(3)} s`;
}

/** Equal for equal sound: the file's digest, and the segment of it; null where the file was not hashed. */
export function audioKey({ media }: Utterance): string | null {
  if (media === null || media.sha256 === null) return null;
  const { sha256, start, end, channel } = media;
  return start === undefined && end === undefined && channel === undefined
    ? sha256
    : `${sha256} ${start ?? 0}-${end ?? ''} ${channel ?? ''}`;
}
