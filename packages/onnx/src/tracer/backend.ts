import { type Attributes, Graph } from '../graph.ts';
import { type ElementType, type TensorData } from '../element-type.ts';
import { tf } from '../tfjs.ts';

export const BACKEND_NAME = 'onnx-trace';

/** tfjs's data types that a graph can hold; complex64 and string have no place in it. */
export type TracedType = 'float32' | 'int32' | 'bool';

/** What the backend knows of a tensor: a value of the graph, or numbers from outside that become a constant. */
type Entry = {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  refCount: number;
  /** Numbers, for tensors made from numbers. */
  readonly values?: tf.backend_util.BackendValues;
  /** Name of the value, and the outermost graph in which it holds. */
  name?: string;
  graph?: Graph;
};

/**
 * A tfjs backend that computes nothing: its kernels append nodes to an ONNX graph, and its tensors are names of
 * values in that graph. tfjs's own autodiff runs on top of it unchanged, so its gradients become nodes too.
 */
export class TraceBackend extends tf.KernelBackend {
  private readonly entries = new WeakMap<object, Entry>();
  /** The graph under construction, innermost last; empty when nothing is traced. */
  private readonly graphs: Graph[] = [];

  /** The trace is for every shape at once: kernels use standard operators only. */
  symbolic = false;

  get tracing(): boolean {
    return this.graphs.length > 0;
  }

  get graph(): Graph {
    const graph = this.graphs.at(-1);
    if (graph === undefined) throw new Error(`backend ${BACKEND_NAME} computes nothing outside trace()`);
    return graph;
  }

  /** Runs `build` with `graph` as the one that nodes are appended to. */
  within<T>(graph: Graph, build: () => T): T {
    this.graphs.push(graph);
    try {
      return build();
    } finally {
      this.graphs.pop();
    }
  }

  /** Name of a tensor's value in the graph; numbers from outside become a constant at first use. */
  name(tensor: tf.TensorInfo): string {
    const entry = this.entry(tensor.dataId);
    const root = this.graphs[0];
    if (root === undefined) throw new Error(`backend ${BACKEND_NAME} computes nothing outside trace()`);
    if (entry.name !== undefined && entry.graph === root) return entry.name;
    if (entry.values === undefined) throw new Error('a tensor of an earlier trace is used in this one');
    // In the outermost graph, where bodies of loops see it too.
    entry.name = constant(root, entry);
    entry.graph = root;
    return entry.name;
  }

  /** A tensor that stands for an existing value of the graph. */
  value(name: string, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    const dataId = {};
    const graph = this.graphs[0] as Graph;
    this.entries.set(dataId, { shape: [...shape], dtype, refCount: 1, name, graph });
    return { dataId, shape: [...shape], dtype };
  }

  /** As `value`, as a tensor that ops accept. */
  tensor(name: string, shape: readonly number[], dtype: tf.DataType): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.value(name, shape, dtype), this);
  }

  /** Appends a node with one output. */
  emit(
    type: string,
    inputs: readonly string[],
    shape: readonly number[],
    dtype: tf.DataType,
    attributes: Attributes = {},
    domain = '',
  ): tf.TensorInfo {
    return this.value(this.graph.op(type, inputs, attributes, undefined, domain), shape, dtype);
  }

  /** The same value under another tensor: for kernels that have nothing to do. */
  same(tensor: tf.TensorInfo, shape: readonly number[] = tensor.shape, dtype = tensor.dtype): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: [...shape], dtype };
  }

  // The interface of tfjs backends.

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.entries.set(dataId, { shape: [...shape], dtype, refCount, values });
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const entry = this.entry(dataId);
    if (entry.values === undefined) {
      throw new Error(
        `the value of a traced tensor [${entry.shape.join(',')}] was read: a traced function only builds a ` +
          'graph, so nothing in it may depend on numbers (data, dataSync, print, control flow on values)',
      );
    }
    return entry.values;
  }

  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return new Promise((resolve) => {
      resolve(this.readSync(dataId));
    });
  }

  override disposeData(dataId: object, force = false): boolean {
    const entry = this.entries.get(dataId);
    if (entry === undefined) return true;
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    this.entries.delete(dataId);
    return true;
  }

  override refCount(dataId: object): number {
    return this.entries.get(dataId)?.refCount ?? 0;
  }

  override incRef(dataId: object): void {
    this.entry(dataId).refCount++;
  }

  /** tfjs looks for leaks with it; names need no care. */
  override numDataIds(): number {
    return 0;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['tensors are names of values in a graph'] };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}

  /** Tensors made on another backend are moved here by tfjs, numbers and all, and moved back when needed. */
  private entry(dataId: object): Entry {
    if (!this.entries.has(dataId)) {
      if (!tf.engine().state.tensorInfo.has(dataId)) {
        throw new Error('a tensor that is disposed of is used (a custom gradient must save what it needs)');
      }
      tf.engine().moveData(this, dataId);
    }
    return this.entries.get(dataId) as Entry;
  }
}

function constant(graph: Graph, entry: Entry): string {
  const values = Array.from(entry.values as ArrayLike<number>, Number);
  const dtype = elementType(entry.dtype);
  const first = values[0] ?? 0;
  // Zeros and ones of whole tensors: one number and a shape instead of megabytes in the file.
  if (values.length > 64 && values.every((value) => Object.is(value, first))) {
    return fill(graph, first, entry.shape, dtype);
  }
  const data: TensorData = dtype === 'float32' ? Float32Array.from(values) : values;
  return graph.constant(dtype, entry.shape, data);
}

/** A tensor of one repeated value. */
export function fill(graph: Graph, value: number, shape: readonly number[], type: TracedType): string {
  const scalar = graph.scalar(value, type);
  return shape.length === 0 ? scalar : graph.op('Expand', [scalar, graph.int64(shape)]);
}

/** @throws on types that a graph cannot hold */
export function elementType(dtype: tf.DataType): TracedType & ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`a ${dtype} tensor cannot be traced`);
}
