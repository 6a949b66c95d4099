import { filterUtterances, firstWritableStore, parseWhere, readManifest, rootFolder } from '@lsgmer/datasets';
import {
  type ExtractedSet,
  type ExtractOptions,
  extractFeatures,
  planFeatures,
  prepareModels,
  tinyModelsFolder,
} from '@lsgmer/extract';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../../context.ts';
import { chooseDataset, chooseRoot, rememberRoot, requireStored } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { MODEL_OPTIONS, type ModelOptions, chooseModels, modelPlaces } from '../../model-choice.ts';
import { headedTable } from '../../ui/table.ts';

export interface ExtractCommandOptions extends CommonOptions, ModelOptions {
  dataset?: string | undefined;
  root?: string | undefined;
  where?: string | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  part: string;
  dtype: 'float16' | 'float32';
  overflow?: 'quarantine' | 'float32' | undefined;
  retry: boolean;
  'dry-run': boolean;
  json: boolean;
}

export const extractCommand: CommandModule<object, ExtractCommandOptions> = {
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
      .options(MODEL_OPTIONS)
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
      .option('overflow', {
        choices: ['quarantine', 'float32'] as const,
        default: 'quarantine' as const,
        describe: "rows with values beyond float16's range: leave them out, or keep them as float32",
      })
      .option('retry', { type: 'boolean', default: false, describe: 'try quarantined utterances again' })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'show what would be computed and stop',
      })
      .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' })
      .example('$0 features extract --dataset demo --preset tiny', '')
      .example('$0 features extract --model microsoft/wavlm-large --layers 0-24 --pool mean', '')
      .example('$0 features extract --model hubert=facebook/hubert-base-ls960 --model text=./my-bert', ''),
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
  const chosen = chooseModels(options);
  const models = await prepareModels(chosen.models, {
    places: modelPlaces(process.env, options.offline ?? false),
    tinyModels: tinyModelsFolder(store, dataset),
    // all texts: the tokenizer, and with it the fingerprint, is that of the whole dataset
    texts: utterances.map((utterance) => utterance.text),
    options: chosen.features,
    reporter: context.reporter,
    signal: context.signal,
  });
  const request: ExtractOptions = {
    dataset,
    // a table may be named itself: its recordings lie beside it
    root: rootFolder(root, dataset),
    utterances: wanted,
    models,
    store,
    readStores: context.stores.filter((other) => other !== store),
    part: options.part,
    dtype: options.dtype,
    ...(options.overflow === undefined ? {} : { overflow: options.overflow }),
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
