import { applyTask, findTask, type Manifest, type Utterance } from '@lsgmer/datasets';
import type { MetricKey } from '../evaluate/metrics.ts';

/** What a manifest knows of a task's utterances, and runs do not: what scores are grouped and counted by. */
export interface TaskFacts {
  readonly classes: readonly string[];
  readonly metric: MetricKey;
  /** Generated data. */
  readonly synthetic: boolean;
  /** Every utterance of the task, by id. */
  readonly utterances: ReadonlyMap<string, Utterance>;
  /** Class index; undefined for an utterance that is not in the task. */
  readonly labelOf: (id: string) => number | undefined;
  /** Null where the corpus has no dialogues, or does not know the utterance. */
  readonly dialogueOf: (id: string) => string | null;
}

/** @throws UserError where the card has no such task */
export function taskFacts({ card, utterances }: Manifest, taskName: string): TaskFacts {
  const task = findTask(card, taskName);
  const { classes, rows } = applyTask(task, utterances);
  const byId = new Map(rows.map((row) => [row.utterance.id, row]));
  return {
    classes,
    metric: task.metric,
    synthetic: card.synthetic,
    utterances: new Map(rows.map((row) => [row.utterance.id, row.utterance])),
    labelOf: (id) => byId.get(id)?.label,
    dialogueOf: (id) => byId.get(id)?.utterance.dialogue ?? null,
  };
}
