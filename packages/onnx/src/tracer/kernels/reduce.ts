import { tf } from '../../tfjs.ts';
import type { TraceBackend } from '../backend.ts';
import { ELEMENT_TYPES } from '../../element-type.ts';
import { input, kernel, positiveAxis } from './kernel.ts';

interface ReduceAttributes {
  readonly axis?: number | number[] | null;
  /** What Max calls its axes. */
  readonly reductionIndices?: number | number[] | null;
  readonly keepDims?: boolean;
}

/** tfjs kernels over axes and their ONNX operators; only ReduceSum takes its axes as an input at opset 17. */
const REDUCTIONS = {
  Sum: 'ReduceSum',
  Mean: 'ReduceMean',
  Max: 'ReduceMax',
  Min: 'ReduceMin',
  Prod: 'ReduceProd',
};

export function registerReduce(): void {
  for (const [name, type] of Object.entries(REDUCTIONS)) {
    kernel<ReduceAttributes>(name, (trace, inputs, attributes) =>
      reduce(trace, type, input(inputs, 'x'), attributes),
    );
  }
  for (const [name, type] of Object.entries({ All: 'ReduceMin', Any: 'ReduceMax' })) {
    kernel<ReduceAttributes>(name, (trace, inputs, attributes) => {
      const x = input(inputs, 'x');
      const numbers = trace.emit('Cast', [trace.name(x)], x.shape, 'int32', { to: ELEMENT_TYPES.int32 });
      const reduced = reduce(trace, type, numbers, attributes);
      return trace.emit('Cast', [trace.name(reduced)], reduced.shape, 'bool', { to: ELEMENT_TYPES.bool });
    });
  }
  for (const type of ['ArgMax', 'ArgMin']) {
    kernel<{ axis: number | number[] }>(type, (trace, inputs, attributes) => {
      const x = input(inputs, 'x');
      const [axis = 0] = tf.util.parseAxisParam(attributes.axis, x.shape);
      const found = trace.graph.op(type, [trace.name(x)], { axis, keepdims: 0 });
      const shape = x.shape.filter((_, i) => i !== axis);
      return trace.emit('Cast', [found], shape, 'int32', { to: ELEMENT_TYPES.int32 });
    });
  }
  kernel<{ axis: number; exclusive: boolean; reverse: boolean }>('Cumsum', (trace, inputs, attributes) => {
    const x = input(inputs, 'x');
    const axis = trace.graph.scalar(positiveAxis(attributes.axis, x.shape.length), 'int64');
    return trace.emit('CumSum', [trace.name(x), axis], x.shape, x.dtype, {
      exclusive: Number(attributes.exclusive),
      reverse: Number(attributes.reverse),
    });
  });
  kernel<{ dim: number }>('Softmax', (trace, inputs, { dim }) => {
    const x = input(inputs, 'logits');
    const axis = positiveAxis(dim, x.shape.length);
    return trace.emit('Softmax', [trace.name(x)], x.shape, 'float32', { axis });
  });
  kernel<{ axis: number }>('LogSoftmax', (trace, inputs, attributes) => {
    const x = input(inputs, 'logits');
    const axis = positiveAxis(attributes.axis, x.shape.length);
    return trace.emit('LogSoftmax', [trace.name(x)], x.shape, 'float32', { axis });
  });
}

function reduce(
  trace: TraceBackend,
  type: string,
  x: tf.TensorInfo,
  attributes: ReduceAttributes,
): tf.TensorInfo {
  const given = attributes.axis ?? attributes.reductionIndices ?? x.shape.map((_, i) => i);
  const axes = tf.util.parseAxisParam(given, x.shape);
  const keepdims = attributes.keepDims === true ? 1 : 0;
  const [reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepdims === 1 ? tf.backend_util.expandShapeToKeepDim(reduced, axes) : reduced;
  // Without axes ONNX reduces over all of them, tfjs over none.
  if (axes.length === 0) return trace.same(x);
  if (type === 'ReduceSum') {
    const names = [trace.name(x), trace.graph.int64(axes)];
    return trace.emit(type, names, shape, x.dtype, { keepdims });
  }
  return trace.emit(type, [trace.name(x)], shape, x.dtype, { axes, keepdims });
}
