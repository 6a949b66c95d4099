import { readManifest, UserError, type Utterance } from '@lsgmer/datasets';
import {
  fieldValue,
  leakedTests,
  metricKeys,
  type MissingRule,
  type RunGroup,
  type SelectionRule,
  scoreGroup,
  scoreNames,
  type Slice,
  SLICE_FIELDS,
  sliceScores,
  tableNotes,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
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
} from '../../run-choice.ts';
import { headedTable } from '../../ui/table.ts';

interface SlicesOptions extends RunChoiceOptions {
  row?: string[] | undefined;
  by: string;
  select: SelectionRule;
  missing: MissingRule;
  json: boolean;
}

export const slicesCommand: CommandModule<object, SlicesOptions> = {
  command: 'slices [row..]',
  describe: 'scores by speaker, session, length, style, or what leaked from training',
  builder: (y) =>
    y
      .positional('row', {
        type: 'string',
        array: true,
        describe: 'only these: variant, label, id, or key=value,..',
      })
      .option('by', { type: 'string', default: 'speaker', describe: `one of ${SLICE_FIELDS.join(', ')}` })
      .option('dataset', DATASET_OPTION)
      .option('task', TASK_OPTION)
      .option('fold', FOLD_OPTION)
      .option('select', SELECT_OPTION)
      .option('missing', MISSING_OPTION)
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 runs slices full --by tags.style', '')
      .example('$0 runs slices --by leaked', ''),
  handler: (options) => {
    const context = createContext(options);
    const choice = chooseRuns(context, options);
    const groups = rowsNamed(choice.groups, options.row ?? []).filter((group) => !group.stale);
    const rules = { select: options.select, missing: options.missing, labelOf: choice.facts?.labelOf };
    const rows = groups.map((group) => {
      const scores = scoreGroup(group, rules);
      return { scores, slices: sliceScores(scores, valueOf(context, choice, group, options.by)) };
    });
    if (options.json) {
      const plain = rows.map(({ scores, slices }) => ({
        label: scores.group.label,
        key: scores.group.key,
        slices,
      }));
      context.print(JSON.stringify({ by: options.by, select: options.select, rows: plain }));
      return;
    }
    const title = `${choice.dataset}, task ${choice.task}; epoch taken: ${options.select}; pooled over folds, mean ± sd over seeds, in %`;
    const tables = rows.map(({ scores, slices }) => slicesTable(scores.group.label, options.by, slices));
    const notes = tableNotes(rows.map(({ scores }) => scores)).map((note) => `! ${note}`);
    context.print([title, ...tables, notes.join('\n')].filter((part) => part !== '').join('\n\n'));
  },
};

/** @throws UserError for a name that is no field, a field that nobody has, and where the manifest is not here */
function valueOf(
  context: Context,
  { dataset, facts }: RunChoice,
  group: RunGroup,
  by: string,
): (id: string, fold: string) => string | null {
  if (facts === null)
    throw new UserError(`${dataset} has no manifest in ${context.stores.join(', ')}: build or pull it first`);
  if (by === 'leaked') {
    const leaked = leakedTests(readManifest(context.stores, dataset), group);
    return (id, fold) => (leaked.get(fold)?.has(id) === true ? 'known from training' : 'new');
  }
  const read = fieldValue(by);
  if (read === undefined) throw new UserError(`--by ${by}: choose one of ${SLICE_FIELDS.join(', ')}`);
  const rows = [...facts.utterances.values()];
  if (rows.every((row) => read(row) === null)) {
    const tags = [...new Set(rows.flatMap((row) => Object.keys(row.tags)))].sort();
    throw new UserError(
      `--by ${by}: no utterance of ${dataset} has it; tags are ${tags.length === 0 ? 'none' : tags.join(', ')}`,
    );
  }
  return (id) => read(facts.utterances.get(id) as Utterance);
}

const percent = (share: number): string => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));

function slicesTable(label: string, by: string, slices: readonly Slice[]): string {
  const cells = slices.map(({ value, n, seeds, overSeeds: { mean, sd } }) => {
    const absent = Math.max(...seeds.map((one) => one.metrics.absent));
    return [
      value,
      ...metricKeys.map((key) => `${percent(mean[key])}${sd === null ? '' : ` ± ${percent(sd[key])}`}`),
      `${n}${absent > 0 ? ` (${absent} ${absent === 1 ? 'class' : 'classes'} absent)` : ''}`,
    ];
  });
  const names = metricKeys.map((key) => scoreNames[key]);
  return headedTable([`${label}, by ${by}`, ...names, 'n'], cells);
}
