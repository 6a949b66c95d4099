import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyTask, findTask, readManifest, UserError, writeFileAtomic } from '@lsgmer/datasets';
import {
  cover,
  decodePredictions,
  encodePredictions,
  type LabelledId,
  type Metrics,
  type MissingRow,
  type MissingRule,
  missingGrid,
  NO_PREDICTION,
  type Prediction,
  requireCovered,
  ruleFile,
  Scorer,
  scorePredictions,
  scoresOf,
  type TrainedHead,
} from '@lsgmer/train';
import type { CommandModule } from 'yargs';
import { classMap } from '../class-map.ts';
import { type Context, createContext } from '../context.ts';
import { requireStored } from '../dataset.ts';
import { openTrainedFeatures } from '../trained-features.ts';
import {
  chooseTrained,
  engineOfRun,
  HEAD_FILE_OPTION,
  RULE_OPTION,
  RUN_POSITIONAL,
  type TrainedOptions,
} from '../trained-choice.ts';
import { evaluationText, missingGridText } from '../ui/evaluation.ts';

interface EvalOptions extends TrainedOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  map?: string | undefined;
  missing: MissingRule;
  'missing-grid': boolean;
  seed: number;
  predictions?: string | undefined;
  threads?: number | undefined;
  json: boolean;
}

export const evalCommand: CommandModule<object, EvalOptions> = {
  command: 'eval <run>',
  describe: "a trained head on its own test part again, or on another corpus's cached features",
  builder: (y) =>
    y
      .positional('run', RUN_POSITIONAL)
      .option('dataset', {
        type: 'string',
        describe: "another corpus with features (default: the run's own test part)",
      })
      .option('task', { type: 'string', describe: "task of that corpus (default: its card's first)" })
      .option('map', {
        type: 'string',
        describe: 'JSON file: {"class of the corpus": "class of the head" or null}',
      })
      .option('select', RULE_OPTION)
      .option('head', HEAD_FILE_OPTION)
      .option('missing', {
        choices: ['error', 'mask', 'wrong', 'drop'] as const,
        default: 'error' as const,
        describe: 'utterances without features',
      })
      .option('missing-grid', {
        type: 'boolean',
        default: false,
        describe: 'score with text missing, audio missing, and missing at random at 10 to 90 %',
      })
      .option('seed', { type: 'number', default: 1, describe: 'draws of --missing-grid' })
      .option('predictions', { type: 'string', describe: 'write every prediction to this CSV' })
      .option('threads', { type: 'number', describe: 'threads (default: all cores)' })
      .option('json', { type: 'boolean', default: false, describe: 'as JSON on stdout' })
      .example('$0 eval 3f2a91c0', 'repeats predictions.csv')
      .example('$0 eval 3f2a91c0 --dataset meld --map meld-to-iemocap.json', '')
      .example('$0 eval 3f2a91c0 --missing-grid', ''),
  handler: async (options) => {
    const context = createContext(options);
    const trained = await chooseTrained(context, options);
    const dataset = options.dataset ?? trained.run.identity.dataset;
    requireStored(context, dataset);
    const part = partOf(context, trained, dataset, options);
    const features = openTrainedFeatures(context, trained.run, dataset);
    const scorer = await Scorer.open(trained, features.sources, {
      engine: await engineOfRun(context, trained.run, options.threads),
      everyone: part.everyone,
    });
    try {
      const result = await evaluate(scorer, trained, part, options);
      if (options.predictions !== undefined)
        writeFileAtomic(
          options.predictions,
          encodePredictions(result.predictions, part.name, trained.classes),
        );
      const { predictions: _, metrics, ...rest } = result;
      if (options.json)
        context.print(
          JSON.stringify({
            ...rest,
            scores: scoresOf(metrics),
            confusion: metrics.confusion,
            classes: trained.classes,
          }),
        );
      else {
        context.print(evaluationText(result, trained.classes));
        if (result.grid !== null) context.print(`\n${missingGridText(result.grid)}`);
      }
    } finally {
      await scorer.close();
      features.close();
    }
  },
};

/** What is scored. */
interface Part {
  /** The fold, or the other corpus. */
  readonly name: string;
  readonly rows: readonly LabelledId[];
  /** Utterances of classes that the head does not have, by class. */
  readonly removed: { readonly [name: string]: number };
  readonly everyone: readonly LabelledId[];
  /** What the run itself said of its test part; null for another corpus. */
  readonly before: readonly Prediction[] | null;
}

