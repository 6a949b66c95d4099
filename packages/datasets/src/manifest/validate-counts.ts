import { nearest } from '../base/nearest.ts';
import type { Card, Task } from './card.ts';
import type { Finding } from './finding.ts';
import { applyTask, labelOf } from './task.ts';
import type { Utterance } from './utterance.ts';

/**
 * Labels of classes that no utterance has, where the card does not list the corpus's labels (`loadCard` checks those that do): a
 * slip in one leaves its utterances out of the task.
 */
export function absentLabels(card: Card, utterances: readonly Utterance[]): Finding[] {
  if (card.labels !== undefined) return [];
  return card.tasks.flatMap((task) => {
    const there = new Set(utterances.map((row) => labelOf(task, row)).filter((label) => label !== null));
    const own = task.classes.flatMap(({ name, labels }) => labels.map((label) => ({ name, label })));
    const listed = new Set(own.map(({ label }) => label));
    const left = [...there].filter((label) => !listed.has(label)).sort();
    return own
      .filter(({ label }) => !there.has(label))
      .map(({ name, label }): Finding => {
        const near = nearest(label, left);
        return {
          kind: 'unknown-label',
          level: 'warning',
          id: null,
          file: `card ${card.name}`,
          line: null,
          expected: `utterances of label '${label}' (task ${task.name}, class ${name})`,
          found: near === undefined ? 'none' : `none; the nearest label that no class takes is '${near}'`,
        };
      });
  });
}

/** Counts of the corpus and of each task against the card. */
export function countFindings(card: Card, utterances: readonly Utterance[]): Finding[] {
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
