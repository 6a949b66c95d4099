import {
  type FeatureSpec,
  type Json,
  hasAbandonedRows,
  isWritable,
  openFeatureSetWriter,
  readFeatureSetIndex,
  refuseRenamedSet,
  setFolder,
  shardsWithoutIndex,
  silent,
  UserError,
} from '@lsgmer/datasets';
import type { Device } from '@lsgmer/onnx/runtime';
import { type FfmpegSearch, searchFfmpeg } from '../decode/ffmpeg-binary.ts';
import { DEFAULT_DECODE_POLICY } from '../decode/policy.ts';
import { ClipWindows, encodedSeconds } from './clip-windows.ts';
import { checkDevice } from './device-check.ts';
import { encodeRecordings } from './encode-audio.ts';
import { encodeTexts } from './encode-text.ts';
import {
  type ExtractOptions,
  decodeOptions,
  interruption,
  onlyOnce,
  provenanceOf,
  startEncoder,
  writerOptions,
} from './extract-options.ts';
import { refuseChangedMedia } from './changed-media.ts';
import { checkNames, featureSpecOf, refuseImportedNames } from './feature-set.ts';
import { type SinkOpener, localSinks } from './feature-sink.ts';
import { withFidelity } from './fidelity.ts';
import { digestMedia } from './input-digest.ts';
import type { ModelFeature } from '../models/model-features.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import { ModelRun } from './model-run.ts';
import { type SetPlan, planSet } from './plan.ts';
import { SetRun } from './set-run.ts';
import { ThreadedSinks } from './threaded-sinks.ts';

export interface ExtractedSet {
  readonly feature: string;
  readonly fingerprint: string;
  readonly folder: string;
  /** Rows computed by this run. */
  readonly computed: number;
  /** What was computed: seconds of sound (0 for text), and bytes of values as they are stored. */
  readonly audioSeconds: number;
  readonly bytes: number;
  /** Rows that were there before. */
  readonly done: number;
  /** Rows that could not be computed, now or before from the same input. */
  readonly quarantined: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * What a run would do, one plan for each model. Reads the index, and media files whose digest the manifest lacks or
 * nobody remembers; writes nothing but these digests.
 * @throws UserError when two models have one name, an import has that name, a set lies under another name, an index is damaged,
 *   or recordings are not those of the manifest
 */
export async function planFeatures(
  options: ExtractOptions,
  provenance: { [key: string]: Json } = {},
): Promise<SetPlan[]> {
  const { utterances, models, store, readStores = [], signal } = options;
  checkNames(models);
  refuseImportedNames(models, options.dataset, [store, ...readStores]);
  const audio = models.some(({ form }) => form.kind === 'audio');
  const digests = audio
    ? await digestMedia(utterances, options.root, options.cacheFolder, signal)
    : new Map<string, string>();
  const plans = models.flatMap((model) =>
    model.features.map((feature, i) => {
      const spec = specOf(options, model, feature, provenance);
      const index = readFeatureSetIndex([store, ...readStores], spec);
      return planSet(model, i, spec, utterances, index, digests, options.retryQuarantined ?? false);
    }),
  );
  for (const { spec, rows } of plans)
    if (rows.length > 0) refuseLost([store, ...readStores.filter(isWritable)], spec);
  const heard = plans.filter(({ spec }) => spec.kind === 'audio');
  const computed = heard.flatMap(({ rows }) => rows.map(({ utterance }) => utterance));
  if (audio) await refuseChangedMedia({ ...options, computed });
  return plans;
}

/**
 * Computes what the store lacks of several feature sets: decode, tokenise, encode, write. Recordings are decoded
 * once for all audio sets of one rate. A clip that fails is quarantined with its reason, and the rest goes on; the same call
 * again goes on where a stopped or killed one ended.
 *
 * @throws Interrupted when the signal is aborted, after everything finished so far was saved;
 *   UserError when the store, a model or a device cannot be used, or ffmpeg is needed and absent
 */
export async function extractFeatures(options: ExtractOptions): Promise<ExtractedSet[]> {
  const { signal } = options;
  const runs: SetRun[] = [];
  try {
    signal?.throwIfAborted();
    const search = onlyOnce(() => searchFfmpeg());
    const provenance = await provenanceOf(options, search);
    takeInAbandoned(options, provenance);
    const plans = await planFeatures(options, provenance);
    const busy = plans.filter(({ rows }) => rows.length > 0);
    if (busy.length > 0) await fill(await withFidelity(busy, options, search), runs, options, search);
    return plans.map((plan) => {
      const run = runs.find((one) => one.plan.spec.feature === plan.spec.feature);
      return summary(plan, run, options);
    });
  } catch (error) {
    throw signal?.aborted === true ? interruption(runs) : error;
  }
}

/** Rows that are there, and that no reader sees, are not computed again unasked, where they can be mended. @throws UserError that says what to do */
function refuseLost(stores: readonly string[], spec: FeatureSpec): void {
  refuseRenamedSet(stores, spec, 'computed');
  for (const store of stores) {
    const lost = shardsWithoutIndex(setFolder(store, spec));
    if (lost !== null) throw new UserError(`${lost} (nothing was computed)`);
  }
}

function specOf(
  { dataset, policy = DEFAULT_DECODE_POLICY, dtype = 'float16' }: ExtractOptions,
  model: EncoderModel,
  feature: ModelFeature,
  provenance: { [key: string]: Json },
): FeatureSpec {
  return featureSpecOf(model, feature, {
    dataset,
    policy,
    dtype,
    provenance: { ...provenance, ...model.provenance },
  });
}

/** Rows that killed runs had computed need not be planned: they are finished first. */
function takeInAbandoned(options: ExtractOptions, provenance: { [key: string]: Json }): void {
  const { models, store, reporter = silent } = options;
  for (const model of models) {
    for (const feature of model.features) {
      const spec = specOf(options, model, feature, provenance);
      if (!hasAbandonedRows(setFolder(store, spec))) continue;
      const writer = openFeatureSetWriter(writerOptions(options, spec));
      writer.close();
      if (writer.takenIn > 0)
        reporter.info(`${spec.feature}: ${writer.takenIn} rows of a run that was killed are taken in`);
    }
  }
}

/** Starts the encoder, computes what the plans lack, and saves what was finished, however it ends. */
async function fill(
  plans: readonly SetPlan[],
  runs: SetRun[],
  options: ExtractOptions,
  search: () => Promise<FfmpegSearch>,
): Promise<void> {
  const { reporter = silent, signal } = options;
  const models = [...new Set(plans.map(({ model }) => model))];
  const audio = plans.filter(({ model }) => model.form.kind === 'audio');
  // Recordings are decoded while models are loaded and texts are encoded.
  const windows = byRate(audio).map(
    ([sampleRate, sets]) =>
      new ClipWindows(sets, options.root, { ...decodeOptions(options, search), sampleRate }),
  );
  const sinks = options.encoders === 'inside' ? localSinks : new ThreadedSinks(options.encoders?.sinkEntry);
  try {
    const encoder = await startEncoder(models, options);
    const stop = (): void => void encoder.close();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      signal?.throwIfAborted();
      const checked = await checkDevice(encoder, plans, options, search);
      for (const plan of checked) {
        const device = encoder.devices[models.indexOf(plan.model)] as Device;
        runs.push(await openRun(plan, device, options, sinks));
      }
      const byModel = models.map((model, i) => {
        const sets = runs.filter(({ plan }) => plan.model === model);
        return new ModelRun(sets, encoder, i, reporter);
      });
      await encodeAll(byModel, windows, options);
    } finally {
      signal?.removeEventListener('abort', stop);
      await encoder.close();
      await closeAll(runs);
    }
  } finally {
    await sinks.close();
  }
}

