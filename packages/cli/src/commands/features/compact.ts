import { type CompactReport, compactSet, findFeatureSets, isWritable, setTitle } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
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
      const writable = isWritable(location.folder);
      const set = findFeatureSets([location.store], dataset, location.feature).find(
        ({ fingerprint }) => fingerprint === location.fingerprint,
      );
      if (!set) continue;
      const report = await compactSet(location, set.spec, {
        into: options.part,
        dryRun: options['dry-run'] || !writable,
        reporter: context.reporter,
        signal: context.signal,
      });
      if (writable) {
        reports.push(report);
        continue;
      }
      const left = report.merged.length > 0;
      context.reporter.warn(
        `${location.folder} may not be written, and is left as it is${left ? `: ${count(report.merged.length, 'part')} would become ${report.into}` : ''}`,
      );
      if (left && !options['dry-run']) process.exitCode = EXIT.data;
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
