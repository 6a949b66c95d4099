// Before onnxruntime, which reads the environment once.
import './telemetry.ts';
import * as ort from 'onnxruntime-node';
import { usableCores } from './cores.ts';
import { type ElementType, ELEMENT_TYPES } from './element-type.ts';
import type { ValueInfo } from './graph.ts';
import { webgpuLayout } from './webgpu-layout.ts';

settleFloat16();

/**
 * onnxruntime's JavaScript looks for Float16Array once, when the first tensor is made, and from then on wraps
 * float16 data in it; its native part (1.30) cannot read that type and takes the tensor for an empty one. Where
 * the type exists (Node 24), the first tensor is therefore made without it: float16 stays Uint16Array everywhere.
 */
function settleFloat16(): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (own === undefined) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    void new ort.Tensor('float32', new Float32Array(1), [1]);
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', own);
  }
}

/** Where a model runs. */
export type Device = 'cuda' | 'webgpu' | 'cpu';

/** Version of onnxruntime, for records of what computed something. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? 'unknown';

/** A tensor in host memory; float16 is held as its bits, bool as bytes. */
export interface HostTensor {
  readonly data: HostData;
  readonly shape: readonly number[];
}

export type HostData = Float32Array | Uint16Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

export type Feeds = { readonly [input: string]: HostTensor };

export interface RunnerOptions {
  /** Threads of the CPU; the cores that this process may use unless given. Results do not depend on it bit by bit, except where documented. */
  readonly threads?: number;
  /** Writes onnxruntime's profile (Chrome trace JSON) to files with this prefix when the session is released. */
  readonly profile?: string;
  /** The model is as the runtime has optimised it for this machine: nothing is left to optimise. */
  readonly optimised?: boolean;
  /** File for the optimised model; see `createPrepared`. */
  readonly writeOptimised?: string;
}

/**
 * One loaded model. Calls run one after the other on the calling thread, which they block, and each session keeps
 * the memory of its largest run until it is released.
 */
export class Session {
  readonly device: Device;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  private readonly types = new Map<string, ElementType>();
  private native: ort.InferenceSession | undefined;
  private readonly profiled: boolean;

  private constructor(native: ort.InferenceSession, device: Device, profiled: boolean) {
    this.native = native;
    this.device = device;
    this.profiled = profiled;
    this.inputs = native.inputMetadata.map(valueInfo);
    this.outputs = native.outputMetadata.map(valueInfo);
    for (const { name, type } of [...this.inputs, ...this.outputs]) this.types.set(name, type);
  }

  /** Loads a model, from bytes or a file, on exactly this device. Prefer `createSession`. */
  static async load(
    model: Uint8Array | string,
    device: Device,
    options: RunnerOptions = {},
  ): Promise<Session> {
    // Errors come back as exceptions: the runtime's own printing would only repeat them.
    ort.env.logLevel = 'fatal';
    const settings: ort.InferenceSession.SessionOptions = {
      executionProviders: [provider(model, device)],
      intraOpNumThreads: options.threads ?? usableCores(),
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: options.optimised === true ? 'disabled' : 'all',
      enableCpuMemArena: true,
      // Planned memory patterns cost 120 MiB in a training step and gain no time.
      enableMemPattern: false,
      logSeverityLevel: 4,
      // Left to themselves the pool's threads spin for some 20 ms after a run, on the core that reads the next batch.
      extra: { session: { force_spinning_stop: '1' } },
      ...(options.writeOptimised === undefined ? {} : { optimizedModelFilePath: options.writeOptimised }),
    };
    if (options.profile !== undefined) {
      Object.assign(settings, { enableProfiling: true, profileFilePrefix: options.profile });
    }
    const native =
      typeof model === 'string'
        ? await ort.InferenceSession.create(model, settings)
        : await ort.InferenceSession.create(model, settings);
    return new Session(native, device, options.profile !== undefined);
  }

