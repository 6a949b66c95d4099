import { tf } from '../../tfjs.ts';
import { elementType } from '../backend.ts';
import { input, kernel, positiveAxis } from './kernel.ts';

/** Kernels that address values by index, and the gradient of that. */
export function registerGather(): void {
  kernel<{ axis: number; batchDims: number }>('GatherV2', (trace, inputs, attributes) => {
    const [x, indices] = [input(inputs, 'x'), input(inputs, 'indices')];
    if (attributes.batchDims !== 0) throw new Error('GatherV2 with batchDims cannot be traced');
    const axis = positiveAxis(attributes.axis, x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return trace.emit('Gather', [trace.name(x), trace.name(indices)], shape, x.dtype, { axis });
  });
  kernel<{ numSegments: number }>('UnsortedSegmentSum', (trace, inputs, { numSegments }) => {
    // As a product with one-hot rows: scattered additions race in onnxruntime where an index repeats.
    const [x, ids] = [input(inputs, 'x'), input(inputs, 'segmentIds')];
    const { graph } = trace;
    const rows = x.shape[0] as number;
    const width = tf.util.sizeFromShape(x.shape.slice(1));
    const range = graph.constant('int32', [1, numSegments], [...Array(numSegments).keys()]);
    const column = graph.op('Reshape', [trace.name(ids), graph.int64([rows, 1])]);
    const oneHot = graph.op('Cast', [graph.op('Equal', [column, range])], { to: 1 }); // [rows, segments]
    const flat = graph.op('Reshape', [trace.name(x), graph.int64([rows, width])]);
    const sums = graph.op('Gemm', [oneHot, flat], { transA: 1 }); // [segments, width]
    const shape = [numSegments, ...x.shape.slice(1)];
    return trace.emit('Reshape', [sums, graph.int64(shape)], shape, x.dtype);
  });
  kernel<{ depth: number; onValue: number; offValue: number; dtype?: tf.DataType }>(
    'OneHot',
    (trace, inputs, attributes) => {
      const indices = input(inputs, 'indices');
      const dtype = elementType(attributes.dtype ?? 'float32');
      // Not ONNX's OneHot: that counts negative indices from the end, tfjs gives them a row of offValue.
      const { graph } = trace;
      const range = graph.constant('int32', [attributes.depth], [...Array(attributes.depth).keys()]);
      const column = graph.op('Reshape', [trace.name(indices), graph.int64([...indices.shape, 1])]);
      const hit = graph.op('Equal', [column, range]);
      const names = [hit, graph.scalar(attributes.onValue, dtype), graph.scalar(attributes.offValue, dtype)];
      return trace.emit('Where', names, [...indices.shape, attributes.depth], dtype);
    },
  );
  kernel<{ start: number; stop: number; step: number; dtype: tf.DataType }>(
    'Range',
    (trace, _, attributes) => {
      const { start, stop, step } = attributes;
      const values = Array.from(
        { length: Math.max(0, Math.ceil((stop - start) / step)) },
        (_, i) => start + i * step,
      );
      const dtype = elementType(attributes.dtype);
      return trace.value(trace.graph.constant(dtype, [values.length], values), [values.length], dtype);
    },
  );
}
