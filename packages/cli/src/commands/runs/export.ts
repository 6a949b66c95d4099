import { resolve } from 'node:path';
import { encodeParquetTable, type PlainColumn, UserError, writeFileAtomic } from '@lsgmer/datasets';
import {
  type MissingRule,
  type SelectionRule,
  scoreGroup,
  tidyPredictions,
  tidyScores,
  type TidyTable,
  toCsv,
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
  TASK_OPTION,
} from '../../run-choice.ts';

interface ExportOptions extends RunChoiceOptions {
  row?: string[] | undefined;
  out?: string | undefined;
  select: string;
  missing: MissingRule;
  predictions: boolean;
}

const RULES: readonly SelectionRule[] = ['last', 'dev', 'oracle-test'];

export const exportCommand: CommandModule<object, ExportOptions> = {
  command: 'export [row..]',
  describe: 'one line per run, rule and metric with the configuration as columns; or every prediction',
  builder: (y) =>
    y
      .positional('row', {
        type: 'string',
        array: true,
        describe: 'only these: variant, label, id, or key=value,..',
      })
      .option('dataset', DATASET_OPTION)
      .option('task', TASK_OPTION)
      .option('fold', FOLD_OPTION)
      .option('out', { type: 'string', describe: 'file ending in .csv or .parquet (default: CSV on stdout)' })
      .option('select', {
        type: 'string',
        default: 'all',
        describe: 'epochs: last, dev, oracle-test, commas, or all',
      })
      .option('missing', { ...MISSING_OPTION, default: 'drop' as const })
      .option('predictions', {
        type: 'boolean',
        default: false,
        describe: 'every prediction instead, with its probabilities',
      })
      .example('$0 runs export --out runs.parquet', '')
      .example('$0 runs export full --predictions --select last --out predictions.csv', ''),
  handler: async (options) => {
    const context = createContext(options);
    const { out } = options;
    if (out !== undefined && !/\.(csv|parquet)$/.test(out))
      throw new UserError(`--out ${out}: the format follows from the ending: .csv or .parquet`);
    const rules = rulesOf(options.select);
    const choice = chooseRuns(context, options);
    for (const { problem } of choice.damaged) context.reporter.warn(problem);
    const { labelOf } = choice.facts ?? {};
    const groups = rowsNamed(choice.groups, options.row ?? []);
    const scores = rules.flatMap((select) =>
      groups.map((group) => scoreGroup(group, { select, missing: options.missing, labelOf })),
    );
    const table = options.predictions ? tidyPredictions(scores) : tidyScores(scores);
    if (table.rows.length === 0) throw new UserError('no finished run: nothing to export');
    if (out === undefined) {
      context.print(toCsv(table).trimEnd());
      return;
    }
    const bytes = out.endsWith('.csv') ? toCsv(table) : await encodeParquetTable(columnsOf(table));
    writeFileAtomic(resolve(context.folder, out), bytes);
    context.reporter.info(`${out}: ${table.rows.length.toLocaleString('en')} lines`);
  },
};

const INTEGERS = new Set(['seed', 'evaluated', 'expected', 'numerics']);

function columnsOf({ columns, rows }: TidyTable): PlainColumn[] {
  return columns.map((name, i) => ({
    name,
    values: rows.map((row) => row[i] ?? null),
    integer: INTEGERS.has(name),
  }));
}

function rulesOf(text: string): SelectionRule[] {
  if (text === 'all') return [...RULES];
  return text.split(',').map((part) => {
    const rule = RULES.find((one) => one === part.trim());
    if (rule === undefined)
      throw new UserError(`--select ${part}: choose from ${RULES.join(', ')}, commas, or all`);
    return rule;
  });
}