  /**
   * Runs the model.
   * @param fetches names of the outputs wanted, or tensors by name to write them into (null: let the runtime
   *   allocate); all outputs when left out
   * @throws when a feed does not fit its input, or the session is released
   */
  async run(
    feeds: Feeds,
    fetches?: readonly string[] | { readonly [output: string]: HostTensor | null },
  ): Promise<Record<string, HostTensor>> {
    if (this.native === undefined) throw new Error('the session is released');
    const fed: Record<string, ort.Tensor> = {};
    for (const [name, tensor] of Object.entries(feeds)) fed[name] = this.tensor(name, tensor);
    const results = await this.native.run(fed, this.wanted(fetches));
    const given = Array.isArray(fetches) ? {} : (fetches as { readonly [output: string]: HostTensor | null });
    const outputs: Record<string, HostTensor> = {};
    const copies: ArrayBuffer[] = [];
    for (const [name, tensor] of Object.entries(results)) {
      const returned = hostTensor(tensor);
      const own = given?.[name];
      if (own && own.data.buffer !== returned.data.buffer) copies.push(returned.data.buffer as ArrayBuffer);
      outputs[name] = own ?? returned;
    }
    free(copies);
    return outputs;
  }

  /** Frees the model and its memory; the session cannot run afterwards. */
  async release(): Promise<void> {
    const { native } = this;
    if (native === undefined) return;
    this.native = undefined;
    if (this.profiled) native.endProfiling();
    await native.release();
  }

  private wanted(fetches: readonly string[] | { readonly [output: string]: HostTensor | null } | undefined): {
    [name: string]: ort.Tensor | null;
  } {
    const names = fetches ?? this.outputs.map((output) => output.name);
    const wanted: { [name: string]: ort.Tensor | null } = {};
    if (Array.isArray(names)) {
      for (const name of names as readonly string[]) wanted[name] = null;
      return wanted;
    }
    for (const [name, tensor] of Object.entries(names as { readonly [output: string]: HostTensor | null })) {
      wanted[name] = tensor === null ? null : this.tensor(name, tensor);
    }
    return wanted;
  }

  private tensor(name: string, tensor: HostTensor): ort.Tensor {
    const type = this.types.get(name);
    if (type === undefined) {
      throw new Error(
        `the model has no input or output ${name}; it has ${[...this.types.keys()].join(', ')}`,
      );
    }
    return new ort.Tensor(type, tensor.data as Float32Array, tensor.shape);
  }
}

function provider(model: Uint8Array | string, device: Device): ort.InferenceSession.ExecutionProviderConfig {
  // By its own choice CUDA multiplies float32 with ten bits of mantissa (TF32). NVIDIA's libraries read this when they are loaded.
  if (device === 'cuda') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  return device === 'webgpu' ? { name: device, preferredLayout: webgpuLayout(model) } : device;
}

/** A closed port: what is transferred to it is freed at once. */
const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * onnxruntime-node returns a copy of each output that it was given memory for as well. Left to the garbage collector,
 * the copies of a step's gradients (11 MB at d 256) make it collect every second or third step.
 */
function free(buffers: ArrayBuffer[]): void {
  if (buffers.length > 0) nowhere.postMessage(null, buffers);
}

function valueInfo(metadata: ort.InferenceSession.ValueMetadata): ValueInfo {
  if (!metadata.isTensor || !(metadata.type in ELEMENT_TYPES)) {
    throw new Error(`value ${metadata.name} of the model is no tensor of a type that is used here`);
  }
  return { name: metadata.name, type: metadata.type as ElementType, shape: metadata.shape };
}

function hostTensor(tensor: ort.Tensor): HostTensor {
  let data = tensor.data as HostData;
  // Runtimes that know Float16Array return it; the bits are the same.
  if (tensor.type === 'float16' && !(data instanceof Uint16Array)) {
    const view = data as Float32Array;
    data = new Uint16Array(view.buffer, view.byteOffset, view.length);
  }
  return { data, shape: tensor.dims };
}