function partOf(context: Context, trained: TrainedHead, dataset: string, options: EvalOptions): Part {
  const { run, classes, rule } = trained;
  const own = dataset === run.identity.dataset && options.task === undefined && options.map === undefined;
  const manifest = readManifest(context.stores, dataset);
  const task = findTask(manifest.card, options.task ?? (own ? run.identity.task : undefined));
  const view = applyTask(task, manifest.utterances);
  const labelled = view.rows.map(({ utterance: { id, speaker }, label }): LabelledId => ({
    id,
    label,
    ...(speaker === null ? {} : { speaker }),
  }));
  if (own) {
    const path = join(run.path, ruleFile('predictions', rule, 'csv'));
    if (!existsSync(path)) throw new UserError(`${path}: is missing; delete ${run.path} and train again`);
    const before = decodePredictions(readFileSync(path, 'utf8'), classes, path);
    const byId = new Map(labelled.map((row) => [row.id, row]));
    const rows = before.map(({ id, label }) => ({ ...byId.get(id), id, label }));
    return { name: run.identity.fold, rows, removed: {}, everyone: labelled, before };
  }
  const map = classMap(view.classes, classes, options.map);
  const removed: { [name: string]: number } = {};
  const rows = labelled.flatMap((row) => {
    const label = map[row.label] as number | null;
    if (label !== null) return [{ ...row, label }];
    const name = view.classes[row.label] as string;
    removed[name] = (removed[name] ?? 0) + 1;
    return [];
  });
  if (rows.length === 0)
    throw new UserError(`${dataset} has no utterance of the head's classes: ${classes.join(', ')}`);
  return { name: dataset, rows, removed, everyone: labelled, before: null };
}

/** The result of an evaluation. */
export interface Evaluation {
  readonly run: string;
  readonly head: string;
  readonly rule: TrainedHead['rule'];
  readonly trainedOn: string;
  readonly evaluatedOn: string;
  readonly evaluated: number;
  readonly expected: number;
  readonly missing: readonly { readonly id: string; readonly reason: string }[];
  readonly removed: { readonly [name: string]: number };
  /** Rows that are as predictions.csv has them, to the digit; null for another corpus. */
  readonly repeated: number | null;
  readonly grid: readonly MissingRow[] | null;
  readonly metrics: Metrics;
  readonly predictions: readonly Prediction[];
}

async function evaluate(
  scorer: Scorer,
  trained: TrainedHead,
  part: Part,
  options: EvalOptions,
): Promise<Evaluation> {
  const { run, rule, classes } = trained;
  const missingRule = part.before === null ? options.missing : 'mask';
  const joined = scorer.join(part.rows, missingRule === 'mask');
  const covered = cover({ train: [], dev: [], test: part.rows }, joined, missingRule);
  requireCovered(part.name, covered);
  const answers = await scorer.score(joined);
  const unanswered = covered.unanswered.map((row): Prediction => ({
    ...row,
    prediction: NO_PREDICTION,
    probabilities: [],
  }));
  const predictions = [...answers, ...unanswered];
  const grid = options['missing-grid']
    ? await missingGrid(scorer, scorer.join(part.rows), { classes: classes.length, seed: options.seed })
    : null;
  return {
    run: run.id,
    head: run.identity.head,
    rule,
    trainedOn: `${run.identity.dataset} ${run.identity.task} ${run.identity.fold} seed ${run.identity.seed}`,
    evaluatedOn: part.name,
    evaluated: covered.coverage.evaluated,
    expected: covered.coverage.expected,
    missing: covered.coverage.missingTest,
    removed: part.removed,
    repeated: part.before === null ? null : repeatedRows(answers, part.before, part.name, classes),
    grid,
    metrics: scorePredictions(predictions, classes.length),
    predictions,
  };
}

/** Rows that are written as they were: predictions.csv has nine digits. */
function repeatedRows(
  now: readonly Prediction[],
  before: readonly Prediction[],
  fold: string,
  classes: readonly string[],
): number {
  const lines = (all: readonly Prediction[]): string[] =>
    encodePredictions(all, fold, classes).trim().split('\n').slice(1);
  const known = new Set(lines(before));
  return lines(now).filter((line) => known.has(line)).length;
}
