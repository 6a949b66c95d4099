import { UserError } from '@lsgmer/datasets';
import {
  chooseDevice,
  createPrepared,
  type Device,
  DeviceError,
  type Feeds,
  type HostTensor,
  type Prepared,
  type Session,
  type SessionOptions,
  trace,
  type TracedModel,
  type TraceInput,
  tf,
} from '@lsgmer/onnx';
import type {
  BatchShape,
  Engine,
  FeatureDims,
  Head,
  HeadConfig,
  HostBatch,
  StepResult,
  Tensors,
} from '../head/contract.ts';
import { type BatchInput, batchInputs } from './batch-inputs.ts';
import { parameterCount, type ParameterView, parameterViews } from './parameters.ts';
import { evaluationPass, trainingPass } from './passes.ts';
import { SessionCache } from './session-cache.ts';
import { type Moments, trainingVectors } from './vectors.ts';

export interface OnnxEngineOptions {
  /** `auto` takes the first of cuda, webgpu, cpu that works. */
  readonly device?: Device | 'auto';
  /** CPU threads; all cores unless given. */
  readonly threads?: number;
  /**
   * Padded frames (rows x longest) of all live sessions together; 16,000 unless given. Each session keeps its own
   * memory, about 30 kB per frame at d 256, and making one again costs 0.1 s with its memory.
   */
  readonly liveFrames?: number;
  /** Prefix of onnxruntime's profiles (Chrome trace JSON), one file per session, written when it is released. */
  readonly profile?: string;
}

/** What a graph computes: gradients, logits, or logits with the head's further tensors. */
type Purpose = 'train' | 'evaluate' | 'analyse';

/** Prefixes keep the names of parameters, inputs and outputs of a graph apart. */
const PARAMETER = 'parameter/';
const GRADIENT = 'gradient/';
const BATCH = 'batch/';
const EXTRA = 'extra/';

/**
 * Runs a head as ONNX graphs: forward pass and gradients are traced once for each static shape and run by
 * onnxruntime. Parameters and gradients live in flat arrays that the sessions read and write directly.
 */
export class OnnxEngine implements Engine {
  readonly parameters: Float32Array;
  readonly moments: Moments;
  readonly device: Device;
  private readonly head: Head;
  private readonly config: HeadConfig;
  private readonly dims: FeatureDims;
  private readonly classes: number;
  private readonly runner: SessionOptions;
  private readonly views: readonly ParameterView[];
  private readonly sessions: SessionCache;
  /** Models by key, up to some MB each: a session that comes back is made without tracing and optimising again. */
  private readonly models = new Map<string, Prepared>();
  private readonly flatGradient: Float32Array;
  /** Holds a further micro-batch's gradient until it is added; made when there is one. */
  private addend: Float32Array | undefined;
  /** No gradient was computed since the last clear: the flat array is overwritten, not added to. */
  private cleared = true;

  private constructor(
    head: Head,
    config: HeadConfig,
    dims: FeatureDims,
    classes: number,
    device: Device,
    options: OnnxEngineOptions,
  ) {
    this.head = head;
    this.config = config;
    this.dims = dims;
    this.classes = classes;
    this.device = device;
    const { threads, profile } = options;
    this.runner = {
      device,
      ...(threads === undefined ? {} : { threads }),
      ...(profile === undefined ? {} : { profile }),
    };
    this.views = parameterViews(head.parameters(config, dims, classes));
    const vectors = trainingVectors(parameterCount(this.views));
    this.parameters = vectors.parameters;
    this.flatGradient = vectors.gradient;
    this.moments = vectors.moments;
    this.sessions = new SessionCache(options.liveFrames ?? 16_000);
  }

  /**
   * An engine with all parameters 0.
   * @param classes number of classes N
   * @throws UserError when the device that was asked for does not work here
   */
  static async create(
    head: Head,
    config: HeadConfig,
    dims: FeatureDims,
    classes: number,
    options: OnnxEngineOptions = {},
  ): Promise<OnnxEngine> {
    return new OnnxEngine(
      head,
      config,
      dims,
      classes,
      await workingDevice(options.device ?? 'auto'),
      options,
    );
  }

  get gradient(): Float32Array {
    if (this.cleared) this.flatGradient.fill(0);
    return this.flatGradient;
  }

  /** Graphs that are ready to run, longest unused first: purpose, rows, tokens, frames, map steps, feature types. */
  get liveGraphs(): string[] {
    return this.sessions.keys;
  }

  clearGradients(): void {
    this.cleared = true;
  }

