import { tf } from '../tfjs.ts';
import { elementType, type TraceBackend } from './backend.ts';
import { traceBackend } from './trace.ts';

type Tensors = { readonly [name: string]: tf.Tensor };

export interface ScanStep<S, Y> {
  readonly states: S;
  readonly outputs: Y;
}

export interface ScanOptions<S extends Tensors, X extends Tensors, Y extends Tensors> {
  /** States before the first step, any shape. */
  readonly initial: S;
  /** What the steps read, [steps, ...] each. */
  readonly sequences: X;
  /** Sequences and outputs that run from the last step to the first; `all` of them for a backward pass. */
  readonly reversed?: 'all' | readonly (keyof X | keyof Y)[];
  /** One step: called once, on the states and one element of each sequence, to build the loop's body. */
  readonly body: (states: S, elements: X) => ScanStep<S, Y>;
}

/**
 * A recurrence as one ONNX Scan node: far smaller than an unrolled loop, and as fast. Only inside trace(), and
 * without a gradient: use it in the functions of a tf.customGrad.
 * @returns the states after the last step, and the outputs of all steps, [steps, ...] each
 * @throws outside trace(), on a gradient tape, or when a state changes its shape
 */
export function scan<S extends Tensors, X extends Tensors, Y extends Tensors>(
  options: ScanOptions<S, X, Y>,
): ScanStep<S, Y> {
  const { initial, sequences, body } = options;
  const tracer = traceBackend();
  if (!tracer.tracing) throw new Error('scan() outside trace(): unroll the recurrence instead');
  if (tf.engine().isTapeOn()) throw new Error('scan() has no gradient: put it into a tf.customGrad');
  const steps = commonLength(sequences);

  const graph = tracer.graph.subgraph('scan_body');
  const step = tracer.within(graph, () => {
    const declare = (tensor: tf.Tensor, shape: readonly number[]): tf.Tensor => {
      const name = graph.input(graph.fresh('element'), elementType(tensor.dtype), shape);
      return tracer.tensor(name, shape, tensor.dtype);
    };
    const states = mapValues(initial, (tensor) => declare(tensor, tensor.shape)) as S;
    const elements = mapValues(sequences, (tensor) => declare(tensor, tensor.shape.slice(1))) as X;
    const step = body(states, elements);
    checkStates(initial, step.states);
    for (const name of Object.keys(initial)) declareOutput(tracer, step.states[name] as tf.Tensor);
    for (const tensor of Object.values(step.outputs)) declareOutput(tracer, tensor);
    return step;
  });

  const inputs = [...Object.values(initial), ...Object.values(sequences)].map((tensor) =>
    tracer.name(tensor),
  );
  const stateNames = Object.keys(initial);
  const outputNames = Object.keys(step.outputs);
  const backward = (name: string): number =>
    Number(options.reversed === 'all' || (options.reversed?.includes(name) ?? false));
  const attributes = {
    body: graph,
    num_scan_inputs: Object.keys(sequences).length,
    scan_input_directions: Object.keys(sequences).map(backward),
    scan_output_directions: outputNames.map(backward),
  };
  const names = tracer.graph.opN('Scan', inputs, attributes, stateNames.length + outputNames.length);
  const results = new Map(
    [...stateNames, ...outputNames.map((name) => `output ${name}`)].map((key, i) => [
      key,
      names[i] as string,
    ]),
  );
  return {
    states: mapValues(step.states, (tensor, name) =>
      tracer.tensor(results.get(name) as string, tensor.shape, tensor.dtype),
    ) as S,
    outputs: mapValues(step.outputs, (tensor, name) =>
      tracer.tensor(results.get(`output ${name}`) as string, [steps, ...tensor.shape], tensor.dtype),
    ) as Y,
  };
}

/** A value that is computed in the body leaves it under its own name; any other through a copy. */
function declareOutput(tracer: TraceBackend, tensor: tf.Tensor): void {
  const { graph } = tracer;
  const value = tracer.name(tensor);
  const direct = graph.computes(value) && !graph.outputs.some((output) => output.name === value);
  graph.output(value, elementType(tensor.dtype), tensor.shape, direct ? value : graph.fresh('result'));
}

function commonLength(sequences: Tensors): number {
  const lengths = new Set(Object.values(sequences).map((tensor) => tensor.shape[0]));
  const [steps] = lengths;
  if (lengths.size !== 1 || steps === undefined) {
    throw new Error(
      `the sequences of a scan need one common length, got ${[...lengths].join(', ') || 'none'}`,
    );
  }
  return steps;
}

function checkStates(initial: Tensors, after: Tensors): void {
  for (const [name, before] of Object.entries(initial)) {
    const shape = after[name]?.shape;
    if (shape === undefined) throw new Error(`the body of a scan returns no state ${name}`);
    if (shape.join() !== before.shape.join()) {
      throw new Error(
        `state ${name} of a scan is [${before.shape.join(',')}] before a step, [${shape.join(',')}] after`,
      );
    }
  }
}

function mapValues(tensors: Tensors, f: (tensor: tf.Tensor, name: string) => tf.Tensor): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, f(tensor, name)]));
}