async function encodeAll(
  runs: readonly ModelRun[],
  windows: readonly ClipWindows[],
  { reporter = silent, signal }: ExtractOptions,
): Promise<void> {
  for (const run of runs) {
    if (run.model.form.kind !== 'text') continue;
    await encodeTexts(run, reporter, signal);
    // Its sets are whole: nothing that happens to the recordings may cost them.
    await run.flush();
  }
  for (const one of windows) {
    const own = runs.filter(({ model }) => model.form.sampleRate === one.sampleRate);
    await encodeRecordings(own, one, reporter, signal);
  }
}

/** Plans of audio sets by the rate that their encoders take: nearly always one. */
function byRate(plans: readonly SetPlan[]): [rate: number, plans: readonly SetPlan[]][] {
  const rates = new Set(plans.map(({ model }) => model.form.sampleRate ?? 0));
  return [...rates].map((rate) => [rate, plans.filter(({ model }) => model.form.sampleRate === rate)]);
}

async function openRun(
  plan: SetPlan,
  device: Device,
  options: ExtractOptions,
  sinks: SinkOpener,
): Promise<SetRun> {
  const spec = { ...plan.spec, provenance: { ...plan.spec.provenance, device } };
  const sink = await sinks.open(writerOptions(options, spec));
  const { policy = DEFAULT_DECODE_POLICY } = options;
  const audio = plan.model.form.kind === 'audio';
  return new SetRun(plan, sink, (utterance) => (audio ? encodedSeconds(utterance, policy) : 0));
}

/** Every set is closed, also when closing another one fails; the first failure is thrown then. */
async function closeAll(runs: readonly SetRun[]): Promise<void> {
  const failures: unknown[] = [];
  for (const run of runs) {
    try {
      await run.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function summary(plan: SetPlan, run: SetRun | undefined, options: ExtractOptions): ExtractedSet {
  const { feature, fingerprint, dataset } = plan.spec;
  return {
    feature,
    fingerprint,
    folder: setFolder(options.store, { dataset, feature, fingerprint }),
    computed: run?.computed ?? 0,
    audioSeconds: run?.audioSeconds ?? 0,
    bytes: run?.bytes ?? 0,
    done: plan.done,
    quarantined: [...plan.quarantined, ...(run?.quarantined ?? [])],
  };
}
