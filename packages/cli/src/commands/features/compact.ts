import { type CompactReport, compactSet, findFeatureSets, isWritable, setTitle } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { count, DATASET, DRY_RUN, FEATURE, JSON_OPTION, placedSets, type SetOptions } from './sets.ts';

interface CompactCommandOptions extends SetOptions {
  part: string;
  'dry-run': boolean;
}

export const compactCommand: CommandModule<object, CompactCommandOptions> = {
  command: 'compact',
  describe:
    'merge the index parts of several writers, and their small shards, into one; live writers are let be',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', FEATURE)
      .option('part', { type: 'string', default: 'main', describe: 'name of the one part' })
      .option('dry-run', DRY_RUN)
      .option('json', JSON_OPTION)
      .example('$0 features compact --dataset meld', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const reports: CompactReport[] = [];
    for (const location of placedSets(context, dataset, options.feature)) {
      if (!isWritable(location.folder)) {
        context.reporter.warn(`${location.folder} may not be written, and is left as it is`);
        continue;
      }
      const set = findFeatureSets([location.store], dataset, location.feature).find(
        ({ fingerprint }) => fingerprint === location.fingerprint,
      );
      if (set)
        reports.push(
          await compactSet(location, set.spec, {
            into: options.part,
            dryRun: options['dry-run'],
            reporter: context.reporter,
            signal: context.signal,
          }),
        );
    }
    if (options.json) {
      context.print(JSON.stringify(reports));
      return;
    }
    for (const { location, merged, into, smallShards, rows, skipped } of reports) {
      const what =
        merged.length === 0
          ? 'nothing to merge'
          : `${count(merged.length, 'part')} (${merged.join(', ')}) ${options['dry-run'] ? 'would become' : 'became'} ${into}: ` +
            `${count(rows, 'row')}, ${count(smallShards, 'small shard')} merged${smallShards > 0 ? ' (the old ones stay until gc)' : ''}`;
      const busy = skipped.length === 0 ? '' : `; being written and left alone: ${skipped.join(', ')}`;
      context.print(`${setTitle(location)}: ${what}${busy}`);
    }
  },
};
