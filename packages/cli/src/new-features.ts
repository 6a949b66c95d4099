import {
  describeDifferences,
  diffComputation,
  type FeatureDtype,
  type FeatureSet,
  type FeatureSpec,
  findFeatureSets,
  firstWritableStore,
  openFeatureSet,
  readManifest,
  UserError,
  type Utterance,
} from '@lsgmer/datasets';
import {
  DEFAULT_DECODE_POLICY,
  type EncoderModel,
  type ExtractOptions,
  extractFeatures,
  planFeatures,
  readPolicy,
} from '@lsgmer/extract';
import { type FeatureSource, type FeatureSources, type RunEntry, storedSource } from '@lsgmer/train';
import type { Context } from './context.ts';
import { recordedEncoder } from './recorded-encoder.ts';

/** Features of utterances from outside any corpus. */
export interface NewFeatures {
  readonly sources: FeatureSources;
  /** Why a feature could not be computed, by id. */
  readonly failed: ReadonlyMap<string, string>;
  readonly close: () => void;
}

export interface EncodeOptions {
  /** A folder for this call alone. */
  readonly store: string;
  readonly device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  readonly threads?: number | undefined;
}

/** One input of the head: its encoder, and how the features that it was trained on were stored. */
interface Encoding {
  readonly input: string;
  readonly model: EncoderModel;
  readonly spec: FeatureSpec;
}

/**
 * Computes the features that a trained head reads, with the encoders that it was trained on, in a store of their own.
 * @param utterances with media paths relative to the file system's root
 * @throws UserError where an encoder is not known here any more, or computes another fingerprint
 */
export async function encodeNew(
  context: Context,
  run: RunEntry,
  utterances: readonly Utterance[],
  { store, device, threads }: EncodeOptions,
): Promise<NewFeatures> {
  const encodings = await encodingsOf(context, run);
  const sets: FeatureSet[] = [];
  const sources: { [input: string]: FeatureSource } = {};
  const failed = new Map<string, string>();
  const requestOf = (models: readonly Encoding[], dtype: FeatureDtype): ExtractOptions => {
    const { model, spec } = models[0] as Encoding;
    return {
      dataset: 'predict',
      root: '/',
      utterances: utterances.filter(({ text, media }) =>
        model.form.kind === 'text' ? text !== '' : media !== null,
      ),
      models: models.map((one) => one.model),
      store,
      dtype,
      policy: readPolicy(spec.computation['decode']) ?? DEFAULT_DECODE_POLICY,
      device,
      reporter: context.reporter,
      signal: context.signal,
      ...(threads === undefined ? {} : { threads }),
    };
  };
  // models that are run alike are run together: recordings are decoded once, and one process is started
  const groups = new Map<string, { readonly members: Encoding[]; readonly dtype: FeatureDtype }>();
  for (const encoding of encodings) {
    const { input, model, spec } = encoding;
    if (requestOf([encoding], 'float16').utterances.length === 0) {
      sources[input] = emptySource(spec);
      continue;
    }
    const dtype = await matching(run, spec, (dtype) => requestOf([encoding], dtype));
    const key = JSON.stringify([model.form.kind, dtype, spec.computation['decode'] ?? null]);
    const group = groups.get(key) ?? { members: [], dtype };
    group.members.push(encoding);
    groups.set(key, group);
  }
  for (const { members, dtype } of groups.values()) {
    const done = await extractFeatures(requestOf(members, dtype));
    for (const { input, spec } of members) {
      const set = done.find((one) => one.fingerprint === spec.fingerprint && one.feature === spec.feature);
      for (const { id, reason } of set?.quarantined ?? []) failed.set(id, reason);
      if ((set?.computed ?? 0) === 0) {
        sources[input] = emptySource(spec);
        continue;
      }
      const opened = openFeatureSet({ stores: [store], dataset: 'predict', feature: spec.feature });
      sets.push(opened);
      sources[input] = storedSource(opened);
    }
  }
  return {
    sources,
    failed,
    close: () => {
      for (const set of sets) set.close();
    },
  };
}

/** How the feature must be stored to get the fingerprint that the head was trained on. @throws UserError where none does */
async function matching(
  run: RunEntry,
  spec: FeatureSpec,
  request: (dtype: FeatureDtype) => ExtractOptions,
): Promise<FeatureDtype> {
  let differs = '';
  for (const dtype of ['float16', 'float32'] as const) {
    const [plan] = await planFeatures(request(dtype));
    if (plan?.spec.fingerprint === spec.fingerprint) return dtype;
    if (plan !== undefined && (differs === '' || dtype === spec.dtype))
      differs = describeDifferences(diffComputation(spec.computation, plan.spec.computation));
  }
  throw new UserError(
    `run ${run.id} was trained with another ${spec.feature} than the one here (${differs}): features of two encoders are never mixed`,
  );
}

/** The encoder of each input. @throws UserError where the feature set or the encoder is not there */
async function encodingsOf(context: Context, run: RunEntry): Promise<Encoding[]> {
  const { dataset, features } = run.identity;
  const { utterances } = readManifest(context.stores, dataset);
  const texts = utterances.map(({ text }) => text);
  const found: Encoding[] = [];
  for (const [input, { feature, fingerprint }] of Object.entries(features)) {
    const set = findFeatureSets([...context.stores], dataset, feature).find(
      (one) => one.fingerprint === fingerprint,
    );
    if (set === undefined)
      throw new UserError(
        `run ${run.id} was trained with ${feature}@${fingerprint.slice(0, 12)}, which ${dataset} does not have in ${context.stores.join(', ')}: name its store with --store, or pull it`,
      );
    const store = firstWritableStore(context.stores);
    const model = await recordedEncoder(context, { store, dataset, feature }, texts, set.spec);
    if (model === null)
      throw new UserError(
        `run ${run.id} was trained with ${feature}, whose encoder is not known here: predict needs the encoder itself`,
      );
    found.push({ input, model, spec: set.spec });
  }
  return found;
}

/** A feature that nobody has. */
function emptySource({
  feature,
  fingerprint,
  dim,
  dtype,
  firstSeconds,
  stepSeconds,
}: FeatureSpec): FeatureSource {
  return {
    feature,
    fingerprint,
    dim,
    dtype,
    firstSeconds,
    stepSeconds,
    length: () => undefined,
    checksum: () => '',
    readInto: (id) => {
      throw new Error(`no ${feature} of ${id}`);
    },
  };
}
