import { join, resolve } from 'node:path';
import {
  applyTask,
  filterUtterances,
  findTask,
  firstWritableStore,
  manifestStats,
  parseWhere,
  predictCosts,
  readManifest,
  UserError,
  writeFileAtomic,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, createContext } from '../context.ts';
import { chooseDataset, requireStored } from '../dataset.ts';
import { PRESET_COSTS } from '../feature-costs.ts';
import { statsText } from '../ui/stats-table.ts';

interface StatsOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  where?: string | undefined;
  html?: string | undefined;
  json: boolean;
}

export const stats: CommandModule<object, StatsOptions> = {
  command: 'stats',
  describe: 'what a manifest holds: classes, splits, speakers, lengths, and what its features will take',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('task', {
        type: 'string',
        describe: 'task of the card whose classes are counted (default: its first)',
      })
      .option('where', {
        type: 'string',
        describe: "only these utterances: 'split!=dev and seconds<10 and tags.style=improvised'",
      })
      .option('html', {
        type: 'string',
        describe: 'page with the figures (default: <store>/<dataset>/stats.html)',
      })
      .option('json', { type: 'boolean', default: false, describe: 'figures as JSON on stdout, no page' })
      .example('$0 manifest stats --dataset meld', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    const { card, utterances: all } = readManifest(context.stores, dataset);
    const task = findTask(card, options.task);
    const where = options.where === undefined ? undefined : parseWhere(options.where);
    const utterances = where === undefined ? all : filterUtterances(card, all, where);
    const figures = manifestStats(utterances, task.name, applyTask(task, utterances));
    const costs = {
      paper: predictCosts(PRESET_COSTS.paper, utterances),
      tiny: predictCosts(PRESET_COSTS.tiny, utterances),
    };
    if (options.json) {
      context.print(JSON.stringify({ dataset, where: where?.text ?? null, ...figures, features: costs }));
      return;
    }
    const title = where === undefined ? dataset : `${dataset} where ${where.text}`;
    context.print(statsText(title, figures, costs));
    const file =
      options.html === undefined
        ? join(firstWritableStore(context.stores), dataset, 'stats.html')
        : resolve(context.folder, options.html);
    // the plotting library takes a while to load: only here
    const { statsPage } = await import('../ui/stats-page.ts');
    try {
      writeFileAtomic(file, statsPage(title, card.title, figures, costs));
    } catch (error) {
      throw new UserError(`cannot write the page ${file}: ${(error as Error).message}`);
    }
    context.print(`\nfigures in ${file}`);
  },
};
