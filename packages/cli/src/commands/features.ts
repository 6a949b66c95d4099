import { join } from 'node:path';
import {
  filterUtterances,
  findFeatureSets,
  firstWritableStore,
  listFeatures,
  parseWhere,
  readManifest,
  summarise,
  UserError,
} from '@lsgmer/datasets';
import {
  type ExtractedSet,
  type ExtractOptions,
  extractFeatures,
  planFeatures,
  preparePreset,
} from '@lsgmer/extract';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { chooseDataset, chooseRoot, rememberRoot, requireStored } from '../dataset.ts';
import { EXIT } from '../exit.ts';
import { headedTable } from '../ui/table.ts';

export interface ExtractCommandOptions extends CommonOptions {
  dataset?: string | undefined;
  root?: string | undefined;
  where?: string | undefined;
  preset: string;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  part: string;
  dtype: 'float16' | 'float32';
  retry: boolean;
  'dry-run': boolean;
  json: boolean;
}

const extract: CommandModule<object, ExtractCommandOptions> = {
  command: 'extract',
  describe: 'run the encoders over what the store lacks; stopped at any moment, the same command goes on',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('root', { type: 'string', describe: 'folder of the corpus (remembered)' })
      .option('where', {
        type: 'string',
        describe: "only these utterances: 'split!=dev and seconds<10 and tags.style=improvised'",
      })
      .option('preset', { type: 'string', default: 'paper', describe: 'which encoders: paper or tiny' })
      .option('device', {
        choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
        default: 'auto' as const,
        describe: 'where the encoders run',
      })
      .option('threads', { type: 'number', describe: 'threads of the encoders (default: all cores)' })
      .option('part', {
        type: 'string',
        default: 'main',
        describe: 'name of the index part: one for each writer',
      })
      .option('dtype', {
        choices: ['float16', 'float32'] as const,
        default: 'float16' as const,
        describe: 'how features are stored',
      })
      .option('retry', { type: 'boolean', default: false, describe: 'try quarantined utterances again' })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'show what would be computed and stop',
      })
      .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' })
      .example('$0 features extract --dataset demo --preset tiny', ''),
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    await runExtraction(context, dataset, options);
  },
};

/** Extracts and says what came of it; shared with the demo. */
export async function runExtraction(
  context: Context,
  dataset: string,
  options: Omit<ExtractCommandOptions, keyof CommonOptions>,
): Promise<void> {
  requireStored(context, dataset);
  const { card, utterances } = readManifest(context.stores, dataset);
  const where = options.where === undefined ? undefined : parseWhere(options.where);
  const wanted = where === undefined ? utterances : filterUtterances(card, utterances, where);
  if (where !== undefined)
    context.reporter.info(`where ${where.text}: ${wanted.length} of ${utterances.length} utterances`);
  const root = chooseRoot(context, dataset, options.root);
  const store = firstWritableStore(context.stores);
  const models = preparePreset(options.preset, {
    models: join(store, dataset, 'models'),
    // all texts: the tokenizer, and with it the fingerprint, is that of the whole dataset
    texts: utterances.map((utterance) => utterance.text),
  });
  const request: ExtractOptions = {
    dataset,
    root,
    utterances: wanted,
    models,
    store,
    readStores: context.stores.filter((other) => other !== store),
    part: options.part,
    dtype: options.dtype,
    device: options.device,
    retryQuarantined: options.retry,
    reporter: context.reporter,
    signal: context.signal,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  };
  if (options['dry-run']) {
    const plans = await planFeatures(request);
    const rows = plans.map((plan) => [
      plan.spec.feature,
      plan.spec.fingerprint.slice(0, 12),
      String(plan.rows.length),
      String(plan.done),
      String(plan.quarantined.length),
    ]);
    context.print(headedTable(['feature', 'fingerprint', 'to compute', 'there', 'quarantined'], rows));
    return;
  }
  const sets = await extractFeatures(request);
  rememberRoot(context, dataset, root);
  if (options.json) context.print(JSON.stringify({ dataset, sets }));
  else report(context, sets);
  if (sets.some((set) => set.quarantined.length > 0)) process.exitCode = EXIT.data;
}

/** Quarantined utterances that are listed one by one. */
const SHOWN = 20;

function report(context: Context, sets: readonly ExtractedSet[]): void {
  const rows = sets.map((set) => [
    set.feature,
    set.fingerprint.slice(0, 12),
    String(set.computed),
    String(set.done),
    String(set.quarantined.length),
  ]);
  context.print(headedTable(['feature', 'fingerprint', 'computed', 'there before', 'quarantined'], rows));
  for (const set of sets) {
    for (const { id, reason } of set.quarantined.slice(0, SHOWN))
      context.print(`  ${set.feature}: ${id}: ${reason}`);
    if (set.quarantined.length > SHOWN)
      context.print(`  ${set.feature}: ... and ${set.quarantined.length - SHOWN} more (--json lists all)`);
  }
}

interface StatusOptions extends CommonOptions {
  dataset?: string | undefined;
  json: boolean;
}

const status: CommandModule<object, StatusOptions> = {
  command: 'status',
  describe: 'what features the store has: fingerprint, completeness, size, quarantined',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 features status --dataset demo', ''),
  handler: (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    const ids = readManifest(context.stores, dataset).utterances.map((utterance) => utterance.id);
    const stores = [...context.stores];
    const summaries = listFeatures(stores, dataset)
      .flatMap((feature) => findFeatureSets(stores, dataset, feature))
      .map((set) => summarise(set, stores, ids));
    if (summaries.length === 0)
      throw new UserError(`${dataset} has no features yet: make features DATASET=${dataset} FEATURES=tiny`);
    if (options.json) {
      context.print(
        JSON.stringify(
          summaries.map((one) => ({ ...one, quarantined: Object.fromEntries(one.quarantined) })),
        ),
      );
      return;
    }
    const rows = summaries.map((one) => [
      one.feature,
      one.fingerprint.slice(0, 12),
      one.spec.dtype,
      String(one.spec.dim),
      `${one.coverage?.present ?? one.rows} of ${ids.length}`,
      String(one.quarantined.size),
      String(one.shards),
      `${(one.bytes / 1e6).toFixed(1)} MB`,
    ]);
    context.print(
      headedTable(
        ['feature', 'fingerprint', 'dtype', 'dim', 'utterances', 'quarantined', 'shards', 'size'],
        rows,
      ),
    );
    for (const one of summaries)
      for (const problem of one.problems) context.print(`  ${one.feature}: ${problem}`);
    if (summaries.some((one) => one.problems.length > 0)) process.exitCode = EXIT.data;
  },
};

export const featuresCommand: CommandModule = {
  command: 'features',
  describe: 'features of a dataset: extract, status',
  builder: (y) =>
    y
      .command(extract)
      .command(status)
      .demandCommand(1, 1, 'Name what to do: extract or status.', 'One command at a time.'),
  handler: () => {},
};
