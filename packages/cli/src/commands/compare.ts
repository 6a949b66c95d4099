import { UserError } from '@lsgmer/datasets';
import {
  type Aggregate,
  compareRows,
  DRAWS,
  type GroupScores,
  type MetricKey,
  metricKeys,
  type MissingRule,
  type RunGroup,
  type SelectionRule,
  scoreGroup,
  type Unit,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../context.ts';
import {
  chooseRuns,
  DATASET_OPTION,
  FOLD_OPTION,
  MISSING_OPTION,
  type RunChoice,
  type RunChoiceOptions,
  rowsNamed,
  SELECT_OPTION,
  TASK_OPTION,
} from '../run-choice.ts';
import { comparisonJson, comparisonText } from '../ui/comparison.ts';

interface CompareOptions extends RunChoiceOptions {
  row?: string[] | undefined;
  score?: MetricKey | 'all' | undefined;
  over: Aggregate;
  select: SelectionRule;
  missing: MissingRule;
  unit: Unit;
  draws: number;
  'draw-seed': number;
  json: boolean;
}

export const compareCommand: CommandModule<object, CompareOptions> = {
  command: 'compare [row..]',
  describe: 'differences of rows to the first one, with intervals, over all their seeds and folds',
  builder: (y) =>
    y
      .positional('row', {
        type: 'string',
        array: true,
        describe:
          "variant, label, id of a row or run, or key=value,..; the first is what others are compared with (default: 'full', else the first)",
      })
      .option('dataset', DATASET_OPTION)
      .option('task', TASK_OPTION)
      .option('fold', FOLD_OPTION)
      .option('score', {
        choices: [...metricKeys, 'all'] as const,
        describe: "score of the differences (default: the task's main one)",
      })
      .option('over', {
        choices: ['pooled', 'folds'] as const,
        default: 'pooled' as const,
        describe: "all folds' predictions as one set, or the mean over folds",
      })
      .option('select', SELECT_OPTION)
      .option('missing', MISSING_OPTION)
      .option('unit', {
        choices: ['dialogue', 'utterance'] as const,
        default: 'dialogue' as const,
        describe: 'what is drawn; utterance takes them for independent: iid, too narrow',
      })
      .option('draws', { type: 'number', default: DRAWS, describe: 'bootstrap draws' })
      .option('draw-seed', { type: 'number', default: 1, describe: 'of the draws' })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 compare full no-ma', 'two variants over all their seeds and folds')
      .example('$0 compare --dataset demo', "every variant against 'full'")
      .example('$0 compare modality=both modality=text --score all', 'rows by their configuration'),
  handler: async (options) => {
    const context = createContext(options);
    if (!(Number.isInteger(options.draws) && options.draws >= 100))
      throw new UserError(`--draws ${options.draws}: expected a whole number from 100 on`);
    const choice = chooseRuns(context, options);
    const named = options.row ?? [];
    const first = firstRow(choice.groups, named);
    const rows = scoredRows(context, choice, options, first, named);
    const result = compareRows(rows, {
      dialogueOf: dialoguesOf(choice, options.unit),
      unit: options.unit,
      draws: options.draws,
      seed: options['draw-seed'],
    });
    if (options.json) {
      context.print(JSON.stringify(comparisonJson(result)));
      return;
    }
    const score = options.score ?? choice.facts?.metric ?? 'ua';
    const scores = score === 'all' ? metricKeys : [score];
    if (choice.facts?.synthetic === true)
      context.print('SYNTHETIC data: these numbers say nothing about emotion recognition');
    context.print(comparisonText(result, { scores, aggregate: options.over }));
  },
};

/** The row that others are compared with. */
function firstRow(groups: readonly RunGroup[], names: readonly string[]): RunGroup {
  if (names[0] !== undefined) return rowsNamed(groups, [names[0]])[0] as RunGroup;
  const current = groups.filter((group) => !group.stale);
  const full = current.find((group) => group.variant === 'full');
  const first = full ?? current[0] ?? groups[0];
  if (first === undefined) throw new UserError('there is no row to compare');
  return first;
}

/**
 * The rows of the table. Those that are named must be comparable; where one or none is, the others are all that are,
 * and what is left out is said.
 */
function scoredRows(
  context: Context,
  choice: RunChoice,
  { select, missing }: CompareOptions,
  first: RunGroup,
  names: readonly string[],
): GroupScores[] {
  const rules = { select, missing, labelOf: choice.facts?.labelOf };
  const chosen = rowsNamed(choice.groups, names);
  if (names.length > 1 || (chosen.length > 1 && names.length === 1)) {
    if (chosen.length < 2)
      throw new UserError(`${names.join(', ')}: all name the same row, '${first.label}'`);
    return chosen.map((group) => scoreGroup(group, rules));
  }
  const base = scoreGroup(first, rules);
  const others = choice.groups
    .filter((group) => group !== first)
    .flatMap((group) => {
      const why = unfit(group, first);
      const scores = why === null ? scoreGroup(group, rules) : null;
      const lacks = scores !== null && !scores.complete.some((seed) => base.complete.includes(seed));
      if (scores !== null && !lacks) return [scores];
      context.reporter.warn(
        `left out: ${group.label}: ${why ?? `no seed that has every fold is also one of ${first.label}`}`,
      );
      return [];
    });
  if (others.length === 0)
    throw new UserError(
      `nothing to compare ${first.label} with: there ${choice.groups.length === 1 ? 'is no other row' : 'are no rows that fit'}`,
    );
  return [base, ...others];
}

function unfit(group: RunGroup, first: RunGroup): string | null {
  if (group.stale && !first.stale) return `stale, of numerics version ${group.numerics}`;
  if (group.mixed.length > 0) return `its runs must not be averaged: ${group.mixed.join('; ')}`;
  if (group.folds.join() !== first.folds.join()) return `other folds (${group.folds.join(', ')})`;
  return null;
}

function dialoguesOf({ facts, dataset }: RunChoice, unit: Unit): (id: string) => string | null {
  if (facts !== null) return facts.dialogueOf;
  if (unit === 'utterance') return () => null;
  throw new UserError(
    `which utterances make a dialogue, the manifest of ${dataset} knows, and no store has it: build or pull it, or draw utterances with --unit utterance (too narrow)`,
  );
}
