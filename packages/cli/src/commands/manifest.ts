import type { CommandModule } from 'yargs';
import { build } from './manifest-build.ts';
import { diff } from './manifest-diff.ts';
import { folds } from './manifest-folds.ts';
import { stats } from './manifest-stats.ts';
import { validate } from './manifest-validate.ts';

export const manifestCommand: CommandModule = {
  command: 'manifest',
  describe: 'corpora to manifests: build, validate, stats, folds, diff',
  builder: (y) =>
    y
      .command(build)
      .command(validate)
      .command(stats)
      .command(folds)
      .command(diff)
      .demandCommand(
        1,
        1,
        'Name what to do: build, validate, stats, folds or diff.',
        'One command at a time.',
      ),
  handler: () => {},
};
