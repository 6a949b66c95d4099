import { resolve } from 'node:path';
import { parseDevRule, parseWhere, PROTOCOL_NAMES, readManifest } from '@lsgmer/datasets';
import {
  type ExperimentRequest,
  type Head,
  listOptions,
  pendingRuns,
  planExperiment,
  runExperiment,
  type RunPlan,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { chooseDataset, requireStored } from '../dataset.ts';
import { chooseEngine, ENGINES } from '../engine-choice.ts';
import { findHead, isHeadFile } from '../head-choice.ts';
import { loadRecipe, parseAblations, parseSeeds, prepareExperiment, type TrainAsk } from '../experiment.ts';
import { type Ceilings, experimentText } from '../ui/scores.ts';
import { plainTable } from '../ui/table.ts';

interface TrainOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  recipe?: string | undefined;
  features?: string | undefined;
  set?: string[] | undefined;
  fold: string;
  protocol?: string | undefined;
  dev?: string | undefined;
  where?: string | undefined;
  seeds?: string | undefined;
  ablation?: string | undefined;
  missing?: 'error' | 'mask' | 'wrong' | 'drop' | undefined;
  select?: 'last' | 'dev' | 'oracle-test' | undefined;
  head?: string | undefined;
  engine?: 'onnx' | 'tfjs' | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  analysis?: boolean | undefined;
  options: boolean;
  'print-config': boolean;
  'dry-run': boolean;
  json: boolean;
}

export const trainCommand: CommandModule<object, TrainOptions> = {
  command: 'train',
  describe: 'train and evaluate the head over folds and seeds; finished runs are skipped',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('task', { type: 'string', describe: "task of the card (default: its first, or the recipe's)" })
      .option('recipe', { type: 'string', describe: 'name under recipes/, or a .json file' })
      .option('features', {
        type: 'string',
        describe: 'text=..,audio=..,alexnet=.. (name or name@fingerprint)',
      })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'key=value over recipe and defaults; again for more',
      })
      .option('fold', {
        type: 'string',
        default: 'all',
        describe: 'fold ids, numbers from 1, commas, or all',
      })
      .option('protocol', {
        type: 'string',
        describe: `how folds are cut, instead of the task's own: ${PROTOCOL_NAMES.join(', ')}`,
      })
      .option('dev', {
        type: 'string',
        describe:
          'dev part carved from training data: none, session[:name], dialogue[:share[:seed]], speaker[:share[:seed]]',
      })
      .option('where', {
        type: 'string',
        describe:
          "only these utterances: 'label!=xxx and seconds<10 and tags.style=improvised and not leaked'",
      })
      .option('seeds', { type: 'string', describe: 'how many (5) or which (7,8)' })
      .option('ablation', { type: 'string', describe: 'full, no-ma, no-joo, no-lsma-joo, commas, or all' })
      .option('missing', {
        choices: ['error', 'mask', 'wrong', 'drop'] as const,
        describe: 'test utterances without a feature: stop, mask the modality, count as errors, leave out',
      })
      .option('select', {
        choices: ['last', 'dev', 'oracle-test'] as const,
        describe: 'epoch that counts: the last, the best on dev, the best on test (flatters; labelled)',
      })
      .option('head', {
        type: 'string',
        describe:
          'a name (lsgmer head list) or the path of a file (docs/adding-a-head.md); lsgmer unless given',
      })
      .option('engine', {
        choices: ENGINES,
        default: 'onnx' as const,
        describe: 'traced graphs on onnxruntime, or op by op on the tfjs backend that is installed',
      })
      .option('device', {
        choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
        default: 'cpu' as const,
        describe: 'where the step of --engine onnx runs',
      })
      .option('threads', {
        type: 'number',
        describe: "threads of the step (default: the recipe's, else all cores)",
      })
      .option('analysis', {
        type: 'boolean',
        default: true,
        describe: 'leave analysis.arrow and labels.arrow in each run (--no-analysis: not)',
      })
      .option('options', {
        type: 'boolean',
        default: false,
        describe: 'list every key for --set, with default and source',
      })
      .option('print-config', {
        type: 'boolean',
        default: false,
        describe: 'print the resolved configuration and stop',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'print the planned runs and stop' })
      .option('json', { type: 'boolean', default: false, describe: 'result as JSON on stdout' })
      .example('$0 train --dataset demo --recipe demo', '')
      .example('$0 train --dataset iemocap --fold 1 --seeds 3 --set epochs=20', '')
      .example('$0 train --dataset meld --protocol fixed-split+dev --dev dialogue:0.1', '')
      .example('$0 train --dataset iemocap --dev session --select dev', '')
      .example('$0 train --dataset iemocap --head le-mer', '')
      .example('$0 train --options', ''),
  handler: async (options) => {
    const context = createContext(options);
    if (options.options) {
      printOptions(context, await findHead(options.head ?? 'lsgmer', context.folder));
      return;
    }
    const recipe = options.recipe === undefined ? undefined : loadRecipe(options.recipe);
    const dataset = chooseDataset(context, options.dataset ?? recipe?.dataset);
    await runTraining(context, dataset, options);
  },
};

