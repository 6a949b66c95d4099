import { UserError } from '../base/errors.ts';
import type { Card, Protocol, Task } from './card.ts';
import { carveDev, type DevRule } from './dev-part.ts';
import { isSpeakerDependent, planFolds, selectFolds, type Fold } from './folds.ts';
import { leakedIds, LeakIndex } from './leakage.ts';
import { parseProtocol } from './protocol.ts';
import { applyTask, findTask, type TaskRow } from './task.ts';
import type { Utterance } from './utterance.ts';
import { checkWhere, matchesWhere, requireRows, type Where } from './where.ts';

export interface FoldAsk {
  /** Default: the task's own. */
  readonly protocol?: string | undefined;
  /** As `selectFolds` takes it. */
  readonly fold: string;
  readonly dev?: DevRule | undefined;
  readonly where?: Where | undefined;
}

/** The folds that an experiment runs over, and what must be said of them. */
export interface FoldChoice {
  readonly protocol: Protocol;
  /** Test speakers are also heard in training: said wherever a result is shown. */
  readonly speakerDependent: boolean;
  readonly folds: readonly Fold[];
  /** Ids of all folds of the protocol, chosen or not. */
  readonly allFolds: readonly string[];
  /** The task's rows that the filter leaves, in the manifest's order. */
  readonly rows: readonly TaskRow[];
  /** One line each: what the filter took, where dev comes from, what dev and training share. */
  readonly notes: readonly string[];
}

/**
 * Cuts a task into folds as asked: all rows by the protocol, the folds chosen, dev carved from training, and only then
 * filtered, so that a filter takes rows out of folds and moves none between them.
 * @param utterances every utterance of the manifest
 * @throws UserError, UserErrors: unknown names and values, what a protocol lacks, parts that are left empty.
 */
export function chooseFolds(task: Task, utterances: readonly Utterance[], ask: FoldAsk): FoldChoice {
  const { rows } = applyTask(task, utterances);
  const ofTask = rows.map((row) => row.utterance);
  const protocol =
    ask.protocol === undefined
      ? task.protocol
      : parseProtocol(
          ask.protocol,
          task.protocol,
          utterances.map((row) => row.split),
        );
  const all = planFolds(protocol, ofTask);
  const allFolds = all.map((fold) => fold.id);
  const chosen = selectFolds(all, ask.fold);
  const { dev = { kind: 'none' }, where } = ask;
  const notes: string[] = [];
  const carved = chosen.map((fold) => carve(fold, dev, ofTask, notes));
  if (where === undefined) {
    const speakerDependent = isSpeakerDependent(protocol, carved, ofTask);
    return { protocol, speakerDependent, folds: carved, allFolds, rows, notes };
  }
  checkWhere(where, utterances);
  const left = requireRows(
    where,
    rows.filter((row) => matchesWhere(where, row.utterance)),
  );
  const keep = new Set(left.map((row) => row.utterance.id));
  const folds = filterFolds(carved, where, keep, ofTask, notes);
  notes.unshift(`where ${where.text}: ${left.length} of ${rows.length} utterances of the task`);
  const speakerDependent = isSpeakerDependent(protocol, folds, ofTask);
  return { protocol, speakerDependent, folds, allFolds, rows: left, notes };
}

function carve(fold: Fold, rule: DevRule, rows: readonly Utterance[], notes: string[]): Fold {
  if (rule.kind === 'none') return fold;
  const { sharedDialogues, sharedRows, ...carved } = carveDev(fold, rule, rows);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const values = new Set(carved.dev.map((id) => byId.get(id)?.[rule.kind]));
  const from =
    rule.kind === 'session'
      ? `session ${[...values].join(', ')}`
      : `${values.size} ${rule.kind}${values.size === 1 ? '' : 's'}`;
  const shared =
    sharedDialogues === 0 ? '' : `; ${sharedRows} of them share ${sharedDialogues} dialogues with training`;
  notes.push(`fold ${fold.id}: dev is ${from}, ${carved.dev.length} utterances${shared}`);
  return carved;
}

function filterFolds(
  folds: readonly Fold[],
  where: Where,
  keep: ReadonlySet<string>,
  rows: readonly Utterance[],
  notes: string[],
): Fold[] {
  const index = where.leaked === null ? null : new LeakIndex(rows);
  const dropped: string[] = [];
  let leakedRows = 0;
  const filtered = folds.flatMap((fold): Fold[] => {
    const of = (ids: readonly string[]) => ids.filter((id) => keep.has(id));
    const plain = { id: fold.id, train: of(fold.train), dev: of(fold.dev), test: of(fold.test) };
    const leaked = index === null ? new Set<string>() : leakedIds(index.compare(plain));
    leakedRows += leaked.size;
    const held = (ids: readonly string[]) =>
      where.leaked === null ? ids : ids.filter((id) => leaked.has(id) === (where.leaked === 'only'));
    const left = { ...plain, dev: held(plain.dev), test: held(plain.test) };
    if (left.test.length === 0) {
      dropped.push(fold.id);
      return [];
    }
    if (left.train.length === 0)
      throw new UserError(`--where ${where.text}: fold ${fold.id} has nothing left to train on`);
    return [left];
  });
  if (filtered.length === 0) throw new UserError(`--where ${where.text}: no fold has a test utterance left`);
  if (where.leaked !== null) notes.push(`${leakedRows} dev and test utterances are known from training`);
  if (dropped.length > 0)
    notes.push(`folds without a test utterance left are dropped: ${dropped.join(', ')}`);
  return filtered;
}

/**
 * The utterances that a filter leaves of a manifest. What is `leaked` follows from the folds of the card's first task.
 * @throws UserErrors, UserError: values that no utterance has, nothing left.
 */
export function filterUtterances(
  card: Card,
  utterances: readonly Utterance[],
  where: Where,
): readonly Utterance[] {
  checkWhere(where, utterances);
  const rows = utterances.filter((row) => matchesWhere(where, row));
  if (where.leaked === null) return requireRows(where, rows);
  const task = findTask(card);
  const ofTask = applyTask(task, utterances).rows.map((row) => row.utterance);
  const index = new LeakIndex(ofTask);
  const keep = new Set(rows.map((row) => row.id));
  const of = (ids: readonly string[]) => ids.filter((id) => keep.has(id));
  const folds = ofTask.length === 0 ? [] : planFolds(task.protocol, ofTask);
  const leaked = new Set(
    folds.flatMap(({ id, train, dev, test }) => [
      ...leakedIds(index.compare({ id, train: of(train), dev: of(dev), test: of(test) })),
    ]),
  );
  return requireRows(
    where,
    rows.filter((row) => leaked.has(row.id) === (where.leaked === 'only')),
  );
}
