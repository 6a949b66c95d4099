import {
  chooseFolds,
  describeProtocol,
  findTask,
  parseDevRule,
  parseWhere,
  PROTOCOL_NAMES,
  readManifest,
} from '@lsgmer/datasets';
import type { CommandModule } from 'yargs';
import { type CommonOptions, createContext } from '../context.ts';
import { chooseDataset, requireStored } from '../dataset.ts';
import { headedTable } from '../ui/table.ts';

interface FoldsOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  protocol?: string | undefined;
  dev?: string | undefined;
  where?: string | undefined;
  fold: string;
  json: boolean;
}

export const folds: CommandModule<object, FoldsOptions> = {
  command: 'folds',
  describe: 'the folds that train runs over: who is in training, dev and test, with classes, for other tools',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('task', { type: 'string', describe: "task of the dataset's card (default: its first)" })
      .option('protocol', { type: 'string', describe: `how folds are cut: ${PROTOCOL_NAMES.join(', ')}` })
      .option('dev', {
        type: 'string',
        describe: 'dev part carved from training data, as train takes it: session, dialogue:0.1, speaker:0.1',
      })
      .option('where', { type: 'string', describe: "only these utterances, as train takes it: 'not leaked'" })
      .option('fold', { type: 'string', default: 'all', describe: 'ids, numbers from 1, or all' })
      .option('json', { type: 'boolean', default: false, describe: 'ids and classes as JSON on stdout' })
      .example('$0 manifest folds --dataset demo --json > folds.json', ''),
  handler: (options) => {
    const context = createContext(options);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    const { card, info, utterances } = readManifest(context.stores, dataset);
    const task = findTask(card, options.task);
    const choice = chooseFolds(task, utterances, {
      protocol: options.protocol,
      fold: options.fold,
      dev: options.dev === undefined ? undefined : parseDevRule(options.dev),
      where: options.where === undefined ? undefined : parseWhere(options.where),
    });
    for (const note of choice.notes) context.reporter.info(note);
    const protocol = describeProtocol(choice.protocol);
    if (options.json) {
      context.print(
        JSON.stringify({
          dataset,
          manifest: info.manifest.sha256,
          task: task.name,
          classes: task.classes.map(({ name }) => name),
          protocol,
          speakerDependent: choice.speakerDependent,
          /** Class of each utterance, as an index. */
          labels: Object.fromEntries(choice.rows.map(({ utterance, label }) => [utterance.id, label])),
          folds: choice.folds,
        }),
      );
      return;
    }
    context.print(
      `${dataset}, ${task.name}: ${protocol}${choice.speakerDependent ? ' (SPEAKER-DEPENDENT)' : ''}`,
    );
    context.print(
      headedTable(
        ['fold', 'train', 'dev', 'test'],
        choice.folds.map(({ id, train, dev, test }) => [
          id,
          ...[train, dev, test].map((part) => String(part.length)),
        ]),
      ),
    );
  },
};
