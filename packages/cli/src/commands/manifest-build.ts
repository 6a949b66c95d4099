import { buildManifest, checkName, firstWritableStore, validateCorpus } from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { cardOf, chooseDataset, chooseRoot, rememberRoot } from '../dataset.ts';
import { duration } from '../ui/reporter.ts';
import { VERSION } from '../version.ts';
import { type CorpusOptions, corpusOptions, tableOptions, textOptions } from './manifest-corpus.ts';
import { reportFile, reportValidation, setExitCode, writeReport } from './manifest-validate.ts';

export const build: CommandModule<object, CorpusOptions> = {
  command: 'build',
  describe: 'read a corpus into a manifest in the store',
  builder: (y) =>
    corpusOptions(y)
      .example('$0 manifest build --dataset iemocap --root /data/IEMOCAP_full_release', '')
      .example('$0 manifest build --dataset nemo --root /data/nemo --columns file=file_id,text=raw_text', ''),
  handler: async (options) => {
    const context = createContext(options);
    const { dataset: given } = options;
    const dataset = given === undefined ? chooseDataset(context, undefined) : checkName('dataset', given);
    await runBuild(context, dataset, options);
  },
};

/** Builds the manifest and says what came of it; shared with the demo. */
export async function runBuild(
  context: Context,
  dataset: string,
  options: Omit<CorpusOptions, keyof CommonOptions>,
): Promise<void> {
  const root = chooseRoot(context, dataset, options.root);
  const table = tableOptions(context, dataset, options.columns);
  const started = performance.now();
  const built = await buildManifest({
    dataset,
    root,
    card: cardOf(context, dataset, options.card),
    media: options.media,
    store: firstWritableStore(context.stores),
    tool: `lsgmer ${VERSION}`,
    reporter: context.reporter,
    signal: context.signal,
    ...(table === undefined ? {} : { table }),
    ...textOptions(context, options),
  });
  rememberRoot(context, dataset, root);
  chooseDataset(context, dataset);
  const { info } = built.manifest;
  const validation = validateCorpus({ ...built, subset: options.subset });
  if (options.json) {
    writeReport(reportFile(context, dataset, options.report), validation);
    context.print(
      JSON.stringify({
        manifest: built.manifest.file,
        ...info.counts,
        unchangedMedia: built.unchangedMedia,
        findings: validation.findings,
      }),
    );
  } else {
    const { counts } = info;
    const labels = Object.entries(counts.labels).map(([label, n]) => `${label} ${n}`);
    context.print(
      `${dataset}: ${counts.utterances} utterances, ${counts.speakers} speakers, ${duration(counts.seconds)} of sound (read in ${duration((performance.now() - started) / 1000)})`,
    );
    context.print(`  labels: ${labels.join(', ')}`);
    context.print(`  manifest ${info.manifest.sha256.slice(0, 12)} in ${built.manifest.file}`);
    reportValidation(context, dataset, validation, options);
  }
  setExitCode(validation.findings);
}
