import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  applyTask,
  chooseFolds,
  describeProtocol,
  devRuleText,
  type DevRule,
  type FeatureSet,
  findTask,
  isImported,
  type Manifest,
  openFeatureSet,
  UserError,
  UserErrors,
  type Where,
} from '@lsgmer/datasets';
import {
  ABLATIONS,
  configure,
  type ExperimentRequest,
  type EngineFactory,
  type FeatureSource,
  type FeatureSources,
  gridSettings,
  type Head,
  type HeadConfig,
  type Layer,
  parseRecipe,
  randomSettings,
  readGrid,
  readSettings,
  type Recipe,
  storedSource,
  type Sweep,
} from '@lsgmer/train';
import type { Context } from './context.ts';
import { chooseFeatures } from './feature-choice.ts';
import { staleRows } from './freshness.ts';
import { VERSION } from './version.ts';

/** What `train` was asked for on the command line; a recipe fills what is left open. */
export interface TrainAsk {
  readonly task?: string | undefined;
  readonly recipe?: Recipe | undefined;
  readonly features?: string | undefined;
  readonly set: readonly string[];
  /** `key=a,b,c`: what a sweep tries. */
  readonly grid: readonly string[];
  /** So many random draws instead of all combinations. */
  readonly random?: number | undefined;
  readonly fold: string;
  readonly protocol?: string | undefined;
  readonly dev?: DevRule | undefined;
  readonly where?: Where | undefined;
  readonly seeds: readonly number[];
  readonly ablations: readonly string[];
  readonly head: Head;
  /** Where it comes from, if from a file: recorded, so that the run's head can be loaded again. */
  readonly headFile?: string | undefined;
  readonly engine: EngineFactory;
  readonly missing: Recipe['missing'];
  readonly analysis: boolean;
  readonly select: Recipe['select'];
  readonly refit: boolean;
}

const RECIPES = join(dirname(fileURLToPath(import.meta.url)), '../../../recipes');

/** A recipe by name (recipes/<name>/recipe.json) or by file. @throws UserError that lists the names. */
export function loadRecipe(name: string): Recipe {
  const committed = join(RECIPES, name, 'recipe.json');
  const file = name.endsWith('.json') ? name : committed;
  if (!existsSync(file)) {
    const names = readdirSync(RECIPES).filter((one) => existsSync(join(RECIPES, one, 'recipe.json')));
    throw new UserError(
      `no recipe '${name}': choose one of ${names.join(', ')}, or give a file ending in .json`,
    );
  }
  return parseRecipe(readFileSync(file, 'utf8'), file);
}

/** A larger number was meant as a seed. */
const MOST_SEEDS = 1000;

