import { NO_LABEL, type TaskView } from './task.ts';
import type { Utterance } from './utterance.ts';
import { countWords } from './word-count.ts';

/** Rows by the value of a field, most rows first; `(none)` stands for rows without one. */
export interface Tally {
  readonly name: string;
  readonly counts: readonly { readonly value: string; readonly rows: number; readonly seconds: number }[];
}

/** A number of each row: bins of equal width from 0, and what lies beyond the last bin. */
export interface Distribution {
  readonly name: string;
  readonly unit: string;
  /** Rows that have the number. */
  readonly rows: number;
  readonly min: number;
  readonly mean: number;
  /** Interpolated between neighbours, as numpy's default. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly bins: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
  /** Rows at or above the last bin's end. */
  readonly beyond: number;
}

export interface ManifestStats {
  readonly utterances: number;
  readonly labelled: number;
  /** Of recordings whose length is known. */
  readonly seconds: number;
  readonly withSeconds: number;
  readonly speakers: number;
  readonly dialogues: number;
  /** Rows of the task, and by label those outside it. */
  readonly task: {
    readonly name: string;
    readonly rows: number;
    readonly excluded: Readonly<Record<string, number>>;
  };
  /** Class, label, split, session, speaker, and every tag with few values; fields that no row has are left out. */
  readonly tallies: readonly Tally[];
  /** Class by split, or by session where there are no splits; null without either. */
  readonly classesBy: {
    readonly field: 'split' | 'session';
    readonly classes: readonly string[];
    readonly rows: readonly { readonly value: string; readonly counts: readonly number[] }[];
  } | null;
  /** Duration in seconds, length in words, utterances of a dialogue; those without numbers are left out. */
  readonly distributions: readonly Distribution[];
}

/** A tag with more values than this is a property of single rows. */
const TAG_VALUES = 20;

/** What a manifest holds, counted; classes are those of the task. */
export function manifestStats(utterances: readonly Utterance[], task: string, view: TaskView): ManifestStats {
  const classOf = new Map(view.rows.map((row) => [row.utterance.id, view.classes[row.label] as string]));
  const seconds = utterances.map((row) => row.media?.seconds ?? null);
  const known = seconds.filter((value) => value !== null);
  const dialogues = groupSizes(utterances, (row) => row.dialogue);
  const speakers = groupSizes(utterances, (row) => row.speaker);
  const distributions = [
    distribution('duration', 's', known, 20),
    distribution(
      'length',
      'words',
      utterances.map((row) => countWords(row.text)),
      20,
    ),
    distribution('dialogue', 'utterances', [...dialogues.values()], 20),
  ];
  return {
    utterances: utterances.length,
    labelled: utterances.filter((row) => row.rawLabel !== null).length,
    seconds: Math.round(known.reduce((sum, value) => sum + value, 0) * 1000) / 1000,
    withSeconds: known.length,
    speakers: speakers.size,
    dialogues: dialogues.size,
    task: { name: task, rows: view.rows.length, excluded: view.excluded },
    tallies: tallies(utterances, classOf),
    classesBy: classesBy(view),
    distributions: distributions.filter((one) => one !== null),
  };
}

function groupSizes(
  rows: readonly Utterance[],
  read: (row: Utterance) => string | null,
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const row of rows) {
    const value = read(row);
    if (value !== null) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  }
  return sizes;
}

function tallies(rows: readonly Utterance[], classOf: ReadonlyMap<string, string>): Tally[] {
  const tags = [...new Set(rows.flatMap((row) => Object.keys(row.tags)))].sort();
  const fields: [string, (row: Utterance) => string | null][] = [
    ['class', (row) => classOf.get(row.id) ?? null],
    ['label', (row) => row.rawLabel],
    ['split', (row) => row.split],
    ['session', (row) => row.session],
    ['speaker', (row) => row.speaker],
    ...tags.map((tag): [string, (row: Utterance) => string | null] => [
      `tags.${tag}`,
      (row) => row.tags[tag] ?? null,
    ]),
  ];
  const counted = fields.map(([name, read]) => tally(name, rows, read));
  // where every label is a class, the classes say it all
  const same = JSON.stringify(counted[0]?.counts) === JSON.stringify(counted[1]?.counts);
  return (same ? [counted[0] as Tally, ...counted.slice(2)] : counted).filter(({ name, counts }) => {
    const values = counts.filter((one) => one.value !== NO_LABEL).length;
    return values > 0 && (!name.startsWith('tags.') || values <= TAG_VALUES);
  });
}

function tally(name: string, rows: readonly Utterance[], read: (row: Utterance) => string | null): Tally {
  const counts = new Map<string, { rows: number; seconds: number }>();
  for (const row of rows) {
    const value = read(row) ?? NO_LABEL;
    const entry = counts.get(value) ?? { rows: 0, seconds: 0 };
    entry.rows++;
    entry.seconds += row.media?.seconds ?? 0;
    counts.set(value, entry);
  }
  const sorted = [...counts].sort(
    ([a, m], [b, n]) =>
      Number(a === NO_LABEL) - Number(b === NO_LABEL) || n.rows - m.rows || (a < b ? -1 : 1),
  );
  return { name, counts: sorted.map(([value, entry]) => ({ value, ...entry })) };
}

function classesBy({ classes, rows }: TaskView): ManifestStats['classesBy'] {
  for (const field of ['split', 'session'] as const) {
    const values = [...new Set(rows.map((row) => row.utterance[field]))].filter((value) => value !== null);
    if (values.length === 0) continue;
    const counts = new Map(values.sort().map((value) => [value, classes.map(() => 0)]));
    for (const { utterance, label } of rows) {
      const of = counts.get(utterance[field] ?? '');
      if (of !== undefined) of[label] = (of[label] as number) + 1;
    }
    return { field, classes, rows: [...counts].map(([value, of]) => ({ value, counts: of })) };
  }
  return null;
}

/** Widths of bins that people count in. */
const STEPS = [1, 2, 5];

function distribution(
  name: string,
  unit: string,
  numbers: readonly number[],
  most: number,
): Distribution | null {
  if (numbers.length === 0) return null;
  const sorted = Float64Array.from(numbers).sort();
  const quantile = (q: number): number => {
    const at = q * (sorted.length - 1);
    const low = sorted[Math.floor(at)] as number;
    return low + ((sorted[Math.ceil(at)] as number) - low) * (at - Math.floor(at));
  };
  const p99 = quantile(0.99);
  const width = binWidth(p99, most, unit === 's' ? 0.1 : 1);
  const count = Math.max(1, Math.floor(p99 / width + 1e-9) + 1);
  const rows = Array.from({ length: count }, () => 0);
  let beyond = 0;
  for (const value of sorted) {
    const bin = Math.floor(value / width + 1e-9);
    if (bin < count) rows[bin] = (rows[bin] as number) + 1;
    else beyond++;
  }
  const edge = (i: number): number => Math.round(i * width * 1e6) / 1e6;
  return {
    name,
    unit,
    rows: sorted.length,
    min: sorted[0] as number,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99,
    max: sorted.at(-1) as number,
    bins: rows.map((n, i) => ({ from: edge(i), to: edge(i + 1), rows: n })),
    beyond,
  };
}

/** The least width of 1, 2 or 5 times a power of ten with which `top` needs no more than that many bins. */
function binWidth(top: number, most: number, least: number): number {
  for (let power = least; ; power *= 10) {
    for (const step of STEPS) if (top / (step * power) < most) return step * power;
  }
}
