import { PROTOCOL_NAMES } from '@lsgmer/datasets';
import { type Head, listOptions } from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type Context, createContext } from '../context.ts';
import { chooseDataset } from '../dataset.ts';
import { ENGINES } from '../engine-choice.ts';
import { loadRecipe } from '../experiment.ts';
import { findHead } from '../head-choice.ts';
import type { TrainOptions } from '../train-options.ts';
import { runTraining } from '../training.ts';
import { plainTable } from '../ui/table.ts';

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
      .option('grid', {
        type: 'string',
        array: true,
        nargs: 1,
        describe:
          'key=a,b,c to try, again for more keys; with --random also key=log:1e-5:1e-3, uniform:, int:',
      })
      .option('random', { type: 'number', describe: 'try so many random draws from --grid, not all' })
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
      .option('seeds', { type: 'string', describe: 'how many (5) or which (7,8; one alone: 9,)' })
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
      .option('refit', {
        type: 'boolean',
        default: false,
        describe: 'train again on train and dev, for the epochs that --select dev picked',
      })
      .option('only', {
        type: 'string',
        describe: 'i/n: this share of the runs alone, for machines without a common folder',
      })
      .option('jobs', {
        type: 'number',
        describe: 'processes that share the runs (default: as many as the cores have room for)',
      })
      .option('tensorboard', { type: 'string', describe: 'folder for TensorBoard event files' })
      .option('worker', { type: 'boolean', default: false, hidden: true })
      .option('device', {
        choices: ['auto', 'cpu', 'cuda', 'webgpu'] as const,
        default: 'cpu' as const,
        describe: 'where the step of --engine onnx runs',
      })
      .option('threads', {
        type: 'number',
        describe: "threads of a step (default: the recipe's, else the cores over --jobs)",
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
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'see in a minute whether training does what it should: by heart, chance, gradients',
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
      .example(
        '$0 train --dataset iemocap --dev session --select dev --grid lr=1e-4,5e-4 --grid d=128,256',
        '',
      )
      .example('$0 train --dataset iemocap --dev session --select dev --grid lr=log:1e-5:1e-3 --random 8', '')
      .example('$0 train --dataset iemocap --check', '')
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
