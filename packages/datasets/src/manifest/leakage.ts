import type { Source } from '../corpora/adapter.ts';
import { LEAK_ASPECTS, type LeakAspect } from './card.ts';
import type { Fold } from './folds.ts';
import { audioKey, rowSpan, spanKey } from './span.ts';
import type { Utterance } from './utterance.ts';
import { countWords } from './word-count.ts';

/** From this many words on, a text on both sides of a fold counts: `Yeah.` is everybody's. */
export const LONG_TEXT_WORDS = 5;

/** A row of the held-out part that shares something with the training part. */
export interface LeakHit {
  readonly id: string;
  /** What is shared, as people read it: a speaker, a text, `S08E21 976.059-981.731`. */
  readonly value: string;
  /** The first training row that has it, in the fold's order. */
  readonly other: string;
}

/** How much of a held-out part shares one aspect with the training part of its fold. */
export interface AspectLeak {
  readonly aspect: LeakAspect;
  readonly part: 'dev' | 'test';
  /** Rows of the part that share it (texts: of five words or more). */
  readonly rows: number;
  /** Rows of the part that have the aspect at all. */
  readonly ofRows: number;
  /** Distinct values shared, and distinct values of the part. */
  readonly values: number;
  readonly ofValues: number;
  /** Texts only: rows that share their text whatever its length. */
  readonly anyLength?: number;
  /** The `rows`, in the fold's order. */
  readonly hits: readonly LeakHit[];
  /** Training rows by shared value. */
  readonly trainingRows: ReadonlyMap<string, number>;
}

export interface FoldLeakage {
  readonly fold: string;
  readonly leaks: readonly AspectLeak[];
}

/**
 * The text as it is compared: lower case, letters, digits and apostrophes only, one blank between words.
 * A typographic apostrophe is an apostrophe.
 */
export function textKey(text: string): string {
  return text
    .toLowerCase()
    .replaceAll('\u2019', "'")
    .replaceAll(/[^\p{L}\p{M}\p{N}']+/gu, ' ')
    .trim();
}

/** What rows can share, each value as a small number: comparing folds is then a matter of counting. */
export class LeakIndex {
  private readonly place: ReadonlyMap<string, number>;
  private readonly rows: readonly Utterance[];
  private readonly keys: Readonly<Record<LeakAspect, Int32Array>>;
  private readonly values: Readonly<Record<LeakAspect, readonly string[]>>;

  /** @param sources annotated times of rows whose manifest does not hold them */
  constructor(rows: readonly Utterance[], sources?: ReadonlyMap<string, Source>) {
    this.rows = rows;
    this.place = new Map(rows.map((row, i) => [row.id, i]));
    const keys: Partial<Record<LeakAspect, Int32Array>> = {};
    const values: Partial<Record<LeakAspect, string[]>> = {};
    for (const aspect of LEAK_ASPECTS) {
      const numbers = new Map<string, number>();
      const read = READ[aspect];
      keys[aspect] = Int32Array.from(rows, (row) => {
        const value = read(row, sources?.get(row.id));
        if (value === null) return -1;
        const known = numbers.get(value);
        if (known !== undefined) return known;
        numbers.set(value, numbers.size);
        return numbers.size - 1;
      });
      values[aspect] = [...numbers.keys()];
    }
    this.keys = keys as Record<LeakAspect, Int32Array>;
    this.values = values as Record<LeakAspect, string[]>;
  }

  /** What the dev and test parts of a fold share with its training part, for every aspect that rows have. */
  compare(fold: Fold): FoldLeakage {
    const at = (ids: readonly string[]) => ids.map((id) => this.place.get(id) as number);
    const train = at(fold.train);
    const parts = (['dev', 'test'] as const)
      .filter((part) => fold[part].length > 0)
      .map((part) => ({ part, rows: at(fold[part]) }));
    const leaks = LEAK_ASPECTS.flatMap((aspect) => {
      const training = this.count(aspect, train);
      return parts.map(({ part, rows }) => this.share(aspect, part, rows, training));
    });
    return { fold: fold.id, leaks: leaks.filter((leak) => leak.ofRows > 0) };
  }

  private count(aspect: LeakAspect, rows: readonly number[]): { counts: Uint32Array; first: Int32Array } {
    const size = this.values[aspect].length;
    const counts = new Uint32Array(size);
    const first = new Int32Array(size).fill(-1);
    for (const row of rows) {
      const key = this.keys[aspect][row] as number;
      if (key < 0) continue;
      counts[key] = (counts[key] as number) + 1;
      if (first[key] === -1) first[key] = row;
    }
    return { counts, first };
  }

  private share(
    aspect: LeakAspect,
    part: 'dev' | 'test',
    rows: readonly number[],
    training: { readonly counts: Uint32Array; readonly first: Int32Array },
  ): AspectLeak {
    const names = this.values[aspect];
    const seen = new Set<number>();
    const trainingRows = new Map<string, number>();
    const hits: LeakHit[] = [];
    let ofRows = 0;
    let anyLength = 0;
    for (const row of rows) {
      const key = this.keys[aspect][row] as number;
      if (key < 0) continue;
      ofRows++;
      seen.add(key);
      const other = training.first[key] as number;
      if (other < 0) continue;
      anyLength++;
      const value = names[key] as string;
      if (aspect === 'text' && countWords(value) < LONG_TEXT_WORDS) continue;
      hits.push({ id: this.idAt(row), value, other: this.idAt(other) });
      trainingRows.set(value, training.counts[key] as number);
    }
    const values = trainingRows.size;
    const leak = { aspect, part, rows: hits.length, ofRows, values, ofValues: seen.size, hits, trainingRows };
    return aspect === 'text' ? { ...leak, anyLength } : leak;
  }

  private idAt(row: number): string {
    return (this.rows[row] as Utterance).id;
  }
}

const READ: Readonly<Record<LeakAspect, (row: Utterance, source: Source | undefined) => string | null>> = {
  speaker: (row) => row.speaker,
  dialogue: (row) => row.dialogue,
  // what a dialogue is cut from is counted as the dialogue
  recording: (row, source) => {
    const recording = rowSpan(row, source)?.recording ?? null;
    return recording === row.dialogue ? null : recording;
  },
  text: (row) => textKey(row.text) || null,
  span: (row, source) => {
    const span = rowSpan(row, source);
    return span === null ? null : spanKey(span);
  },
  audio: audioKey,
};

/** Aspects that tell a row itself is known from training, not only its speaker or its dialogue. */
const OF_THE_ROW: readonly LeakAspect[] = ['text', 'span', 'audio'];

/** Ids of dev and test rows whose text (five or more words), time span or audio training also has. */
export function leakedIds(leakage: FoldLeakage): Set<string> {
  const own = leakage.leaks.filter((leak) => OF_THE_ROW.includes(leak.aspect));
  return new Set(own.flatMap((leak) => leak.hits.map((hit) => hit.id)));
}
