import { ELEMENT_TYPES } from '../element-type.ts';
import { Graph, type ValueInfo } from '../graph.ts';
import { modelBytes } from '../model-writer.ts';
import { prune } from '../prune.ts';
import { tf } from '../tfjs.ts';
import { BACKEND_NAME, elementType, TraceBackend } from './backend.ts';
import { registerElementwise } from './kernels/elementwise.ts';
import { registerGather } from './kernels/gather.ts';
import { registerMatmul } from './kernels/matmul.ts';
import { registerReduce } from './kernels/reduce.ts';
import { registerShape } from './kernels/shape.ts';

export interface TraceInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** float16 inputs are cast in the graph: the traced function sees float32. */
  readonly dtype: 'float32' | 'float16' | 'int32';
}

export interface TracedModel {
  /** The model, ready for `createSession`. */
  readonly bytes: Uint8Array;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Nodes of the outermost graph after those that no output needs were dropped. */
  readonly nodes: number;
}

export interface TraceOptions {
  /** What becomes of inputs that no output depends on; kept unless told otherwise. */
  readonly unusedInputs?: 'keep' | 'drop';
}

let backend: TraceBackend | undefined;

/** The tracing backend, registered with tfjs on first use. */
export function traceBackend(): TraceBackend {
  if (backend !== undefined) return backend;
  const created = new TraceBackend();
  tf.registerBackend(BACKEND_NAME, () => created, -1);
  registerElementwise();
  registerReduce();
  registerMatmul();
  registerShape();
  registerGather();
  backend = created;
  return created;
}

/** Whether a function is traced for one shape: code that has an ONNX form of its own (see `scan`) asks this. */
export function isTracing(): boolean {
  return (backend?.tracing ?? false) && !isSymbolic();
}

/** Whether a function is traced for every shape at once (see `traceSymbolic`). */
export function isSymbolic(): boolean {
  return backend?.symbolic ?? false;
}

/**
 * Turns a function on tfjs tensors, gradients included, into an ONNX model. The function runs once, on tensors
 * that have shapes but no values; whatever it returns becomes an output of that name, and its
 * tensor is disposed of. tfjs's backend is as before
 * afterwards, also when the function throws.
 * @throws when the function needs a kernel that cannot be traced, reads a value, or returns a promise
 */
export function trace(
  inputs: readonly TraceInput[],
  build: (tensors: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
  options: TraceOptions = {},
): TracedModel {
  const graph = traceGraph(inputs, build);
  prune(graph, options.unusedInputs === 'drop');
  return {
    bytes: modelBytes(graph),
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: graph.nodes.length,
  };
}

/** The graph of `trace`, as the function left it. @param symbolic for `traceSymbolic` */
export function traceGraph(
  inputs: readonly TraceInput[],
  build: (tensors: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
  symbolic = false,
): Graph {
  const tracer = traceBackend();
  if (tracer.tracing) throw new Error('trace() inside a traced function');
  const graph = new Graph('traced');
  const engine = tf.engine();
  const previous = engine.backendName as string | null | undefined;
  tracer.symbolic = symbolic;
  tracer.within(graph, () => {
    void engine.setBackend(BACKEND_NAME); // at once: the backend is made without a promise
    engine.startScope();
    try {
      const tensors: Record<string, tf.Tensor> = {};
      for (const input of inputs) tensors[input.name] = inputTensor(tracer, graph, input);
      const outputs = build(tensors);
      if (outputs instanceof Promise) throw new Error('the traced function must not be asynchronous');
      for (const [name, tensor] of Object.entries(outputs)) {
        graph.output(tracer.name(tensor), elementType(tensor.dtype), tensor.shape, name);
      }
      tf.dispose(outputs);
    } catch (error) {
      throw explained(error);
    } finally {
      tracer.symbolic = false;
      engine.endScope();
      restore(previous);
    }
  });
  return graph;
}

/** Makes the earlier backend current again, or none where tfjs had not chosen one yet. */
function restore(previous: string | null | undefined): void {
  const engine = tf.engine();
  if (previous !== null && previous !== undefined) {
    void engine.setBackend(previous);
    return;
  }
  Object.assign(engine, { backendName: null, backendInstance: null });
}

function inputTensor(tracer: TraceBackend, graph: Graph, input: TraceInput): tf.Tensor {
  const name = graph.input(input.name, input.dtype, input.shape);
  if (input.dtype !== 'float16') return tracer.tensor(name, input.shape, input.dtype);
  const cast = graph.op('Cast', [name], { to: ELEMENT_TYPES.float32 });
  return tracer.tensor(cast, input.shape, 'float32');
}

function explained(error: unknown): unknown {
  const kernel =
    error instanceof Error && /Kernel '(\w+)' not registered|registered kernel '(\w+)'/.exec(error.message);
  if (!kernel) return error;
  return new Error(
    `the op ${kernel[1] ?? kernel[2]} has no ONNX kernel: it cannot be traced (kernels are in packages/onnx/src/tracer/kernels)`,
    { cause: error },
  );
}
