import { normaliseText } from '../manifest/normalise.ts';
import type { Media, Utterance } from '../manifest/utterance.ts';
import type { RowCollector, Source } from './adapter.ts';

/** One utterance as a table, a Kaldi folder or a Lhotse manifest describes it. */
export interface TableRow {
  /** Rest of the id, after the dataset. */
  readonly id: string;
  /** Path of the recording relative to the root. */
  readonly path: string;
  /** Seconds, where the utterance is a segment of its recording. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly channel?: number | undefined;
  readonly label: string | null;
  /** As the corpus has it. */
  readonly text: string;
  readonly speaker?: string | null;
  readonly split?: string | null;
  readonly session?: string | null;
  readonly dialogue?: string | null;
  readonly turn?: number | null;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Adds the row's utterance; one that ends before it starts, a wrong id and one that was there before are reported. */
export function addTableRow(rows: RowCollector, dataset: string, row: TableRow, source: Source): void {
  if (row.end !== undefined && row.end <= (row.start ?? 0)) {
    const found = `${row.start ?? 0} to ${row.end} s`;
    rows.report('segment', 'error', source, `an end after the start of ${dataset}/${row.id}`, found);
    return;
  }
  const utterance: Utterance = {
    id: `${dataset}/${row.id}`,
    dataset,
    split: row.split ?? null,
    session: row.session ?? null,
    dialogue: row.dialogue ?? null,
    turn: row.turn ?? null,
    speaker: row.speaker ?? null,
    rawLabel: row.label,
    annotations: [],
    text: normaliseText(row.text),
    rawText: row.text,
    textSource: 'corpus',
    media: mediaOf(row),
    tags: { ...row.tags },
  };
  rows.add(utterance, source);
}

function mediaOf({ path, start, end, channel }: TableRow): Media {
  return {
    path,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(channel === undefined ? {} : { channel }),
    sha256: null,
    seconds: null,
    sampleRate: null,
    channels: null,
  };
}

/** Seconds, as `12`, `0.5` or `1e-3`; null: none of these, or negative. */
export function parseSeconds(text: string): number | null {
  if (!/^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
  return Number(text);
}

/** End of a segment: without the digits that the sum of two decimal numbers gets from their binary form. */
export function endOf(start: number, duration: number): number {
  return Math.round((start + duration) * 1e9) / 1e9;
}
