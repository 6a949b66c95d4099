import { resolve } from 'node:path';
import {
  applyTask,
  chooseFolds,
  describeProtocol,
  type FeatureSet,
  findTask,
  type Fold,
  type FoldChoice,
  findFeatureSets,
  listFeatures,
  type Manifest,
  openFeatureSet,
  parseWhere,
  PROTOCOL_NAMES,
  readManifest,
  UserError,
  writeFileAtomic,
} from '@lsgmer/datasets';
import {
  compareSeries,
  cover,
  type CoveredParts,
  DRAWS,
  type FeatureSource,
  missingIn,
  type MissingRule,
  NO_PREDICTION,
  type Prediction,
  probe,
  requireParts,
  type SeriesRow,
  taskFacts,
  type TidyValue,
  toCsv,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { type CommonOptions, type Context, createContext } from '../context.ts';
import { chooseDataset, requireStored } from '../dataset.ts';
import { currentSource } from '../experiment.ts';
import { type ProbeRow, probeText } from '../ui/probe.ts';

interface ProbeOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  features?: string | undefined;
  fold: string;
  protocol?: string | undefined;
  where?: string | undefined;
  missing: MissingRule;
  C: number;
  draws: number;
  out?: string | undefined;
  json: boolean;
}

export const probeCommand: CommandModule<object, ProbeOptions> = {
  command: 'probe',
  describe: 'what a linear reading of features tells: logistic regression on their means over time',
  builder: (y) =>
    y
      .option('dataset', { type: 'string', describe: 'name of the dataset' })
      .option('task', { type: 'string', describe: 'task of the card (default: its first)' })
      .option('features', {
        type: 'string',
        describe: 'rows of the table, with commas; a+b are put side by side (default: every feature)',
      })
      .option('fold', {
        type: 'string',
        default: 'all',
        describe: 'fold ids, numbers from 1, commas, or all',
      })
      .option('protocol', { type: 'string', describe: `other folds: ${PROTOCOL_NAMES.join(', ')}` })
      .option('where', { type: 'string', describe: 'only these utterances, as in train' })
      .option('missing', {
        choices: ['error', 'wrong', 'drop'] as const,
        default: 'error' as const,
        describe: 'test utterances without features',
      })
      .option('C', { type: 'number', default: 1, describe: 'inverse strength of the L2 penalty' })
      .option('draws', { type: 'number', default: DRAWS, describe: 'bootstrap draws over dialogues' })
      .option('out', { type: 'string', describe: 'every prediction into this .csv file' })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 probe --features wavlm-large,roberta-base,wavlm-large+roberta-base', '')
      .example('$0 probe --dataset demo', 'each feature of the store by itself'),
  handler: async (options) => {
    const context = createContext(options);
    if (!(options.C > 0)) throw new UserError(`--C ${options.C}: expected a number above 0`);
    if (!(Number.isInteger(options.draws) && options.draws >= 100))
      throw new UserError(`--draws ${options.draws}: expected a whole number from 100 on`);
    if (options.out !== undefined && !options.out.endsWith('.csv'))
      throw new UserError(`--out ${options.out}: the format follows from the ending: .csv`);
    const dataset = chooseDataset(context, options.dataset);
    requireStored(context, dataset);
    const manifest = readManifest(context.stores, dataset);
    await runProbe(context, manifest, options);
  },
};

async function runProbe(context: Context, manifest: Manifest, options: ProbeOptions): Promise<void> {
  const task = findTask(manifest.card, options.task);
  const { classes } = applyTask(task, manifest.utterances);
  const where = options.where === undefined ? undefined : parseWhere(options.where);
  const choice = chooseFolds(task, manifest.utterances, {
    fold: options.fold,
    protocol: options.protocol,
    where,
  });
  for (const note of choice.notes) context.reporter.info(note);
  const names = rowNames(context, manifest.card.name, options.features);
  const { sources, close } = openSources(context, manifest, choice, names);
  try {
    const parts = names.map((name) => coveredFolds(choice, sources(name), options.missing));
    names.forEach((_, i) => requireParts(parts[i] ?? [], 'last'));
    const rows: ProbeRow[] = [];
    for (const [i, name] of names.entries()) {
      const folds = parts[i] as NamedParts[];
      const found = await probe(
        { name, sources: sources(name), classes: classes.length, folds, C: options.C },
        context,
      );
      rows.push({
        name,
        dim: sources(name).reduce((sum, source) => sum + source.dim, 0),
        folds: found.map((one, f) => ({
          ...one,
          predictions: [...one.predictions, ...unanswered(folds[f] as NamedParts)],
        })),
        evaluated: folds.reduce((sum, one) => sum + one.coverage.evaluated, 0),
        expected: folds.reduce((sum, one) => sum + one.coverage.expected, 0),
      });
    }
    const { dialogueOf } = taskFacts(manifest, task.name);
    const foldIds = choice.folds.map((fold) => fold.id);
    const series = rows.map((row): SeriesRow => seriesOf(row, foldIds, classes.length));
    const comparison = compareSeries(series, { dialogueOf, draws: options.draws });
    if (options.out !== undefined) writePredictions(context, options.out, rows, classes);
    if (options.json) {
      context.print(
        JSON.stringify({ dataset: manifest.card.name, task: task.name, C: options.C, comparison }),
      );
      return;
    }
    const head = [
      ...(manifest.card.synthetic
        ? ['SYNTHETIC data: these numbers say nothing about emotion recognition']
        : []),
      ...(choice.speakerDependent
        ? ['SPEAKER-DEPENDENT: speakers of the test part are also in training']
        : []),
      `${manifest.card.name}, task ${task.name}; ${describeProtocol(choice.protocol)}${where === undefined ? '' : `, where ${where.text}`}; missing features: ${options.missing}`,
    ];
    context.print(`${head.join('\n')}\n${probeText(rows, comparison, task.metric)}`);
  } finally {
    close();
  }
}

