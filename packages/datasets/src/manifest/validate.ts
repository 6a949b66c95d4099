import type { Source } from '../corpora/adapter.ts';
import type { Card, Task } from './card.ts';
import { sortFindings, type Finding, type FindingKind } from './finding.ts';
import { MEDIA_TAG } from './media.ts';
import { applyTask } from './task.ts';
import type { Utterance } from './utterance.ts';

/** Shortest recording from which a waveform encoder makes a frame: 400 samples at 16 kHz, in seconds. */
export const SHORTEST_SECONDS = 400 / 16000;
/** Longest recording that is taken for one utterance, in seconds. */
export const LONGEST_SECONDS = 35;

export interface ValidateInput {
  readonly card: Card;
  readonly utterances: readonly Utterance[];
  /** What reading the corpus showed already. */
  readonly problems?: readonly Finding[];
  /** Places of the rows in the corpus; without them a finding names the id only. */
  readonly sources?: ReadonlyMap<string, Source>;
  /** The corpus is a part of the whole on purpose: counts are not checked. */
  readonly subset?: boolean;
}

/** Findings of a media tag where the reason itself is not known any more. */
const MEDIA_TAGS: Readonly<Record<string, readonly [FindingKind, string]>> = {
  missing: ['media-missing', 'none'],
  corrupt: ['media-undecodable', 'one that cannot be read'],
  empty: ['media-empty', 'one without samples'],
  truncated: ['media-truncated', 'one that ends early'],
  segment: ['segment', 'one that the segment is not within'],
};

/**
 * Everything that is wrong with a corpus, at once: what reading it showed, and what its rows and counts are against
 * the card. Media are not opened here. Sorted by kind, then place.
 */
export function validateManifest(input: ValidateInput): Finding[] {
  const findings: Finding[] = [...(input.problems ?? [])];
  const told = new Set(findings.map((finding) => `${finding.kind} ${finding.id}`));
  const texts = input.utterances.some((row) => row.text !== '');
  for (const row of input.utterances) {
    for (const finding of rowFindings(row, input, texts)) {
      if (!told.has(`${finding.kind} ${finding.id}`)) findings.push(finding);
    }
  }
  if (!texts && input.utterances.length > 0) findings.push(textless(input.utterances.length));
  if (input.subset !== true) findings.push(...countFindings(input.card, input.utterances));
  return sortFindings(findings);
}

function rowFindings(row: Utterance, input: ValidateInput, texts: boolean): Finding[] {
  const { card, sources } = input;
  const source = sources?.get(row.id);
  const findings: Finding[] = [];
  const error = (kind: FindingKind, expected: string, found: string, file = source?.file ?? null) => {
    const line = file !== null && file === source?.file ? source.line : null;
    findings.push({ kind, level: 'error', id: row.id, file, line, expected, found });
  };
  if (card.labels !== undefined && row.rawLabel !== null && !card.labels.includes(row.rawLabel)) {
    error('unknown-label', `one of ${card.labels.join(' ')}`, `'${row.rawLabel}'`);
  }
  const tagged = MEDIA_TAGS[row.tags[MEDIA_TAG] ?? ''];
  if (tagged !== undefined) error(tagged[0], 'a readable recording', tagged[1], row.media?.path);
  const seconds = row.media?.seconds ?? null;
  if (seconds !== null && seconds > 0 && seconds < SHORTEST_SECONDS) {
    error('too-short', `${SHORTEST_SECONDS} s or more`, `${round(seconds)} s`, row.media?.path);
  }
  if (seconds !== null && seconds > LONGEST_SECONDS) {
    error('too-long', `${LONGEST_SECONDS} s or less`, `${round(seconds)} s`, row.media?.path);
  }
  if (row.text === '' && texts) error('text-empty', 'a text', 'none');
  return findings;
}

/** A corpus without any text is one finding, not one for each row. */
function textless(rows: number): Finding {
  const found = `${rows} rows without one`;
  return { kind: 'text-empty', level: 'warning', id: null, file: null, line: null, expected: 'texts', found };
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Counts of the corpus and of each task against the card. */
function countFindings(card: Card, utterances: readonly Utterance[]): Finding[] {
  const check = new CountCheck(card.name);
  const labelled = utterances.filter((row) => row.rawLabel !== null);
  const expected = card.expected;
  if (expected !== undefined) {
    check.one('labelled utterances', expected.labelled, labelled.length);
    check.one('dialogues', expected.dialogues, new Set(utterances.map((row) => row.dialogue)).size);
    check.each(
      'label',
      expected.labels,
      tally(labelled, (row) => row.rawLabel),
    );
    check.each(
      'session',
      expected.sessions,
      tally(labelled, (row) => row.session),
    );
    check.each(
      'split',
      expected.splits,
      tally(labelled, (row) => row.split),
    );
    check.each(
      'speaker',
      expected.speakers,
      tally(labelled, (row) => row.speaker),
    );
  }
  for (const task of card.tasks) checkTask(check, task, utterances);
  return check.findings;
}

function checkTask(check: CountCheck, task: Task, utterances: readonly Utterance[]): void {
  if (task.expected === undefined && task.counts === undefined) return;
  const { rows, classes } = applyTask(task, utterances);
  const by = (key: (row: Utterance) => string | null) => tally(rows, (row) => key(row.utterance));
  const inTask = `task ${task.name}`;
  check.one(`${inTask}: utterances`, task.expected, rows.length);
  check.each(
    `${inTask}: class`,
    task.counts?.classes,
    tally(rows, (row) => classes[row.label] ?? null),
  );
  check.each(
    `${inTask}: session`,
    task.counts?.sessions,
    by((row) => row.session),
  );
  check.each(
    `${inTask}: split`,
    task.counts?.splits,
    by((row) => row.split),
  );
  check.each(
    `${inTask}: speaker`,
    task.counts?.speakers,
    by((row) => row.speaker),
  );
  for (const field of ['session', 'split'] as const) {
    const table = field === 'session' ? task.counts?.classesBySession : task.counts?.classesBySplit;
    for (const [value, counts] of Object.entries(table ?? {})) {
      const here = rows.filter((row) => row.utterance[field] === value);
      check.each(
        `${inTask}: ${field} ${value}, class`,
        counts,
        tally(here, (row) => classes[row.label] ?? null),
      );
    }
  }
}

class CountCheck {
  readonly findings: Finding[] = [];
  private readonly dataset: string;

  constructor(dataset: string) {
    this.dataset = dataset;
  }

  one(what: string, expected: number | undefined, found: number): void {
    if (expected === undefined || expected === found) return;
    this.findings.push({
      kind: 'count',
      level: 'error',
      id: null,
      file: `card ${this.dataset}`,
      line: null,
      expected: `${expected} ${what}`,
      found: String(found),
    });
  }

  /** Values that the card does not list count as 0 expected. */
  each(what: string, expected: Record<string, number> | undefined, found: ReadonlyMap<string, number>): void {
    if (expected === undefined) return;
    for (const key of new Set([...Object.keys(expected), ...found.keys()])) {
      this.one(`of ${what} ${key}`, expected[key] ?? 0, found.get(key) ?? 0);
    }
  }
}

function tally<T>(rows: readonly T[], key: (row: T) => string | null): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = key(row);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}
