import { digestJson, type Fold, Rng, UserErrors } from '@lsgmer/datasets';
import { chooseShapes } from '../batches/shapes.ts';
import {
  type FeatureInput,
  featureDims,
  featureInputs,
  type FeatureSources,
  type Joined,
  joinFeatures,
  roomFor,
  type LabelledId,
} from '../batches/source.ts';
import type { BatchShape, Head, HeadConfig } from '../head/contract.ts';
import { type CoveredParts, cover, requireParts } from '../record/coverage.ts';
import {
  featureIdentities,
  NUMERICS_VERSION,
  type RunIdentity,
  runId,
  utterancesDigest,
} from '../record/run-id.ts';
import type { ExperimentRequest, VariantRequest } from './request.ts';

/** One run to do: a variant on a fold with a seed. */
export interface RunPlan {
  readonly id: string;
  readonly identity: RunIdentity;
  readonly variant: string;
  readonly fold: string;
  readonly seed: number;
  readonly parts: CoveredParts;
  /** Labels that training sees, by index of `VariantPlan.joined`. */
  readonly labels: readonly LabelledId[];
}

/** A variant with all its runs: they share features, shapes, and an engine. */
export interface VariantPlan {
  readonly request: VariantRequest;
  /** Features that the variant's head asks for. */
  readonly sources: FeatureSources;
  /** All utterances of the task that have these features. */
  readonly joined: Joined;
  readonly shapes: readonly BatchShape[];
  /** By fold of the request. */
  readonly covered: readonly CoveredParts[];
  /** Fold by fold within seed by seed. */
  readonly runs: readonly RunPlan[];
}

export interface ExperimentPlan {
  readonly request: ExperimentRequest;
  readonly variants: readonly VariantPlan[];
}

/**
 * Plans an experiment: which runs, their ids, what each sees. Reads lengths and row checksums from the sources'
 * indices, computes nothing else, writes nothing.
 * @throws UserErrors with all problems of all variants: configurations that do not fit the features, test
 *   utterances without features under the rule `error`
 */
export function planExperiment(request: ExperimentRequest): ExperimentPlan {
  requireDev(request);
  const problems: string[] = [];
  const variants = request.variants.flatMap((variant) => {
    try {
      return [planVariant(request, variant)];
    } catch (error) {
      if (!(error instanceof UserErrors)) throw error;
      problems.push(...error.problems.map((problem) => `variant ${variant.name}: ${problem}`));
      return [];
    }
  });
  if (problems.length > 0) throw new UserErrors(problems);
  return { request, variants };
}

/** The selection rule `dev` needs a dev part in every fold. */
function requireDev({ select, folds, refit = false }: ExperimentRequest): void {
  if (refit && select !== 'dev')
    throw new UserErrors([
      `--refit trains for the epochs that dev picked: it needs --select dev, found ${select}`,
    ]);
  const without = folds.filter((fold) => fold.dev.length === 0).map((fold) => fold.id);
  if (select !== 'dev' || without.length === 0) return;
  throw new UserErrors([
    `--select dev needs a dev part, and fold${without.length === 1 ? '' : 's'} ${without.join(', ')} ` +
      `${without.length === 1 ? 'has' : 'have'} none: carve one with --dev session, dialogue:0.1 or speaker:0.1`,
  ]);
}

function planVariant(request: ExperimentRequest, variant: VariantRequest): VariantPlan {
  const { head, classes, rows, folds, missing } = request;
  const { configuration } = variant;
  const sources = usedSources(head, configuration.head, request.sources, classes.length);
  const joined = joinFeatures(rows, sources, missing === 'mask');
  const byId = new Map(rows.map((row) => [row.id, row]));
  const labelled = (ids: readonly string[]): LabelledId[] => ids.map((id) => rowOf(byId, id));
  const covered = folds.map((fold) =>
    cover(
      { train: labelled(fold.train), dev: labelled(fold.dev), test: labelled(fold.test) },
      joined,
      missing,
    ),
  );
  requireParts(
    covered.map((parts, i) => ({ ...parts, fold: (folds[i] as Fold).id })),
    request.role === 'trial' ? 'dev' : request.select,
    request.role === 'trial',
  );
  const shapes = chooseShapes(roomFor(joined.lengths, sources), configuration.trainer);
  const features = featureIdentities(sources, joined.rows);
  const speakers =
    configuration.trainer.standardise === 'speaker'
      ? digestJson(joined.rows.map(({ id, speaker }) => [id, speaker ?? null]))
      : undefined;
  const runs = request.seeds.flatMap((seed) =>
    folds.map((fold, i): RunPlan => {
      const parts = covered[i] as CoveredParts;
      const train = configuration.trainer.permuteLabels ? permuted(parts.train, seed) : parts.train;
      const identity: RunIdentity = {
        dataset: request.dataset,
        task: request.task,
        classes,
        fold: fold.id,
        seed,
        head: head.name,
        ...(head.source === undefined ? {} : { headSource: head.source }),
        config: configuration.values,
        features,
        metric: request.metric,
        utterances: utterancesDigest({ train, dev: parts.dev, test: parts.test }),
        ...(speakers === undefined ? {} : { speakers }),
        engine: request.engine.name,
        device: request.engine.device,
        numerics: NUMERICS_VERSION,
      };
      const labels = new Map(train.map((row) => [row.id, row]));
      return {
        id: runId(identity),
        identity,
        variant: variant.name,
        fold: fold.id,
        seed,
        parts: { ...parts, train },
        labels: joined.rows.map((row) => labels.get(row.id) ?? row),
      };
    }),
  );
  return { request: variant, sources, joined, shapes, covered, runs };
}

/** The features among those at hand that a head asks for under a configuration. @throws UserErrors of the head */
export function usedSources(
  head: Head,
  config: HeadConfig,
  sources: FeatureSources,
  classes: number,
): FeatureSources {
  const shape = { rows: 1, text: 1, audio: 1, map: 1 };
  const names = new Set(head.inputs(config, featureDims(sources), classes, shape).map((spec) => spec.name));
  const used = featureInputs.filter((input): input is FeatureInput => names.has(input));
  if (names.has('mapPosition')) requireTimes(sources);
  return Object.fromEntries(used.map((input) => [input, sources[input]]));
}

/** A map that is laid over the frames by time needs the times of both; features made elsewhere may have none. */
function requireTimes({ audio, map }: FeatureSources): void {
  const timeless = [audio, map].flatMap((source) =>
    source !== undefined && source.stepSeconds === null ? [source.feature] : [],
  );
  if (timeless.length === 0) return;
  throw new UserErrors([
    `${timeless.join(' and ')} has no times, and audio.alexnet=time lays the spectrogram map over the audio by time: ` +
      'train with --set audio.alexnet=none, or, where it was imported, import it again with --frame-seconds and --replace',
  ]);
}

/** The same utterances with their labels permuted: the classes' frequencies stay. */
function permuted(rows: readonly LabelledId[], seed: number): LabelledId[] {
  const labels = Rng.for('permuted labels', seed).shuffle(rows.map((row) => row.label));
  return rows.map(({ id }, i) => ({ id, label: labels[i] as number }));
}

function rowOf(rows: ReadonlyMap<string, LabelledId>, id: string): LabelledId {
  const row = rows.get(id);
  if (row === undefined) throw new Error(`fold names ${id}, which is not in the task`);
  return row;
}