type NamedParts = CoveredParts & { readonly fold: string };

function coveredFolds(
  choice: FoldChoice,
  sources: readonly FeatureSource[],
  rule: MissingRule,
): NamedParts[] {
  const rows = choice.rows.map(({ utterance: { id }, label }) => ({ id, label }));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const missing = missingIn(rows, sources);
  const of = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? []);
  return choice.folds.map((fold: Fold) => ({
    fold: fold.id,
    ...cover({ train: of(fold.train), dev: [], test: of(fold.test) }, { missing, masked: [] }, rule),
  }));
}

function unanswered(parts: NamedParts): Prediction[] {
  return parts.unanswered.map(({ id, label }) => ({
    id,
    label,
    prediction: NO_PREDICTION,
    probabilities: [],
  }));
}

function seriesOf({ name, folds }: ProbeRow, foldIds: readonly string[], classes: number): SeriesRow {
  return {
    label: name,
    classes,
    folds: foldIds,
    // the fit is convex: there is one, whatever the seed
    seeds: [0],
    predictions: (_, fold) => folds.find((one) => one.fold === fold)?.predictions ?? [],
  };
}

/** @throws UserError that lists the features where one is unknown */
function rowNames(context: Context, dataset: string, asked: string | undefined): string[] {
  const all = listFeatures([...context.stores], dataset);
  if (all.length === 0)
    throw new UserError(
      `${dataset} has no features in ${context.stores.join(', ')}: make features DATASET=${dataset} (FEATURES=tiny: random encoders, to try the pipeline)`,
    );
  if (asked === undefined)
    return all.filter((feature) => findFeatureSets([...context.stores], dataset, feature).length > 0);
  const names = asked.split(',').map((name) => name.trim());
  const unknown = names
    .flatMap((name) => name.split('+'))
    .filter((one) => !all.includes(one.split('@')[0] ?? ''));
  if (unknown.length > 0)
    throw new UserError(
      `--features: no feature '${unknown.join("', '")}' of ${dataset}: there are ${all.join(', ')}`,
    );
  return [...new Set(names)];
}

function openSources(
  context: Context,
  manifest: Manifest,
  choice: FoldChoice,
  names: readonly string[],
): { sources: (name: string) => FeatureSource[]; close: () => void } {
  const ids = choice.rows.map((row) => row.utterance.id);
  const opened = new Map<string, { set: FeatureSet; source: FeatureSource }>();
  for (const feature of new Set(names.flatMap((name) => name.split('+')))) {
    const set = openFeatureSet({ stores: [...context.stores], dataset: manifest.card.name, feature, ids });
    opened.set(feature, { set, source: currentSource(set, manifest) });
  }
  return {
    sources: (name) => name.split('+').flatMap((feature) => opened.get(feature)?.source ?? []),
    close: () => {
      for (const { set } of opened.values()) set.close();
    },
  };
}

function writePredictions(
  context: Context,
  out: string,
  rows: readonly ProbeRow[],
  classes: readonly string[],
): void {
  const lines = rows.flatMap(({ name, folds }) =>
    folds.flatMap(({ fold, predictions }) =>
      predictions.map(({ id, label, prediction, probabilities }): TidyValue[] => [
        id,
        name,
        fold,
        classes[label] ?? null,
        classes[prediction] ?? null,
        ...classes.map((_, k) => probabilities[k] ?? null),
      ]),
    ),
  );
  const columns = ['id', 'features', 'fold', 'label', 'prediction', ...classes.map((name) => `p_${name}`)];
  writeFileAtomic(resolve(context.folder, out), toCsv({ columns, rows: lines }));
  context.reporter.info(`${out}: ${lines.length.toLocaleString('en')} predictions`);
}
