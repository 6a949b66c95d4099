import { TRASH_DAYS, UserError } from '@lsgmer/datasets';
import { LIVE_MINUTES, planRemoval, type RunEntry, removeRuns } from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { createContext } from '../../context.ts';
import {
  chooseRuns,
  DATASET_OPTION,
  FOLD_OPTION,
  type RunChoiceOptions,
  rowsNamed,
  TASK_OPTION,
} from '../../run-choice.ts';
import { agreed } from '../../ui/ask.ts';

interface DeleteOptions extends RunChoiceOptions {
  row?: string[] | undefined;
  yes: boolean;
  'dry-run': boolean;
}

export const deleteCommand: CommandModule<object, DeleteOptions> = {
  command: 'delete <row..>',
  describe: 'move runs to <runs>/<dataset>/trash; shows them and asks; never one that may be running',
  builder: (y) =>
    y
      .positional('row', {
        type: 'string',
        array: true,
        describe: 'variant, label, id of a row or run, or key=value,.. (status=stale)',
      })
      .option('dataset', DATASET_OPTION)
      .option('task', TASK_OPTION)
      .option('fold', FOLD_OPTION)
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'show them and stop' })
      .example('$0 runs delete status=stale --dry-run', ''),
  handler: async (options) => {
    const context = createContext(options);
    const choice = chooseRuns(context, options);
    const names = options.row ?? [];
    const chosen = [...new Set(names.flatMap((name) => runsNamed(choice.groups, name)))];
    const { remove, live } = planRemoval(chosen, Date.now());
    const outdated = new Set(choice.groups.flatMap((group) => group.outdated ?? []));
    const told = (run: RunEntry): string =>
      `${run.id}  ${run.variant}  fold ${run.identity.fold}  seed ${run.identity.seed}  ${run.status}${run.stale || outdated.has(run.id) ? ', stale' : ''}`;
    for (const run of live)
      context.reporter.warn(`let be, it wrote within ${LIVE_MINUTES} minutes: ${told(run)}`);
    for (const run of remove) context.print(`to trash  ${told(run)}`);
    if (remove.length === 0) {
      context.reporter.info('nothing to delete');
      return;
    }
    if (options['dry-run']) return;
    if (!options.yes && !(await agreed(`Move ${remove.length} runs to the trash?`))) {
      context.reporter.info('nothing was changed');
      return;
    }
    const moved = removeRuns(context.runs, remove, new Date());
    context.reporter.info(
      `${moved.length} runs lie in ${context.runs}/${choice.dataset}/trash; their features stay pinned until features gc (trash: ${TRASH_DAYS} days)`,
    );
  },
};

/** A run's id names that run alone, `status=stale` (or another) the runs of that status, everything else whole rows. */
function runsNamed(groups: Parameters<typeof rowsNamed>[0], name: string): readonly RunEntry[] {
  if (/(?:^|,)status=mixed(?:,|$)/.test(name))
    throw new UserError(
      'status=mixed would take the runs of now too: name status=stale, or run ids from runs list --each',
    );
  const all = groups.flatMap((group) => group.runs);
  if (/^[0-9a-f]{6,12}$/.test(name)) {
    const single = all.filter((run) => run.id.startsWith(name));
    if (single.length === 1) return single;
  }
  const rows = rowsNamed(groups, [name]).flatMap((group) => group.runs);
  const status = /(?:^|,)status=(finished|unfinished|stale)(?:,|$)/.exec(name)?.[1];
  if (status === 'stale') {
    const outdated = new Set(groups.flatMap((group) => group.outdated ?? []));
    return rows.filter((run) => run.stale || outdated.has(run.id));
  }
  return status === undefined ? rows : rows.filter((run) => run.status === status);
}
