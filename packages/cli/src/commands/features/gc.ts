import { type GcPlan, isWritable, planGc, runGc, setTitle, TRASH_DAYS } from '@lsgmer/datasets';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { agreed } from '../../ui/ask.ts';
import {
  chosenSets,
  count,
  DATASET,
  DRY_RUN,
  FEATURE,
  JSON_OPTION,
  manifestOrNull,
  requireDataset,
  sizeText,
} from './sets.ts';

interface GcCommandOptions extends CommonOptions {
  dataset?: string | undefined;
  feature?: string | undefined;
  yes: boolean;
  force: boolean;
  'dry-run': boolean;
  json: boolean;
}

export const gcCommand: CommandModule<object, GcCommandOptions> = {
  command: 'gc',
  describe: `move features that no run uses and nobody wants to the trash, for ${TRASH_DAYS} days`,
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask' })
      .option('force', { type: 'boolean', default: false, describe: 'also files of other accounts' })
      .option('dry-run', DRY_RUN)
      .option('json', JSON_OPTION)
      .example('$0 features gc --dataset meld --dry-run', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const now = new Date();
    const ids = manifestOrNull(context, dataset)?.utterances.map(({ id }) => id) ?? null;
    const { feature } = options;
    if (feature === undefined) requireDataset(context, dataset);
    else chosenSets(context, dataset, feature);
    const plans: GcPlan[] = [];
    for (const store of context.stores) {
      if (!existsSync(join(store, dataset))) continue;
      const account = process.getuid?.() ?? null;
      const { stores } = context;
      const plan = planGc({ store, stores, dataset, feature, ids, now, force: options.force, account });
      if (isWritable(join(store, dataset))) {
        plans.push(plan);
        continue;
      }
      const left = plan.items.length;
      context.reporter.warn(
        `${store} may not be written, and is left as it is${left > 0 ? `: ${count(left, 'item')} would go` : ''}`,
      );
      if (left > 0 && !options['dry-run']) process.exitCode = EXIT.data;
    }
    const some = plans.some(({ items }) => items.length > 0);
    if (options.json)
      context.print(JSON.stringify({ dataset, done: some && !options['dry-run'] && options.yes, plans }));
    else for (const plan of plans) printPlan(context, plan);
    if (options['dry-run'] || !some) return;
    if (!options.yes && !(await agreed('Do this?', process.stdin.isTTY && !options.json))) {
      context.reporter.info('nothing was changed');
      return;
    }
    for (const plan of plans) runGc(plan, now);
    context.reporter.info(`done; what went to the trash lies there for ${TRASH_DAYS} days`);
  },
};

function printPlan(context: Context, { store, kept, lost, items, others }: GcPlan): void {
  for (const { set, bytes, why } of kept)
    context.print(`stays    ${setTitle(set)} (${sizeText(bytes)}): ${why}`);
  for (const { set, why } of lost) context.print(`let be   ${setTitle(set)}: ${why}`);
  for (const { path, bytes, why, fate } of items)
    context.print(`${fate === 'trash' ? 'to trash' : 'deleted '} ${path} (${sizeText(bytes)}): ${why}`);
  for (const { path, bytes, why, owners } of others)
    context.print(
      `let be   ${path} (${sizeText(bytes)}): ${why}, but accounts ${owners.join(', ')} own it (--force takes it too)`,
    );
  const sum = items.reduce((total, { bytes }) => total + bytes, 0);
  context.print(items.length === 0 ? `${store}: nothing to clean up` : `${store}: ${sizeText(sum)} in all`);
}
