import { ELEMENT_TYPES } from '../element-type.ts';
import type { Graph } from '../graph.ts';
import { tf } from '../tfjs.ts';
import type { TraceBackend } from './backend.ts';
import { traceBackend } from './trace.ts';

/**
 * The real steps of padded rows, R of them, in order of row and step. R is known only when the graph runs: tensors
 * over real steps carry B L as their first dimension while they are traced, so only ops that never write that
 * number into the graph may be used on them (products, sums over it, gather; no reshape, no fill).
 */
export interface RealSteps {
  /** Row of each, int32 [R] */
  readonly row: tf.Tensor1D;
  /** Step of each, int32 [R] */
  readonly step: tf.Tensor1D;
  /** For each step its place among the real ones, int32 [B, L]; padding has that of some real step. */
  readonly place: tf.Tensor2D;
}

/**
 * Finds the real steps in the graph itself. Only inside trace(), and without a gradient: use it in a tf.customGrad.
 * The very first step counts as real even where it is not, so that there always is one.
 * @param mask [B, L], 1 for a real step, 0 for padding
 */
export function realSteps(mask: tf.Tensor): RealSteps {
  const tracer = tracing('realSteps()');
  const [rows, steps] = mask.shape as [number, number];
  const size = rows * steps;
  const first = tf.tensor2d(
    Float32Array.from({ length: size }, (_, i) => Number(i === 0)),
    [rows, steps],
  );
  const some = tf.maximum(mask, first);
  const { graph } = tracer;
  const found = graph.op('NonZero', [tracer.name(some)]); // int64 [2, R]
  const indices = graph.op('Cast', [found], { to: ELEMENT_TYPES.int32 });
  const line = (axis: number): tf.Tensor1D =>
    tracer.tensor(graph.op('Gather', [indices, graph.scalar(axis, 'int64')]), [size], 'int32') as tf.Tensor1D;
  const counted = tf.sub(tf.cumsum(tf.reshape(some, [size])), 1);
  return {
    row: line(0),
    step: line(1),
    place: tf.reshape(tf.cast(counted, 'int32'), [rows, steps]),
  };
}

/**
 * The real steps of x [B, L, D] one after the other: [R, D]. Where x is a float16 input, only these are cast.
 * Only inside trace(), without a gradient.
 */
export function packed(x: tf.Tensor, { row, step }: Pick<RealSteps, 'row' | 'step'>): tf.Tensor2D {
  const tracer = tracing('packed()');
  const [rows, steps, width] = x.shape as [number, number, number];
  const { graph } = tracer;
  const name = tracer.name(x);
  const half = halfSource(graph, name);
  const flat = graph.op('Reshape', [half ?? name, graph.int64([rows * steps, width])]);
  const places = tf.add(tf.mul(row, tf.scalar(steps, 'int32')), step);
  const taken = graph.op('Gather', [flat, tracer.name(places)]);
  const floats = half === undefined ? taken : graph.op('Cast', [taken], { to: ELEMENT_TYPES.float32 });
  return tracer.tensor(floats, [rows * steps, width], 'float32') as tf.Tensor2D;
}

/** The float16 input that a value is a cast of. */
function halfSource(graph: Graph, name: string): string | undefined {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name));
  const source = node?.type === 'Cast' ? node.inputs[0] : undefined;
  return graph.inputs.find((input) => input.name === source && input.type === 'float16')?.name;
}

function tracing(what: string): TraceBackend {
  const tracer = traceBackend();
  if (!tracer.tracing) throw new Error(`${what} outside trace(): compute on all steps instead`);
  if (tf.engine().isTapeOn()) throw new Error(`${what} has no gradient: put it into a tf.customGrad`);
  return tracer;
}
