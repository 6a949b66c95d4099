import {
  type FeatureDtype,
  type FeatureSetWriterOptions,
  type FeatureSpec,
  Interrupted,
  type Json,
  type Reporter,
  type Utterance,
} from '@lsgmer/datasets';
import { type Device, RUNTIME_VERSION, chooseDevice, usableCores } from '@lsgmer/onnx/runtime';
import type { DecodeOptions } from '../decode/decode.ts';
import { type FfmpegSearch, requireFfmpeg } from '../decode/ffmpeg-binary.ts';
import { DEFAULT_DECODE_POLICY, type DecodePolicy } from '../decode/policy.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import { type Encoder, LocalEncoder } from './encoder.ts';
import { EncoderLanes, lanesFor } from './encoder-lanes.ts';
import { RemoteEncoder } from './remote-encoder.ts';
import type { SetRun } from './set-run.ts';

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
  /** Folder of files that remember the digests of unchanged media. */
  readonly cacheFolder?: string;
  readonly shardBytes?: number;
  /** Seconds of work that a killed run loses, beside what is being encoded; 20 unless given. */
  readonly settleSeconds?: number;
  readonly reporter?: Reporter;
  /** Ends the run at once; what was encoded until then is kept. */
  readonly signal?: AbortSignal;
  /**
   * Where encoders and writers run: in a process and a thread of their own (default; `entry` and `sinkEntry` name the compiled
   * entries where they do not lie beside this file), or inside this one, which they block.
   */
  readonly encoders?: 'inside' | { readonly entry: string; readonly sinkEntry: string };
}

/** How a run decodes, whatever its encoders' rates. */
export type DecodeSettings = Omit<DecodeOptions, 'sampleRate'>;

export function decodeOptions(options: ExtractOptions, search: () => Promise<FfmpegSearch>): DecodeSettings {
  const { policy = DEFAULT_DECODE_POLICY, threads = usableCores(), signal } = options;
  return {
    policy,
    ffmpeg: async (why: string) => (await search()).found ?? requireFfmpeg(why),
    processes: Math.max(1, Math.floor(threads / 2)),
    ...(signal === undefined ? {} : { signal }),
  };
}

/**
 * The encoders of a run: on a CPU several that share the threads, where memory allows.
 * @throws UserError when a model or the device cannot be used
 */
export async function startEncoder(
  models: readonly ModelReference[],
  options: Pick<ExtractOptions, 'device' | 'threads' | 'encoders' | 'policy'>,
): Promise<Encoder> {
  const { threads = usableCores(), encoders, policy = DEFAULT_DECODE_POLICY } = options;
  const references = models.map(({ folder, options: features }) => ({ folder, options: features }));
  const pieces = policy.length.over === 'chunk' ? { pieces: policy.length } : {};
  if (encoders === 'inside')
    return LocalEncoder.start(references, { device: options.device ?? 'auto', threads, ...pieces });
  const device = await deviceFor(references, options.device ?? 'auto');
  const lanes = device === 'cpu' ? lanesFor(references, threads) : 1;
  const settings = { device, threads: Math.floor(threads / lanes), ...pieces };
  const start = (): Promise<Encoder> => RemoteEncoder.start(references, settings, encoders?.entry);
  return lanes === 1 ? start() : EncoderLanes.start(lanes, start);
}

async function deviceFor(
  models: readonly ModelReference[],
  device: Device | 'auto',
): Promise<Device | 'auto'> {
  const onCpu = models.filter(({ options }) => options.compute === 'int8').length;
  if (device !== 'auto') return device;
  if (onCpu === models.length) return 'cpu';
  const chosen = await chooseDevice('auto');
  // Beside a GPU, int8 stays on the CPU: each model finds its own device.
  return onCpu === 0 || chosen === 'cpu' ? chosen : 'auto';
}

/** How a run writes one of its sets. */
export function writerOptions(options: ExtractOptions, spec: FeatureSpec): FeatureSetWriterOptions {
  const { store, readStores, part = 'main', shardBytes, settleSeconds } = options;
  return {
    store,
    spec,
    part,
    onOverflow: options.overflow === 'float32' ? 'float32' : 'error',
    ...(readStores === undefined ? {} : { readStores }),
    ...(shardBytes === undefined ? {} : { shardBytes }),
    ...(settleSeconds === undefined ? {} : { settleSeconds }),
  };
}

/** What a run that was told to stop says of itself. */
export function interruption(runs: readonly SetRun[]): Interrupted {
  const done = runs.reduce((sum, run) => sum + run.computed, 0);
  const total = runs.reduce((sum, { plan }) => sum + plan.rows.length, 0);
  const what = runs.length === 0 ? 'before the first row' : `after ${done} of ${total} rows, which are kept`;
  return new Interrupted(`stopped ${what}: the same command goes on`);
}

/** Written beside what was computed: it does not decide the numbers. */
export async function provenanceOf(
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

/** Calls `make` when it is first asked, and never again. */
export function onlyOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