  async gradients(batch: HostBatch): Promise<StepResult> {
    const inputs = this.batchInputs(batch);
    const session = await this.session('train', batch.shape, inputs);
    const target = this.cleared
      ? this.flatGradient
      : (this.addend ??= new Float32Array(this.flatGradient.length));
    const hasGate = session.outputs.some(({ name }) => name === 'gate');
    const fetches: Record<string, HostTensor | null> = {
      loss: null,
      ce: null,
      apc: null,
      logits: null,
      ...(hasGate ? { gate: null } : {}),
    };
    for (const view of this.views) fetches[GRADIENT + view.name] = part(target, view);
    const outputs = await session.run(this.feeds(session, inputs), fetches);
    if (target !== this.flatGradient) add(this.flatGradient, target);
    this.cleared = false;
    const number = (name: string): number => values(outputs, name)[0] as number;
    return {
      loss: number('loss'),
      ce: number('ce'),
      apc: number('apc'),
      logits: values(outputs, 'logits'),
      ...(hasGate ? { gate: values(outputs, 'gate') } : {}),
    };
  }

  async forward(
    batch: HostBatch,
    extra = false,
  ): Promise<{ logits: Float32Array; extra: Record<string, Float32Array> }> {
    const inputs = this.batchInputs(batch);
    const session = await this.session(extra ? 'analyse' : 'evaluate', batch.shape, inputs);
    const outputs = await session.run(this.feeds(session, inputs));
    const further = Object.keys(outputs).filter((name) => name.startsWith(EXTRA));
    return {
      logits: values(outputs, 'logits'),
      extra: Object.fromEntries(further.map((name) => [name.slice(EXTRA.length), values(outputs, name)])),
    };
  }

  async dispose(): Promise<void> {
    await this.sessions.clear();
  }

  private session(purpose: Purpose, shape: BatchShape, inputs: readonly BatchInput[]): Promise<Session> {
    const { rows, text, audio, map } = shape;
    const halves = inputs.filter(({ half }) => half).map(({ name }) => name);
    const key = [purpose, rows, text, audio, map, ...halves].join(' ');
    const frames = rows * Math.max(text, audio, map, 1);
    // Without gradients nothing is kept for a backward pass: seen 160 MB against 390 MB at 12,800 frames.
    const cost = purpose === 'train' ? frames : Math.ceil(0.42 * frames);
    return this.sessions.get(key, cost, async () => {
      const model = this.models.get(key) ?? { bytes: this.traced(purpose, inputs).bytes, optimised: false };
      const { session, prepared } = await createPrepared(model, { ...this.runner, device: this.device });
      this.models.set(key, prepared);
      return session;
    });
  }

  private traced(purpose: Purpose, batch: readonly BatchInput[]): TracedModel {
    const { head, config } = this;
    const inputs = batch.map(({ name, shape, half }): TraceInput => ({
      name: BATCH + name,
      shape,
      dtype: half ? 'float16' : 'float32',
    }));
    const parameters = this.views.map(
      ({ name, shape }) => ({ name: PARAMETER + name, shape, dtype: 'float32' }) as const,
    );
    const build = (given: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
      const weights = unprefixed(given, PARAMETER);
      const batch = unprefixed(given, BATCH);
      if (purpose !== 'train') {
        const { logits, extra } = evaluationPass(head, config, weights, batch, purpose === 'analyse');
        return { logits, ...prefixed(extra, EXTRA) };
      }
      const { gradients, gate, ...results } = trainingPass(head, config, weights, batch);
      return { ...results, ...(gate === undefined ? {} : { gate }), ...prefixed(gradients, GRADIENT) };
    };
    return trace([...parameters, ...inputs], build, { unusedInputs: 'drop' });
  }

  private batchInputs(batch: HostBatch): BatchInput[] {
    return batchInputs(this.head, this.config, this.dims, this.classes, batch);
  }

  /** What the graph takes: some inputs and parameters serve training only. */
  private feeds(session: Session, batch: readonly BatchInput[]): Feeds {
    const all = new Map<string, HostTensor>();
    for (const view of this.views) all.set(PARAMETER + view.name, part(this.parameters, view));
    for (const { name, data, shape } of batch) all.set(BATCH + name, { data, shape });
    return Object.fromEntries(session.inputs.map(({ name }) => [name, all.get(name) as HostTensor]));
  }
}

/** @throws UserError when the device that was asked for does not work here */
export async function workingDevice(wanted: Device | 'auto'): Promise<Device> {
  try {
    return await chooseDevice(wanted);
  } catch (error) {
    throw error instanceof DeviceError ? new UserError(error.message, { cause: error }) : error;
  }
}

function part(flat: Float32Array, { offset, length, shape }: ParameterView): HostTensor {
  return { data: flat.subarray(offset, offset + length), shape };
}

function add(sum: Float32Array, addend: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (addend[i] as number);
}

function values(outputs: { readonly [name: string]: HostTensor }, name: string): Float32Array {
  return outputs[name]?.data as Float32Array;
}

function prefixed(tensors: Tensors, prefix: string): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function unprefixed(tensors: Tensors, prefix: string): Tensors {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
