import { openRemote, pushFeatures } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { createContext } from '../../context.ts';
import { chooseDataset, requireStored } from '../../dataset.ts';
import {
  checkNumbers,
  printShare,
  REMOTE,
  remoteOf,
  SHARE_OPTIONS,
  type ShareOptions,
  splitsOf,
} from './share.ts';

interface PushCommandOptions extends ShareOptions {
  private: boolean;
}

export const pushCommand: CommandModule<object, PushCommandOptions> = {
  command: 'push [remote]',
  describe: 'send manifest and features to a remote, without what it has; stopped, the same command goes on',
  builder: (y) =>
    y
      .positional('remote', REMOTE)
      .options(SHARE_OPTIONS)
      .option('private', {
        type: 'boolean',
        default: false,
        describe: 'your word that only people who may have a restricted corpus can read the remote',
      })
      .example('$0 push /group/features --dataset demo', '')
      .example('$0 push s3://bucket/ser --dataset meld --feature wavlm-large --dry-run', '')
      .example('$0 push webdavs://cloud.example.org/ser --dataset iemocap --private', ''),
  handler: async (options) => {
    const context = createContext(options);
    const address = remoteOf(options);
    checkNumbers(options);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    const { reporter, signal, folder } = context;
    const silenceMs = options.timeout * 1000;
    const remote = await openRemote(address, { folder, environment: process.env, silenceMs });
    const started = performance.now();
    try {
      const report = await pushFeatures({
        stores: context.stores,
        dataset,
        remote,
        feature: options.feature,
        fingerprint: options.fingerprint,
        splits: splitsOf(options),
        manifest: options.manifest,
        private: options.private,
        dryRun: options['dry-run'],
        atOnce: options['at-once'],
        reporter,
        signal,
      });
      const seconds = (performance.now() - started) / 1000;
      printShare(context, report, { did: 'sent', would: 'would send', seconds }, options.json);
    } finally {
      await remote.close();
    }
  },
};
