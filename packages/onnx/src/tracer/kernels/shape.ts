import { tf } from '../../tfjs.ts';
import { elementType, fill, type TraceBackend } from '../backend.ts';
import { input, inputList, kernel, positiveAxis } from './kernel.ts';

/** Kernels that move values without computing: views, cuts, joins, repetitions. */
export function registerShape(): void {
  kernel<{ shape: number[] }>('Reshape', (trace, inputs, attributes) => {
    const x = input(inputs, 'x');
    return reshape(
      trace,
      x,
      tf.util.inferFromImplicitShape(attributes.shape, tf.util.sizeFromShape(x.shape)),
    );
  });
  kernel<{ dim: number }>('ExpandDims', (trace, inputs, { dim }) => {
    const x = input(inputs, 'input');
    return reshape(trace, x, x.shape.toSpliced(dim < 0 ? x.shape.length + dim + 1 : dim, 0, 1));
  });
  kernel<{ perm: number[] }>('Transpose', (trace, inputs, { perm }) => {
    const x = input(inputs, 'x');
    if (perm.every((axis, i) => axis === i)) return trace.same(x);
    const shape = perm.map((axis) => x.shape[axis] as number);
    return trace.emit('Transpose', [trace.name(x)], shape, x.dtype, { perm: [...perm] });
  });
  kernel<{ shape: number[] }>('BroadcastTo', (trace, inputs, { shape }) => {
    const x = input(inputs, 'x');
    return trace.emit('Expand', [trace.name(x), trace.graph.int64(shape)], shape, x.dtype);
  });
  kernel<{ reps: number[] }>('Tile', (trace, inputs, { reps }) => {
    const x = input(inputs, 'x');
    const shape = x.shape.map((dim, i) => dim * (reps[i] as number));
    return trace.emit('Tile', [trace.name(x), trace.graph.int64(reps)], shape, x.dtype);
  });
  kernel<{ dims: number | number[] }>('Reverse', (trace, inputs, { dims }) => {
    const x = input(inputs, 'x');
    const axes = tf.util.parseAxisParam(dims, x.shape);
    if (axes.length === 0) return trace.same(x);
    const { graph } = trace;
    const minusOnes = graph.int64(axes.map(() => -1));
    const pastStart = graph.int64(axes.map(() => -(2 ** 31)));
    const names = [trace.name(x), minusOnes, pastStart, graph.int64(axes), minusOnes];
    return trace.emit('Slice', names, x.shape, x.dtype);
  });
  kernel<{ paddings: [number, number][]; constantValue: number }>('PadV2', (trace, inputs, attributes) => {
    const x = input(inputs, 'x');
    const { paddings } = attributes;
    const pads = trace.graph.int64([
      ...paddings.map(([before]) => before),
      ...paddings.map(([, after]) => after),
    ]);
    const shape = x.shape.map((dim, i) => dim + (paddings[i]?.[0] ?? 0) + (paddings[i]?.[1] ?? 0));
    const value = trace.graph.scalar(attributes.constantValue, elementType(x.dtype));
    return trace.emit('Pad', [trace.name(x), pads, value], shape, x.dtype);
  });
  registerCuts();
  registerJoins();
  registerFills();
}

function registerCuts(): void {
  kernel<{ begin: number | number[]; size: number | number[] }>('Slice', (trace, inputs, attributes) => {
    const x = input(inputs, 'x');
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
    const axes = begin.map((_, i) => i).filter((i) => size[i] !== x.shape[i]);
    if (axes.length === 0) return trace.same(x);
    const starts = axes.map((i) => begin[i] as number);
    const ends = axes.map((i) => (begin[i] as number) + (size[i] as number));
    const { graph } = trace;
    const names = [trace.name(x), graph.int64(starts), graph.int64(ends), graph.int64(axes)];
    return trace.emit('Slice', names, size, x.dtype);
  });
  kernel<{ numOrSizeSplits: number | number[]; axis: number }>('SplitV', (trace, inputs, attributes) => {
    const x = input(inputs, 'x');
    const axis = positiveAxis(attributes.axis, x.shape.length);
    const sizes = tf.backend_util.prepareSplitSize(x, attributes.numOrSizeSplits, axis);
    return split(trace, x, sizes, axis);
  });
  kernel<{ axis: number }>('Unpack', (trace, inputs, attributes) => {
    const x = input(inputs, 'value');
    const axis = positiveAxis(attributes.axis, x.shape.length);
    const shape = x.shape.toSpliced(axis, 1);
    const parts = split(
      trace,
      x,
      Array.from({ length: x.shape[axis] as number }, () => 1),
      axis,
    );
    return parts.map((part) => reshape(trace, part, shape));
  });
}

function registerJoins(): void {
  kernel<{ axis: number }>('Concat', (trace, inputs, attributes) => {
    const parts = inputList(inputs);
    return concat(trace, parts, positiveAxis(attributes.axis, (parts[0] as tf.TensorInfo).shape.length));
  });
  kernel<{ axis: number }>('Pack', (trace, inputs, attributes) => {
    const parts = inputList(inputs);
    const axis = positiveAxis(attributes.axis, (parts[0] as tf.TensorInfo).shape.length + 1);
    return concat(
      trace,
      parts.map((part) => reshape(trace, part, part.shape.toSpliced(axis, 0, 1))),
      axis,
    );
  });
}

function registerFills(): void {
  kernel('ZerosLike', (trace, inputs) => filled(trace, input(inputs, 'x'), 0));
  kernel('OnesLike', (trace, inputs) => filled(trace, input(inputs, 'x'), 1));
  kernel<{ shape: number[]; value: number; dtype?: tf.DataType }>('Fill', (trace, _, attributes) => {
    const dtype = elementType(attributes.dtype ?? 'float32');
    return trace.value(fill(trace.graph, attributes.value, attributes.shape, dtype), attributes.shape, dtype);
  });
}

function filled(trace: TraceBackend, like: tf.TensorInfo, value: number): tf.TensorInfo {
  const dtype = elementType(like.dtype);
  return trace.value(fill(trace.graph, value, like.shape, dtype), like.shape, dtype);
}

function reshape(trace: TraceBackend, x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
  if (shape.length === x.shape.length && shape.every((dim, i) => dim === x.shape[i])) return trace.same(x);
  return trace.emit('Reshape', [trace.name(x), trace.graph.int64(shape)], shape, x.dtype);
}

function split(
  trace: TraceBackend,
  x: tf.TensorInfo,
  sizes: readonly number[],
  axis: number,
): tf.TensorInfo[] {
  if (sizes.length === 1) return [trace.same(x)];
  const names = trace.graph.opN('Split', [trace.name(x), trace.graph.int64(sizes)], { axis }, sizes.length);
  return names.map((name, i) => trace.value(name, x.shape.with(axis, sizes[i] as number), x.dtype));
}

function concat(trace: TraceBackend, parts: readonly tf.TensorInfo[], axis: number): tf.TensorInfo {
  const first = parts[0] as tf.TensorInfo;
  if (parts.length === 1) return trace.same(first);
  let size = 0;
  for (const part of parts) size += part.shape[axis] as number;
  const names = parts.map((part) => trace.name(part));
  return trace.emit('Concat', names, first.shape.with(axis, size), first.dtype, { axis });
}
