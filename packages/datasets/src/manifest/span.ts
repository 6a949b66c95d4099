import type { Source } from '../corpora/adapter.ts';
import type { Utterance } from './utterance.ts';

/** Where an utterance lies in what it was cut from. */
export interface Span {
  /** What it was cut from: an episode, a long recording, a dialogue. */
  readonly recording: string;
  /** In seconds; null where the corpus gives no times. */
  readonly start: number | null;
  readonly end: number | null;
}

/**
 * The span of a row: that of its segment in a longer recording; else in its episode (tags `season` and `episode`,
 * times `start` and `end` of the annotation); else in its dialogue. Times that the manifest does not hold are taken
 * from where the corpus gives them.
 * @returns null where the row belongs to no recording that others could share.
 */
export function rowSpan(row: Utterance, source?: Source): Span | null {
  const { media, tags } = row;
  if (media?.start !== undefined && media.end !== undefined) {
    return { recording: media.path, start: media.start, end: media.end };
  }
  const { season, episode } = tags;
  const recording =
    season !== undefined && episode !== undefined ? `season ${season} episode ${episode}` : row.dialogue;
  if (recording === null) return null;
  return {
    recording,
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
export function spanKey({ recording, start, end }: Span): string | null {
  if (start === null || end === null) return null;
  return `${recording} ${start.toFixed(3)}-${end.toFixed(3)} s`;
}
