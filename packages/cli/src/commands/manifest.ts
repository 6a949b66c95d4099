import {
  buildManifest,
  collectCorpus,
  type Finding,
  firstWritableStore,
  loadTableOptions,
  readManifest,
  TableOptions,
  UserError,
  validateManifest,
} from '@lsgmer/datasets';
import type { Argv, CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import {
  cardOf,
  chooseDataset,
  chooseRoot,
  datasetsIn,
  givenRoot,
  rememberRoot,
  requireStored,
} from '../dataset.ts';
import { EXIT } from '../exit.ts';
import { findingsCount, findingsText } from '../ui/findings.ts';
import { duration } from '../ui/reporter.ts';
import { VERSION } from '../version.ts';

interface CorpusOptions extends CommonOptions {
  dataset?: string | undefined;
  root?: string | undefined;
  card?: string | undefined;
  columns?: string | undefined;
  media: 'none' | 'headers' | 'hash';
  subset: boolean;
  all: boolean;
  json: boolean;
}

const corpusOptions = (y: Argv): Argv<CorpusOptions> =>
  y
    .option('dataset', {
      type: 'string',
      describe: 'name of the dataset; one without a card is read as a table',
    })
    .option('root', { type: 'string', describe: 'folder of the corpus (remembered)' })
    .option('card', { type: 'string', describe: 'dataset card, instead of manifests/<dataset>.json' })
    .option('columns', {
      type: 'string',
      describe:
        'table corpora: column=name pairs (file=..,text=..,label=..,speaker=..,split=..) or a JSON file of them',
    })
    .option('media', {
      choices: ['none', 'headers', 'hash'] as const,
      default: 'hash' as const,
      describe: 'what is read of the recordings',
    })
    .option('subset', {
      type: 'boolean',
      default: false,
      describe: 'the corpus is a part on purpose: no counts',
    })
    .option('all', { type: 'boolean', default: false, describe: 'show every problem' })
    .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' });

const build: CommandModule<object, CorpusOptions> = {
  command: 'build',
  describe: 'read a corpus into a manifest in the store',
  builder: (y) =>
    corpusOptions(y)
      .example('$0 manifest build --dataset iemocap --root /data/IEMOCAP_full_release', '')
      .example('$0 manifest build --dataset nemo --root /data/nemo --columns file=file_id,text=raw_text', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = options.dataset ?? chooseDataset(context, undefined);
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
    card: cardOf(dataset, options.card),
    media: options.media,
    store: firstWritableStore(context.stores),
    tool: `lsgmer ${VERSION}`,
    reporter: context.reporter,
    signal: context.signal,
    ...(table === undefined ? {} : { table }),
  });
  rememberRoot(context, dataset, root);
  chooseDataset(context, dataset);
  const { info } = built.manifest;
  const findings = validateManifest({ ...built, subset: options.subset });
  if (options.json) {
    context.print(
      JSON.stringify({
        manifest: built.manifest.file,
        ...info.counts,
        unchangedMedia: built.unchangedMedia,
        findings,
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
    report(context, findings, options.all);
  }
  if (findings.some((finding) => finding.level === 'error')) process.exitCode = EXIT.data;
}

const validate: CommandModule<object, CorpusOptions> = {
  command: 'validate',
  describe: 'list every problem of a corpus at once; exit code 3 where there are errors',
  builder: (y) => corpusOptions(y).example('$0 manifest validate --dataset iemocap', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    await runValidate(context, dataset, options);
  },
};

/** Reads the corpus again where its root is known, else checks the manifest that the store has. */
async function runValidate(context: Context, dataset: string, options: CorpusOptions): Promise<void> {
  const root = givenRoot(context, dataset, options.root);
  let findings: Finding[];
  if (root === undefined) {
    requireStored(context, dataset);
    const { card, utterances } = readManifest(context.stores, dataset);
    context.reporter.info(
      `no root of ${dataset} is known: checking its manifest alone (--root reads the corpus)`,
    );
    findings = validateManifest({ card, utterances, subset: options.subset });
  } else {
    const table = tableOptions(context, dataset, options.columns);
    const collected = await collectCorpus({
      dataset,
      root,
      card: cardOf(dataset, options.card),
      media: options.media,
      store: firstWritableStore(context.stores),
      reporter: context.reporter,
      signal: context.signal,
      ...(table === undefined ? {} : { table }),
    });
    rememberRoot(context, dataset, root);
    findings = validateManifest({ ...collected, subset: options.subset });
  }
  if (options.json) context.print(JSON.stringify({ dataset, findings }));
  else report(context, findings, options.all);
  if (findings.some((finding) => finding.level === 'error')) process.exitCode = EXIT.data;
}

function report(context: Context, findings: readonly Finding[], all: boolean): void {
  if (findings.length > 0) context.print(findingsCount(findings));
  context.print(findingsText(findings, all));
}

/** The given columns, else those of the manifest that the store has (a table is described once). */
function tableOptions(
  context: Context,
  dataset: string,
  columns: string | undefined,
): TableOptions | undefined {
  if (columns === undefined) {
    if (!datasetsIn(context.stores).includes(dataset)) return undefined;
    const earlier = readManifest(context.stores, dataset).info.options['table'];
    return earlier === undefined ? undefined : TableOptions.parse(earlier);
  }
  if (columns.endsWith('.json')) return loadTableOptions(columns);
  const pairs = columns.split(',').map((pair) => {
    const [key, value] = pair.split('=', 2);
    if (key === undefined || value === undefined || value === '')
      throw new UserError(`--columns: '${pair}' is no key=name pair, for instance file=file_id`);
    // a role that the corpus does not have
    return [key.trim(), value.trim() === 'null' ? null : value.trim()] as const;
  });
  const parsed = TableOptions.safeParse(Object.fromEntries(pairs));
  if (parsed.success) return parsed.data;
  const keys = Object.keys(TableOptions.shape).join(', ');
  throw new UserError(`--columns: ${parsed.error.issues[0]?.message ?? 'not understood'}; keys are ${keys}`);
}

export const manifestCommand: CommandModule = {
  command: 'manifest',
  describe: 'corpora to manifests: build, validate',
  builder: (y) =>
    y
      .command(build)
      .command(validate)
      .demandCommand(1, 1, 'Name what to do: build or validate.', 'One command at a time.'),
  handler: () => {},
};
