import {
  type GroupScores,
  type MetricKey,
  metricKeys,
  type MissingRule,
  type RunEntry,
  type RunGroup,
  type SelectionRule,
  scoreGroup,
  scoreNames,
  tableNotes,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { createContext } from '../../context.ts';
import {
  chooseRuns,
  DATASET_OPTION,
  FOLD_OPTION,
  MISSING_OPTION,
  type RunChoiceOptions,
  rowsNamed,
  SELECT_OPTION,
  TASK_OPTION,
} from '../../run-choice.ts';
import { headedTable } from '../../ui/table.ts';

const SORTS = ['label', 'changed', ...metricKeys] as const;

interface ListOptions extends RunChoiceOptions {
  row?: string[] | undefined;
  sort: (typeof SORTS)[number];
  each: boolean;
  select: SelectionRule;
  missing: MissingRule;
  json: boolean;
}

export const listCommand: CommandModule<object, ListOptions> = {
  command: 'list [row..]',
  describe: 'rows (variants) with their seeds, folds and scores, or each run by itself',
  builder: (y) =>
    y
      .positional('row', {
        type: 'string',
        array: true,
        describe: 'only these: variant, label, id, or key=value,.. (status=unfinished, lr=0.001)',
      })
      .option('dataset', DATASET_OPTION)
      .option('task', TASK_OPTION)
      .option('fold', FOLD_OPTION)
      .option('sort', { choices: SORTS, default: 'label' as const, describe: 'scores: best first' })
      .option('each', { type: 'boolean', default: false, describe: 'a line for each run' })
      .option('select', SELECT_OPTION)
      .option('missing', { ...MISSING_OPTION, default: 'drop' as const })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 runs list --sort ua', 'the best variant first')
      .example('$0 runs list status=unfinished --each', ''),
  handler: (options) => {
    const context = createContext(options);
    const choice = chooseRuns(context, options);
    for (const { problem } of choice.damaged) context.reporter.warn(problem);
    const rules = {
      select: options.select,
      missing: options.missing,
      labelOf: choice.facts?.labelOf,
    };
    const rows = rowsNamed(choice.groups, options.row ?? []).map((group) => scoreGroup(group, rules));
    const sorted = rows.sort((a, b) => order(a, b, options.sort));
    if (options.json) {
      context.print(JSON.stringify(sorted.map(rowJson)));
      return;
    }
    const title = `${choice.dataset}, task ${choice.task}; epoch taken: ${options.select}; pooled, mean ± sd over seeds, in %`;
    const table = options.each ? runsTable(sorted, options.sort) : rowsTable(sorted);
    const notes = tableNotes(sorted).map((note) => `! ${note}`);
    context.print([title, table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n'));
  },
};

function order(a: GroupScores, b: GroupScores, sort: ListOptions['sort']): number {
  if (sort === 'label') return a.group.label < b.group.label ? -1 : 1;
  if (sort === 'changed') return changed(b.group) - changed(a.group);
  const of = (row: GroupScores): number => row.overSeeds?.pooled.mean[sort] ?? -1;
  return of(b) - of(a);
}

const changed = (group: RunGroup): number => Math.max(...group.runs.map((run) => run.changed));
const percent = (share: number): string => (100 * share).toFixed(1);
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

function rowsTable(rows: readonly GroupScores[]): string {
  const cells = rows.map((row) => {
    const { group, overSeeds, coverage } = row;
    const score = (key: MetricKey): string => {
      if (overSeeds === null) return '-';
      const { mean, sd } = overSeeds.pooled;
      return `${percent(mean[key])}${sd === null ? '' : ` ± ${percent(sd[key])}`}`;
    };
    const all = group.seeds.length * group.folds.length;
    const finished = group.runs.length - group.unfinished.length;
    return [
      group.label,
      group.key.slice(0, 6),
      `${group.seeds.length} x ${group.folds.length}`,
      `${finished} of ${all}`,
      ...metricKeys.map(score),
      coverage === null ? '-' : `${coverage.evaluated} of ${coverage.expected}`,
      stateText(row),
    ];
  });
  const names = metricKeys.map((key) => scoreNames[key]);
  return headedTable(['row', 'key', 'seeds x folds', 'finished', ...names, 'n', ''], cells);
}

function stateText({ group, complete }: GroupScores): string {
  return [
    ...(group.stale || (group.outdated ?? []).length > 0 ? ['stale'] : []),
    ...(group.mixed.length > 0 ? ['mixed'] : []),
    ...(complete.length < group.seeds.length
      ? [`${complete.length} of ${group.seeds.length} seeds complete`]
      : []),
  ].join(', ');
}

function runsTable(rows: readonly GroupScores[], sort: ListOptions['sort']): string {
  const runs = rows.flatMap((row) => row.group.runs.map((run) => ({ row, run })));
  if (sort === 'changed') runs.sort((a, b) => b.run.changed - a.run.changed);
  const cells = runs.map(({ row, run }) => {
    const cell = row.seeds
      .find((one) => one.seed === run.identity.seed)
      ?.folds.find((one) => one.run.id === run.id);
    const scores = metricKeys.map((key) => (cell === undefined ? '-' : percent(cell.metrics[key])));
    const n = cell === undefined ? '-' : `${cell.evaluated} of ${cell.expected}`;
    const { seed, fold } = run.identity;
    return [
      run.id,
      row.group.label,
      fold,
      String(seed),
      ...scores,
      n,
      statusText(run, row.group),
      day(run.changed),
    ];
  });
  const names = metricKeys.map((key) => scoreNames[key]);
  return headedTable(['run', 'row', 'fold', 'seed', ...names, 'n', 'status', 'changed (UTC)'], cells);
}

function statusText(run: RunEntry, { outdated }: RunGroup): string {
  const status =
    run.status === 'finished'
      ? 'finished'
      : `at epoch ${run.epoch} of ${String(run.identity.config['epochs'] ?? '?')}`;
  const other = outdated?.includes(run.id) === true;
  const stale = `${run.stale ? ', stale' : ''}${other ? ', stale: other utterances or labels than the manifest has now' : ''}`;
  return `${status}${stale}`;
}

/** A row as plain data, without predictions. */
function rowJson({ group, select, missing, seeds, complete, overSeeds, coverage }: GroupScores): object {
  return {
    ...group,
    select,
    missing,
    complete,
    overSeeds,
    coverage,
    seeds: seeds.map(({ seed, folds, lacking, overFolds, pooled }) => ({
      seed,
      lacking,
      overFolds,
      pooled,
      folds: folds.map(({ fold, run, metrics, evaluated, expected }) => ({
        fold,
        run: run.id,
        metrics,
        evaluated,
        expected,
      })),
    })),
  };
}
