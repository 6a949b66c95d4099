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
  const counted = tf.sub(tf.cumsum(tf.reshape(some, [size])), 1);
  return { ...found(tracer, some), place: tf.reshape(tf.cast(counted, 'int32'), [rows, steps]) };
}

/** Real steps and one of padding, which stands for all of it. */
export interface DistinctSteps extends RealSteps {
  /** How many there are: R, int32. */
  readonly count: tf.Scalar;
}

/**
 * The real steps and the first one of padding, if there is any, whose place all padding has: where the gradient of padding
 * is 0, these steps give the gradients that all of them give. Only inside trace().
 * @param mask [B, L], 1 for a real step, 0 for padding
 */
export function distinctSteps(mask: tf.Tensor): DistinctSteps {
  const tracer = traceBackend();
  if (!tracer.tracing) throw new Error('distinctSteps() outside trace(): compute on all steps instead');
  const [rows, steps] = mask.shape as [number, number];
  const real = tf.reshape(mask, [rows * steps]);
  const padding = tf.sub(1, real);
  const first = tf.mul(padding, tf.cast(tf.equal(tf.cumsum(padding), 1), 'float32'));
  const some = tf.add(real, first);
  const counted = tf.sub(tf.cumsum(some), 1);
  const place = tf.add(tf.mul(real, counted), tf.mul(padding, tf.sum(tf.mul(first, counted))));
  return {
    ...found(tracer, tf.reshape(some, [rows, steps])),
    place: tf.reshape(tf.cast(place, 'int32'), [rows, steps]),
    count: tf.cast(tf.sum(some), 'int32'),
  };
}

/** Row and step of the places of some [B, L] that are not 0. */
function found(tracer: TraceBackend, some: tf.Tensor): Pick<RealSteps, 'row' | 'step'> {
  const { graph } = tracer;
  const indices = graph.op('Cast', [graph.op('NonZero', [tracer.name(some)])], { to: ELEMENT_TYPES.int32 }); // [2, R]
  const line = (axis: number): tf.Tensor1D =>
    tracer.tensor(
      graph.op('Gather', [indices, graph.scalar(axis, 'int64')]),
      [some.size],
      'int32',
    ) as tf.Tensor1D;
  return { row: line(0), step: line(1) };
}

/**
 * x, a tensor over real steps, in another shape. Only inside trace(), without a gradient.
 * @param shape the sizes, with B L in place of R
 * @param over the axis whose size depends on R
 */
export function viewed(x: tf.Tensor, shape: readonly number[], over: number): tf.Tensor {
  const tracer = tracing('viewed()');
  const { graph } = tracer;
  const sizes = graph.int64(shape.map((size, axis) => (axis === over ? -1 : size)));
  return tracer.tensor(graph.op('Reshape', [tracer.name(x), sizes]), shape, x.dtype);
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
