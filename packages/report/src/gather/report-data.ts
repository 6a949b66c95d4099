import type { Card, Task, Utterance } from '@lsgmer/datasets';
import { applyTask, findTask, UserError, UserErrors } from '@lsgmer/datasets';
import {
  type Catalogue,
  type CellScores,
  type GroupScores,
  groupRuns,
  type MissingRule,
  readCatalogue,
  type RunGroup,
  scoreGroup,
  type SelectionRule,
} from '@lsgmer/train';

export interface ReportAsk {
  /** Root of all runs. */
  readonly runs: string;
  readonly card: Card;
  /** Task of the card; its first with runs when left out. */
  readonly task?: string | undefined;
  /** The manifest's rows; null where there is no manifest: texts and speakers are then left out. */
  readonly utterances: readonly Utterance[] | null;
  /** Which epoch tables and figures are from, where they do not show all rules. */
  readonly select: SelectionRule;
  /** How test utterances without features count. */
  readonly missing: Exclude<MissingRule, 'error'>;
  readonly seed: number;
}

/** Everything that tables and figures are made from. */
export interface ReportData {
  readonly card: Card;
  readonly task: Task;
  readonly classes: readonly string[];
  readonly select: SelectionRule;
  readonly missing: ReportAsk['missing'];
  readonly seed: number;
  /** Under `select`, in the order of tables. */
  readonly groups: readonly GroupScores[];
  /** The same groups under every rule that any run has predictions for. */
  readonly byRule: ReadonlyMap<SelectionRule, readonly GroupScores[]>;
  /** The group with label guidance that figures show, and the one without. */
  readonly guided: GroupScores | undefined;
  readonly unguided: GroupScores | undefined;
  readonly damaged: Catalogue['damaged'];
  /** Runs without a test part that were left out. */
  readonly trials: number;
  readonly utterances: ReadonlyMap<string, Utterance>;
}

const RULES: readonly SelectionRule[] = ['last', 'dev', 'oracle-test'];
/** The paper's order. */
const ORDER = ['full', 'lsgmer', 'no-ma', 'no-joo', 'no-lsma-joo'];

/**
 * Reads the finished runs of a dataset's task and scores them under every rule.
 * @throws UserError where there is no run, or none under the rule, with what there is; UserErrors for damaged predictions
 */
export function gatherReport(ask: ReportAsk): ReportData {
  const { entries: all, damaged } = readCatalogue(ask.runs, { dataset: ask.card.name });
  // trials of a sweep have no test part, and nothing to report
  const entries = all.filter((entry) => entry.coverage.expected > 0);
  const tasks = [...new Set(entries.map((entry) => entry.identity.task))];
  const task = chooseTask(ask, tasks);
  const mine = groupRuns(entries.filter((entry) => entry.identity.task === task.name));
  if (mine.length === 0) {
    if (entries.length === 0 && damaged.length > 0)
      throw new UserErrors(damaged.map(({ problem }) => problem));
    const there = tasks.length === 0 ? '' : `; there are runs of task ${tasks.join(', ')}`;
    throw new UserError(
      `no run of ${ask.card.name}, task ${task.name}, in ${ask.runs}${there}: train first (make train DATASET=${ask.card.name})`,
    );
  }
  const groups = [...mine].sort((a, b) => rank(a) - rank(b) || Number(a.stale) - Number(b.stale));
  const labels = new Map(
    (ask.utterances === null ? [] : applyTask(task, ask.utterances).rows).map((row) => [
      row.utterance.id,
      row.label,
    ]),
  );
  const scored = (select: SelectionRule): GroupScores[] =>
    groups.map((group) =>
      scoreGroup(group, { select, missing: ask.missing, labelOf: (id) => labels.get(id) }),
    );
  const byRule = new Map(RULES.map((rule) => [rule, scored(rule)] as const));
  const headline = byRule.get(ask.select) ?? scored(ask.select);
  for (const [rule, rows] of byRule)
    if (rule !== ask.select && rows.every((row) => cellsOf(row).length === 0)) byRule.delete(rule);
  if (headline.every((row) => cellsOf(row).length === 0) && byRule.size > 1) {
    const others = [...byRule.keys()].filter((rule) => rule !== ask.select);
    throw new UserError(
      `--select ${ask.select}: no run of ${ask.card.name}, task ${task.name}, has such an epoch; there are ${others.join(' and ')}` +
        (ask.select === 'dev'
          ? ' (a dev part is carved by train --dev session, dialogue:0.1 or speaker:0.1)'
          : ''),
    );
  }
  const { guided, unguided } = pairOf(headline.filter((row) => cellsOf(row).length > 0));
  return {
    card: ask.card,
    task,
    classes: mine[0]?.classes ?? [],
    select: ask.select,
    missing: ask.missing,
    seed: ask.seed,
    groups: headline,
    byRule,
    guided,
    unguided,
    damaged,
    trials: all.length - entries.length,
    utterances: new Map((ask.utterances ?? []).map((one) => [one.id, one])),
  };
}

function chooseTask({ card, task }: ReportAsk, withRuns: readonly string[]): Task {
  if (task !== undefined) return findTask(card, task);
  const known = card.tasks.find((one) => withRuns.includes(one.name));
  return known ?? findTask(card);
}

function rank({ variant }: RunGroup): number {
  const at = ORDER.indexOf(variant);
  return at < 0 ? ORDER.length : at;
}

/** Every scored run of a group, by seed and fold. */
export const cellsOf = (row: GroupScores): readonly CellScores[] => row.seeds.flatMap((one) => one.folds);

/** The first head with guidance that has one without beside it; else the first with guidance alone. */
function pairOf(rows: readonly GroupScores[]): Pick<ReportData, 'guided' | 'unguided'> {
  const candidates = rows.filter((row) => isGuided(row.group));
  for (const guided of candidates) {
    const unguided = rows.find((row) => isCounterpart(row.group, guided.group));
    if (unguided !== undefined) return { guided, unguided };
  }
  return { guided: candidates[0], unguided: undefined };
}

/** Whether a head reads both modalities under the guidance of the labels. */
function isGuided({ config, stale, mixed }: RunGroup): boolean {
  return (
    !stale &&
    mixed.length === 0 &&
    config['label.attention'] !== false &&
    (config['modality'] ?? 'both') === 'both'
  );
}

/** Whether a group is the same head without label guidance: no label attention, no APC, all else equal. */
function isCounterpart(group: RunGroup, guided: RunGroup): boolean {
  if (group.stale || group.mixed.length > 0 || group.config['label.attention'] !== false) return false;
  const keys = new Set([...Object.keys(group.config), ...Object.keys(guided.config)]);
  return [...keys].every(
    (key) => key === 'label.attention' || key === 'loss.apc' || group.config[key] === guided.config[key],
  );
}
