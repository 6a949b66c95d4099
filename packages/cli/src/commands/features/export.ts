import { resolve } from 'node:path';
import {
  EXPORT_FORMATS,
  exportFeatures,
  type ExportFormat,
  openFeatureSet,
  setTitle,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, createContext } from '../../context.ts';
import { chooseDataset } from '../../dataset.ts';
import { count, DATASET, JSON_OPTION, manifestOrNull, sizeText } from './sets.ts';

interface ExportCommandOptions extends CommonOptions {
  dataset?: string | undefined;
  feature: string;
  to: ExportFormat;
  out: string;
  pool?: 'mean' | undefined;
  force: boolean;
  json: boolean;
}

export const exportCommand: CommandModule<object, ExportCommandOptions> = {
  command: 'export',
  describe: 'a feature as Parquet, .npy or safetensors files, for other tools',
  builder: (y) =>
    y
      .option('dataset', DATASET)
      .option('feature', {
        type: 'string',
        demandOption: true,
        describe: 'which one, as name or name@<first digits of the fingerprint>',
      })
      .option('to', { choices: EXPORT_FORMATS, demandOption: true, describe: 'format' })
      .option('out', { type: 'string', demandOption: true, describe: 'folder that is made' })
      .option('pool', {
        choices: ['mean'] as const,
        describe: 'one float32 vector for each utterance: the mean over its steps',
      })
      .option('force', { type: 'boolean', default: false, describe: 'replace an earlier export' })
      .option('json', JSON_OPTION)
      .example('$0 features export --dataset demo --feature random-tiny-wavlm --to parquet --out wavlm', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    const manifest = manifestOrNull(context, dataset);
    const ids = manifest?.utterances.map(({ id }) => id);
    const set = openFeatureSet({
      stores: [...context.stores],
      dataset,
      feature: options.feature,
      ...(ids === undefined ? {} : { ids }),
    });
    try {
      const missing = ids?.filter((id) => !set.has(id)).length ?? 0;
      const out = resolve(context.folder, options.out);
      const { reporter, signal } = context;
      const report = await exportFeatures({
        set,
        to: options.to,
        out,
        pool: options.pool ?? null,
        force: options.force,
        reporter,
        signal,
      });
      const { feature, fingerprint } = set.spec;
      if (options.json) {
        context.print(JSON.stringify({ dataset, feature, fingerprint, out, missing, ...report }));
        return;
      }
      const files = Object.entries(report.files).map(([name, rows]) => `${name} (${rows})`);
      context.print(
        `${setTitle(set.spec)}: ${count(report.rows, 'utterance')}, ${sizeText(report.bytes)} of values, in ${out}: ${files.join(', ')}`,
      );
      if (missing > 0)
        context.print(`  ${missing} utterances of the manifest have no row, and are not in it`);
    } finally {
      set.close();
    }
  },
};
