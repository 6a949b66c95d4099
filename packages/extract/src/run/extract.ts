import {
  type FeatureDtype,
  Interrupted,
  type Json,
  type Reporter,
  type Utterance,
  readFeatureSetIndex,
  setFolder,
  silent,
} from '@lsgmer/datasets';
import { type Device, RUNTIME_VERSION, usableCores } from '@lsgmer/onnx';
import type { DecodeOptions } from '../decode/decode.ts';
import { type FfmpegSearch, requireFfmpeg, searchFfmpeg } from '../decode/ffmpeg-binary.ts';
import { DEFAULT_DECODE_POLICY, type DecodePolicy, pieceSize } from '../decode/policy.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import { ClipWindows, encodedSeconds } from './clip-windows.ts';
import { encodeRecordings } from './encode-audio.ts';
import { encodeTexts } from './encode-text.ts';
import { type Encoder, LocalEncoder } from './encoder.ts';
import { checkNames, featureSpecOf } from './feature-set.ts';
import { type SinkOpener, localSinks } from './feature-sink.ts';
import { digestMedia } from './input-digest.ts';
import { type SetPlan, planSet } from './plan.ts';
import { ModelRun } from './model-run.ts';
import { RemoteEncoder } from './remote-encoder.ts';
import { SetRun } from './set-run.ts';
import { ThreadedSinks } from './threaded-sinks.ts';

export interface ExtractOptions {
  readonly dataset: string;
  /** Folder that the media's paths are relative to. */
  readonly root: string;
  /** Of one manifest, in its order. */
  readonly utterances: readonly Utterance[];
  /** Each gives one feature set or several. */
  readonly models: readonly EncoderModel[];
  /** Store that is written to. */
  readonly store: string;
  /** Further stores that are read: what they hold is not computed again. */
  readonly readStores?: readonly string[];
  /** Name of the index part that is written. */
  readonly part?: string;
  readonly policy?: DecodePolicy;
  /** As the features are stored; float16 unless given. */
  readonly dtype?: FeatureDtype;
  /** A row with values beyond float16's range is quarantined (default), or kept as float32. */
  readonly overflow?: 'quarantine' | 'float32';
  readonly device?: Device | 'auto';
  /** Threads of the encoders; the cores that this process may use unless given. */
  readonly threads?: number;
  /** Computes again what could not be computed before. */
  readonly retryQuarantined?: boolean;
  /** Folder of files that remember the digests of unchanged media, for those that the manifest did not hash. */
  readonly cacheFolder?: string;
  readonly shardBytes?: number;
  readonly reporter?: Reporter;
  /** Ends the run at once; what was encoded until then is kept. */
  readonly signal?: AbortSignal;
  /**
   * Where encoders and writers run: in a process and a thread of their own (default; `entry` and `sinkEntry` name the compiled
   * entries where they do not lie beside this file), or inside this one, which they block.
   */
  readonly encoders?: 'inside' | { readonly entry: string; readonly sinkEntry: string };
}

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
 * What a run would do, one plan for each model. Reads the index, and media files whose digest the manifest lacks;
 * writes nothing.
 * @throws UserError when two models have one name or an index is damaged
 */
export async function planFeatures(
  options: ExtractOptions,
  provenance: { [key: string]: Json } = {},
): Promise<SetPlan[]> {
  const { dataset, utterances, models, store, readStores = [], signal } = options;
  checkNames(models);
  const { policy = DEFAULT_DECODE_POLICY, dtype = 'float16' } = options;
  const audio = models.some(({ form }) => form.kind === 'audio');
  const digests = audio ? await digestMedia(utterances, options.root, options.cacheFolder, signal) : new Map<string, string>();
  return models.flatMap((model) =>
    model.features.map((feature, i) => {
      const spec = featureSpecOf(model, feature, {
        dataset,
        policy,
        dtype,
        provenance: { ...provenance, ...model.provenance },
      });
      const index = readFeatureSetIndex([store, ...readStores], spec);
      return planSet(model, i, spec, utterances, index, digests, options.retryQuarantined ?? false);
    }),
  );
}