function printOptions(context: Context, head: Head): void {
  const rows = listOptions(head).map((row) => [row.key, row.type, String(row.default), row.source, row.help]);
  context.print(plainTable([['key', 'type', 'default', 'source', 'meaning'], ...rows]));
}

/** Trains what is asked for and prints the result; shared with the demo. */
export async function runTraining(
  context: Context,
  dataset: string,
  options: TrainOptions,
  ceilings?: Ceilings,
): Promise<void> {
  requireStored(context, dataset);
  const recipe = options.recipe === undefined ? undefined : loadRecipe(options.recipe);
  const threads = options.threads ?? recipe?.threads;
  const headName = options.head ?? recipe?.head ?? 'lsgmer';
  const ask: TrainAsk = {
    task: options.task,
    recipe,
    features: options.features,
    set: options.set ?? [],
    fold: options.fold,
    protocol: options.protocol,
    dev: options.dev === undefined ? undefined : parseDevRule(options.dev),
    where: options.where === undefined ? undefined : parseWhere(options.where),
    seeds: options.seeds === undefined ? (recipe?.seeds ?? [1]) : parseSeeds(options.seeds),
    ablations: options.ablation === undefined ? [] : parseAblations(options.ablation),
    missing: options.missing ?? recipe?.missing ?? 'error',
    analysis: options.analysis ?? true,
    select: options.select ?? recipe?.select ?? 'last',
    head: await findHead(headName, context.folder),
    headFile: isHeadFile(headName) ? resolve(context.folder, headName) : undefined,
    engine: await chooseEngine(
      { engine: options.engine ?? 'onnx', device: options.device, threads },
      context.reporter,
    ),
  };
  const { request, close } = prepareExperiment(context, readManifest(context.stores, dataset), ask);
  try {
    if (options['print-config']) {
      const configs = Object.fromEntries(
        request.variants.map((variant) => [variant.name, variant.configuration.values]),
      );
      context.print(JSON.stringify(configs, null, 2));
      return;
    }
    const plan = planExperiment(request);
    const runs = plan.variants.flatMap((variant) => variant.runs);
    const pending = pendingRuns(plan);
    if (options['dry-run']) {
      context.print(dryRunText(request, runs, new Set(pending.map((run) => run.id))));
      return;
    }
    if (pending.length < runs.length)
      context.reporter.info(
        `${runs.length - pending.length} of ${runs.length} runs are finished already and are not redone`,
      );
    const result = await runExperiment(plan, {
      reporter: context.reporter,
      signal: context.signal,
      now: () => performance.now(),
    });
    context.print(options.json ? JSON.stringify(result) : experimentText(result, ceilings));
  } finally {
    await close();
  }
}

/** The planned runs: their ids, the size of each part, and which are finished. */
function dryRunText(
  request: ExperimentRequest,
  runs: readonly RunPlan[],
  pending: ReadonlySet<string>,
): string {
  const dev = new Map(request.folds.map((fold) => [fold.id, fold.dev.length]));
  const { protocol } = request;
  const marked = protocol?.speakerDependent === true ? ' (SPEAKER-DEPENDENT)' : '';
  const rows = runs.map((run) => [
    run.id,
    run.variant,
    run.fold,
    `seed ${run.seed}`,
    String(run.parts.train.length),
    String(dev.get(run.fold) ?? 0),
    String(run.parts.test.length),
    pending.has(run.id) ? 'to do' : 'finished',
  ]);
  const head = protocol === undefined ? '' : `${protocol.name}${marked}\n`;
  return head + plainTable([['run', 'variant', 'fold', '', 'train', 'dev', 'test', ''], ...rows]);
}

export type { TrainOptions };
