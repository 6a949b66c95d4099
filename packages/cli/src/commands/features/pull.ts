import {
  datasetsAt,
  firstWritableStore,
  openRemote,
  pullFeatures,
  type Remote,
  UserError,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../../context.ts';
import { rememberLocally } from '../../settings.ts';
import {
  checkNumbers,
  printShare,
  REMOTE,
  remoteOf,
  SHARE_OPTIONS,
  type ShareOptions,
  splitsOf,
} from './share.ts';

export const pullCommand: CommandModule<object, ShareOptions> = {
  command: 'pull [remote]',
  describe:
    'fetch manifest and features from a remote, without what the store has; stopped, the same command goes on',
  builder: (y) =>
    y
      .positional('remote', REMOTE)
      .options(SHARE_OPTIONS)
      .example('$0 pull /group/features --dataset demo', '')
      .example('$0 pull https://example.org/features --dataset meld --split train,dev', '')
      .example('$0 pull hf://datasets/team/ser-features --dataset meld --dry-run', ''),
  handler: async (options) => {
    const context = createContext(options);
    const address = remoteOf(options);
    checkNumbers(options);
    const { reporter, signal, folder } = context;
    const silenceMs = options.timeout * 1000;
    const remote = await openRemote(address, { folder, environment: process.env, silenceMs });
    const started = performance.now();
    try {
      const dataset = options.dataset ?? (await onlyDataset(context, remote));
      const report = await pullFeatures({
        store: firstWritableStore(context.stores),
        stores: context.stores,
        dataset,
        remote,
        feature: options.feature,
        fingerprint: options.fingerprint,
        splits: splitsOf(options),
        manifest: options.manifest,
        dryRun: options['dry-run'],
        atOnce: options['at-once'],
        reporter,
        signal,
      });
      if (!options['dry-run']) rememberLocally(folder, { lastDataset: dataset });
      const seconds = (performance.now() - started) / 1000;
      printShare(context, report, { did: 'fetched', would: 'would fetch', seconds }, options.json);
    } finally {
      await remote.close();
    }
  },
};

/** The dataset that is meant where none is named: the only one there. @throws UserError */
async function onlyDataset({ reporter, signal }: Context, remote: Remote): Promise<string> {
  const there = await datasetsAt(remote, signal);
  const [only] = there ?? [];
  if (there?.length === 1 && only !== undefined) {
    reporter.info(`dataset ${only} (the only one at ${remote.title})`);
    return only;
  }
  const what =
    there === null ? 'this place cannot be listed' : there.join(', ') || `there is none at ${remote.title}`;
  throw new UserError(`which dataset? Name it with --dataset (make: DATASET=...): ${what}`);
}
