import { ELEMENT_TYPES } from '../element-type.ts';
import { tf } from '../tfjs.ts';
import { isSymbolic, traceBackend } from './trace.ts';

/** Weights as ONNX's LSTM has them: gates in the order i, o, f, c. */
export interface OnnxLstm {
  /** [2, 4h, Din] */
  readonly w: tf.Tensor;
  /** [2, 4h, h] */
  readonly r: tf.Tensor;
  /** [2, 8h] */
  readonly b: tf.Tensor;
}

/**
 * A bidirectional LSTM as ONNX's own operator: only inside `traceSymbolic`, where the number of steps is not known.
 * The backward direction starts at each row's last real step, outputs past it are 0.
 * @param sequence [n, B, Din]
 * @param lengths real steps of each row, int32 [B]
 * @returns [n, 2, B, h]
 */
export function lstmOperator(sequence: tf.Tensor, lengths: tf.Tensor, { w, r, b }: OnnxLstm): tf.Tensor {
  if (!isSymbolic()) throw new Error('lstmOperator() outside traceSymbolic()');
  const tracer = traceBackend();
  const [steps, rows] = sequence.shape as [number, number];
  const size = r.shape[2] as number;
  const { graph } = tracer;
  const real = graph.op('Cast', [tracer.name(lengths)], { to: ELEMENT_TYPES.int32 });
  const inputs = [tracer.name(sequence), tracer.name(w), tracer.name(r), tracer.name(b), real];
  const output = graph.op('LSTM', inputs, { hidden_size: size, direction: 'bidirectional' });
  return tracer.tensor(output, [steps, 2, rows, size], 'float32');
}