/**
 * Computes what the store lacks of several feature sets: decode, tokenise, encode, write. Recordings are decoded
 * once for all audio sets. A clip that fails is quarantined with its reason, and the rest goes on; the same call
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
    const plans = await planFeatures(options, await provenanceOf(options, search));
    const busy = plans.filter(({ rows }) => rows.length > 0);
    if (busy.length > 0) await fill(busy, runs, options, search);
    return plans.map((plan) => {
      const run = runs.find((one) => one.plan === plan);
      return summary(plan, run, options);
    });
  } catch (error) {
    throw signal?.aborted === true ? interruption(runs) : error;
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
  const windows = audio.length === 0 ? undefined : new ClipWindows(audio, options.root, decodeOptions(options, search));
  const sinks = options.encoders === 'inside' ? localSinks : new ThreadedSinks(options.encoders?.sinkEntry);
  try {
    const encoder = await startEncoder(models, options);
    const stop = (): void => void encoder.close();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      signal?.throwIfAborted();
      for (const plan of plans) runs.push(await openRun(plan, encoder.device, options, sinks));
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
  windows: ClipWindows | undefined,
  { reporter = silent, signal }: ExtractOptions,
): Promise<void> {
  for (const run of runs) {
    if (run.model.form.kind !== 'text') continue;
    await encodeTexts(run, reporter, signal);
    // Its sets are whole: nothing that happens to the recordings may cost them.
    await run.flush();
  }
  const audio = runs.filter(({ model }) => model.form.kind === 'audio');
  if (windows !== undefined) await encodeRecordings(audio, windows, reporter, signal);
}

/** How this run decodes. */
function decodeOptions(options: ExtractOptions, search: () => Promise<FfmpegSearch>): DecodeOptions {
  const { policy = DEFAULT_DECODE_POLICY, threads = usableCores(), signal } = options;
  return {
    policy,
    ffmpeg: async (why: string) => (await search()).found ?? requireFfmpeg(why),
    processes: Math.max(1, Math.floor(threads / 2)),
    ...(signal === undefined ? {} : { signal }),
  };
}

function startEncoder(models: readonly EncoderModel[], options: ExtractOptions): Promise<Encoder> {
  const { device = 'auto', threads, encoders, policy = DEFAULT_DECODE_POLICY } = options;
  const settings = {
    device,
    ...(threads === undefined ? {} : { threads }),
    ...(policy.length.over === 'chunk' ? { pieces: pieceSize(policy.length) } : {}),
  };
  const references = models.map((model) => ({ folder: model.folder, options: model.options }));
  if (encoders === 'inside') return LocalEncoder.start(references, settings);
  return RemoteEncoder.start(references, settings, encoders?.entry);
}

async function openRun(
  plan: SetPlan,
  device: Device,
  options: ExtractOptions,
  sinks: SinkOpener,
): Promise<SetRun> {
  const { store, readStores, part = 'main', shardBytes } = options;
  const spec = { ...plan.spec, provenance: { ...plan.spec.provenance, device } };
  const sink = await sinks.open({
    store,
    spec,
    part,
    onOverflow: options.overflow === 'float32' ? 'float32' : 'error',
    ...(readStores === undefined ? {} : { readStores }),
    ...(shardBytes === undefined ? {} : { shardBytes }),
  });
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

function interruption(runs: readonly SetRun[]): Interrupted {
  const done = runs.reduce((sum, run) => sum + run.computed, 0);
  const total = runs.reduce((sum, { plan }) => sum + plan.rows.length, 0);
  const what = runs.length === 0 ? 'before the first row' : `after ${done} of ${total} rows, which are kept`;
  return new Interrupted(`stopped ${what}: the same command goes on`);
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

async function provenanceOf(
  options: ExtractOptions,
  search: () => Promise<FfmpegSearch>,
): Promise<{ [key: string]: Json }> {
  const audio = options.models.some(({ form }) => form.kind === 'audio');
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    onnxruntime: RUNTIME_VERSION,
    threads: options.threads ?? usableCores(),
    ...(audio ? { ffmpeg: (await search()).found?.version ?? null } : {}),
  };
}

function onlyOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
