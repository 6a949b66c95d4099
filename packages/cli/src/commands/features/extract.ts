import { join } from 'node:path';
import {
  type Card,
  filterUtterances,
  firstWritableStore,
  parseWhere,
  readManifest,
  rootFolder,
  UserError,
  type Utterance,
} from '@lsgmer/datasets';
import {
  type EncoderModel,
  extractFeatures,
  type FeatureOptions,
  type ExtractOptions,
  forecastFeatures,
  parsePart,
  planFeatures,
  prepareModels,
  shareOf,
  tinyModelsFolder,
  withKnown,
} from '@lsgmer/extract';
import { usableCores } from '@lsgmer/onnx/runtime';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../../context.ts';
import { chooseDataset, chooseRoot, rememberRoot, requireStored } from '../../dataset.ts';
import { EXIT } from '../../exit.ts';
import { chooseModels, modelPlaces } from '../../model-choice.ts';
import { extractionText, forecastText } from '../../ui/extraction.ts';
import { decodePolicy, type ExtractCommandOptions, extractBuilder } from './extract-options.ts';

export const extractCommand: CommandModule<object, ExtractCommandOptions> = {
  command: 'extract',
  describe: 'run the encoders over what the store lacks; stopped at any moment, the same command goes on',
  builder: extractBuilder,
  handler: async (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    await runExtraction(context, dataset, options);
  },
};

type RunOptions = Omit<ExtractCommandOptions, keyof CommonOptions>;

/** Extracts and says what came of it; shared with the demo. */
export async function runExtraction(context: Context, dataset: string, options: RunOptions): Promise<void> {
  const policy = decodePolicy(options);
  const part = parsePart(options.part);
  requireStored(context, dataset);
  const { card, utterances } = readManifest(context.stores, dataset);
  const wanted = chosen(context, card, utterances, options.where);
  const root = chooseRoot(context, dataset, options.root);
  const store = firstWritableStore(context.stores);
  const asked = chooseModels(options);
  checkDevice(asked.features, options.device);
  const models = await prepareModels(asked.models, {
    places: modelPlaces(process.env, options.offline ?? false),
    tinyModels: tinyModelsFolder(store, dataset),
    // all texts: the tokenizer, and with it the fingerprint, is that of the whole dataset
    texts: utterances.map((utterance) => utterance.text),
    options: asked.features,
    reporter: context.reporter,
    signal: context.signal,
  });
  const request: ExtractOptions = {
    dataset,
    // a table may be named itself: its recordings lie beside it
    root: rootFolder(root, dataset),
    utterances: part.share === null ? wanted : shareOf(wanted, part.share),
    models,
    store,
    readStores: context.stores.filter((other) => other !== store),
    part: part.name,
    policy,
    dtype: options['store-dtype'],
    overflow: options.overflow,
    device: options.device,
    retryQuarantined: options.retry,
    cacheFolder: join(store, dataset),
    reporter: context.reporter,
    signal: context.signal,
    threads: options.threads ?? usableCores(process.env['SLURM_CPUS_PER_TASK']),
  };
  if (part.share !== null)
    context.reporter.info(
      `part ${options.part}: ${request.utterances.length} of ${wanted.length} utterances`,
    );
  if (options['dry-run']) {
    await dryRun(context, dataset, request, options.json);
    return;
  }
  warnOfSlowTypes(context, models, options);
  const before = performance.now();
  const extracted = await extractFeatures(request);
  const seconds = (performance.now() - before) / 1000;
  const sets = extracted.map((set) => ({
    ...set,
    quarantined: withKnown(set.quarantined, utterances, card),
  }));
  rememberRoot(context, dataset, root);
  if (options.json) context.print(JSON.stringify({ dataset, seconds, sets }));
  else context.print(extractionText(sets, seconds));
  if (sets.some((set) => set.quarantined.some(({ known }) => !known))) process.exitCode = EXIT.data;
}

function chosen(
  context: Context,
  card: Card,
  utterances: readonly Utterance[],
  text: string | undefined,
): readonly Utterance[] {
  if (text === undefined) return utterances;
  const where = parseWhere(text);
  const wanted = filterUtterances(card, utterances, where);
  context.reporter.info(`where ${where.text}: ${wanted.length} of ${utterances.length} utterances`);
  return wanted;
}

async function dryRun(
  context: Context,
  dataset: string,
  request: ExtractOptions,
  json: boolean,
): Promise<void> {
  const plans = await planFeatures(request);
  const { seconds, sets } = await forecastFeatures(request, plans, () => performance.now() / 1000);
  if (!json) {
    context.print(forecastText(plans, sets, seconds));
    return;
  }
  const bytes = new Map(sets.map((set) => [set.plan, set.bytes]));
  const planned = plans.map((plan) => ({
    feature: plan.spec.feature,
    fingerprint: plan.spec.fingerprint,
    rows: plan.rows.length,
    done: plan.done,
    quarantined: plan.quarantined.length,
    bytes: bytes.get(plan) ?? 0,
  }));
  context.print(JSON.stringify({ dataset, seconds, sets: planned }));
}

/** @throws UserError before anything is loaded */
function checkDevice(features: ReadonlyMap<string, FeatureOptions>, device: RunOptions['device']): void {
  const int8 = [...features].find(([, { compute }]) => compute === 'int8');
  if (int8 !== undefined && (device === 'cuda' || device === 'webgpu'))
    throw new UserError(
      `${int8[0]}: int8 runs on the CPU only: --device ${device} takes --dtype fp16 or fp32`,
    );
}

/** A CPU has no arithmetic in float16: it converts back and forth. */
function warnOfSlowTypes(context: Context, models: readonly EncoderModel[], options: RunOptions): void {
  if (options.device === 'cpu' && models.some((model) => model.options.compute === 'fp16'))
    context.reporter.warn('fp16 is slower than fp32 on a CPU, and less exact: it is meant for GPUs');
}
