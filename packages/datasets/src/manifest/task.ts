import { UserError } from '../base/errors.ts';
import type { Card, Task } from './card.ts';
import type { Utterance } from './utterance.ts';

/** One utterance of a task, with the index of its class. */
export interface TaskRow {
  readonly utterance: Utterance;
  readonly label: number;
}

/** A manifest seen through a task. */
export interface TaskView {
  /** Class names by index. */
  readonly classes: readonly string[];
  /** In the manifest's order. */
  readonly rows: readonly TaskRow[];
  /** Rows with a label that no class lists, by label; `(none)` for those without one. */
  readonly excluded: Readonly<Record<string, number>>;
  /** Rows that lack the task's tags, whatever their label. */
  readonly filtered: number;
}

/** Key of `TaskView.excluded` for rows without a label. */
export const NO_LABEL = '(none)';

/** The label that a task is about: rawLabel, or the sentiment that the corpus gives beside it; null for none. */
export function labelOf(task: Task, utterance: Utterance): string | null {
  if (task.label === undefined) return utterance.rawLabel;
  return utterance.annotations.find((one) => one.sentiment !== undefined)?.sentiment ?? null;
}

/** Turns labels into classes. Nothing is dropped silently: what is outside the task is counted. */
export function applyTask(task: Task, utterances: readonly Utterance[]): TaskView {
  const index = new Map<string, number>();
  task.classes.forEach((one, i) => one.labels.forEach((label) => index.set(label, i)));
  const wanted = Object.entries(task.tags ?? {});
  const rows: TaskRow[] = [];
  const excluded = new Map<string, number>();
  let filtered = 0;
  for (const utterance of utterances) {
    if (!wanted.every(([key, value]) => utterance.tags[key] === value)) {
      filtered++;
      continue;
    }
    const own = labelOf(task, utterance);
    const label = own === null ? undefined : index.get(own);
    if (label === undefined) {
      const key = own ?? NO_LABEL;
      excluded.set(key, (excluded.get(key) ?? 0) + 1);
    } else {
      rows.push({ utterance, label });
    }
  }
  const sorted = [...excluded].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    classes: task.classes.map((one) => one.name),
    rows,
    excluded: Object.fromEntries(sorted),
    filtered,
  };
}

/**
 * The card's task of that name; without a name its first, the default.
 * @throws UserError that lists the card's tasks.
 */
export function findTask(card: Card, name?: string): Task {
  const task = name === undefined ? card.tasks[0] : card.tasks.find((one) => one.name === name);
  if (task === undefined) {
    const names = card.tasks.map((one) => one.name).join(', ');
    throw new UserError(`dataset ${card.name} has no task ${name ?? ''}: choose one of ${names}`);
  }
  return task;
}