/** `5` means seeds 1 to 5; `7,8` means these two, `9,` this one. @throws UserError */
export function parseSeeds(text: string): number[] {
  const listed = text.includes(',');
  const parts = text
    .replace(/,\s*$/, '')
    .split(',')
    .map((part) => part.trim());
  if (!parts.every((part) => /^\d+$/.test(part)))
    throw new UserError(`--seeds ${text}: a count (5) or a list (7,8, or 9, for one) of whole numbers`);
  const numbers = parts.map(Number);
  const large = numbers.find((n) => !Number.isSafeInteger(n));
  if (large !== undefined)
    throw new UserError(`--seeds ${text}: a seed is at most ${Number.MAX_SAFE_INTEGER}`);
  if (listed) {
    if (new Set(numbers).size < numbers.length) throw new UserError(`--seeds ${text}: a seed is named twice`);
    return numbers;
  }
  const count = numbers[0] as number;
  if (count < 1) throw new UserError('--seeds 0: at least one seed is needed');
  if (count > MOST_SEEDS)
    throw new UserError(
      `--seeds ${text}: one number is how many seeds, at most ${MOST_SEEDS}; 7,8 are these two, ${text}, is this one`,
    );
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** `all`, or names separated by commas. @throws UserError that lists the names */
export function parseAblations(text: string): string[] {
  const names = Object.keys(ABLATIONS);
  if (text === 'all') return names;
  const chosen = text.split(',').map((part) => part.trim());
  const unknown = chosen.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UserError(`no ablation ${unknown.join(', ')}: choose from ${names.join(', ')}, or all`);
  return [...new Set(chosen)];
}

/** An experiment made ready, with the feature sets that it holds open. */
export interface Prepared {
  readonly request: ExperimentRequest;
  /** What `--grid` asks to try. */
  readonly sweep?: Sweep | undefined;
  readonly close: () => void;
}

/**
 * Opens the features, cuts the folds, and lays defaults, recipe and --set over each other.
 * @throws UserError, UserErrors: unknown task, fold, feature, key, with what there is
 */
export function prepareExperiment(context: Context, manifest: Manifest, ask: TrainAsk): Prepared {
  const { recipe } = ask;
  const task = findTask(manifest.card, ask.task ?? recipe?.task);
  const { classes } = applyTask(task, manifest.utterances);
  const choice = chooseFolds(task, manifest.utterances, ask);
  for (const note of choice.notes) context.reporter.info(note);
  const { head } = ask;
  const named = variantLayers(head, ask);
  const variants = named.map(({ name, layers }) => ({ name, configuration: configure(head, layers) }));
  const tried = trialSettings(head, ask);
  const sweep = tried && {
    trials: named.map(({ layers }) =>
      tried.map((settings) => ({
        settings,
        configuration: configure(head, [...layers, { from: '--grid', set: settings }]),
      })),
    ),
  };
  const features = chooseFeatures(context, manifest.card.name, ask.features, ask.recipe?.features);
  const unused =
    tried === undefined &&
    variants.every(({ configuration }) => configuration.values['audio.alexnet'] === 'none');
  if (features.alexnet !== undefined && unused)
    context.reporter.info(`audio.alexnet=none: ${features.alexnet} is not used`);
  const ids = choice.rows.map((row) => row.utterance.id);
  const { stores } = context;
  const wanted = { text: features.text, audio: features.audio, map: unused ? undefined : features.alexnet };
  const problems: string[] = [];
  const opened = Object.entries(wanted).flatMap(([input, feature]) => {
    if (feature === undefined) return [];
    try {
      const set = openFeatureSet({ stores: [...stores], dataset: manifest.card.name, feature, ids });
      const kind = input === 'text' ? 'text' : 'audio';
      if (set.spec.kind !== kind)
        problems.push(
          `${feature} holds ${set.spec.kind}, and ${input === 'map' ? 'alexnet' : input} takes ${kind}: choose another with --features`,
        );
      return [{ input, set }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) {
    for (const { set } of opened) set.close();
    throw new UserErrors(problems);
  }
  const sets = opened.map(({ set }) => set);
  const sources: FeatureSources = Object.fromEntries(
    opened.map(({ input, set }) => [input, currentSource(set, manifest)]),
  );
  return {
    request: {
      dataset: manifest.card.name,
      synthetic: manifest.card.synthetic,
      task: task.name,
      classes,
      metric: task.metric,
      rows: choice.rows.map(({ utterance: { id, speaker }, label }) => ({
        id,
        label,
        ...(speaker === null ? {} : { speaker }),
      })),
      protocol: {
        name: describeProtocol(choice.protocol),
        speakerDependent: choice.speakerDependent,
        where: ask.where?.text ?? null,
        asked: ask.protocol ?? null,
        dev: ask.dev === undefined || ask.dev.kind === 'none' ? null : devRuleText(ask.dev),
      },
      folds: choice.folds,
      allFolds: choice.allFolds,
      seeds: ask.seeds,
      head,
      variants,
      sources,
      missing: ask.missing,
      select: ask.select,
      refit: ask.refit,
      engine: ask.engine,
      analysis: ask.analysis,
      runs: context.runs,
      stores: context.stores,
      environment: {
        lsgmer: VERSION,
        node: process.versions.node,
        host: hostname(),
        ...(ask.headFile === undefined ? {} : { headFile: ask.headFile }),
      },
    },
    sweep,
    close: () => {
      for (const set of sets) set.close();
    },
  };
}

/** Seed of random draws: fixed, so that more draws begin with fewer of them. */
const DRAW_SEED = 1;

function trialSettings(head: Head, { grid, random, set }: TrainAsk): HeadConfig[] | undefined {
  if (grid.length === 0) return undefined;
  const axes = readGrid(head, grid);
  const both = axes.map(({ key }) => key).filter((key) => key in readSettings(head, set).set);
  if (both.length > 0) throw new UserError(`${both.join(', ')}: both under --set and --grid; leave one`);
  return random === undefined ? gridSettings(axes) : randomSettings(axes, random, DRAW_SEED);
}

/** A set's rows as a source, without those whose text or recording changed since: they count as missing. */
export function currentSource(set: FeatureSet, manifest: Manifest): FeatureSource {
  const source = storedSource(set);
  const stale = staleRows(set.spec.kind, set.inputs(), manifest.utterances);
  if (stale.size === 0) return source;
  const what = set.spec.kind === 'text' ? 'its text' : 'its recording';
  return {
    ...source,
    length: (id) => (stale.has(id) ? undefined : source.length(id)),
    reason: (id) => {
      const changed = stale.get(id);
      if (changed === undefined) return source.reason?.(id);
      const digests = [changed.encoded, changed.now].map((one) => one.slice(0, 12)).join(' -> ');
      const [done, command] = isImported(set.spec) ? ['imported', 'import'] : ['extracted', 'extract'];
      return `${what} changed since it was ${done} (${digests}): run features ${command}`;
    },
  };
}

/** Rows of the table: the recipe's variants, or one per ablation; --set lies over all. */
function variantLayers(head: Head, ask: TrainAsk): { name: string; layers: Layer[] }[] {
  const given = readSettings(head, ask.set);
  const base: Layer[] = ask.recipe === undefined ? [] : [{ from: 'recipe', set: ask.recipe.set }];
  if (ask.ablations.length > 0) {
    return ask.ablations.map((name) => ({
      name,
      layers: [
        ...base,
        { from: `ablation ${name}`, set: ABLATIONS[name as keyof typeof ABLATIONS], fixed: true },
        given,
      ],
    }));
  }
  const variants = ask.recipe?.variants ?? [{ name: head.name, set: {} }];
  return variants.map((variant) => ({
    name: variant.name,
    layers: [...base, { from: `variant ${variant.name}`, set: variant.set, fixed: true }, given],
  }));
}
