import { MICROSOFT } from '../../graph.ts';
import { tf } from '../../tfjs.ts';
import type { TraceBackend } from '../backend.ts';
import { input, kernel } from './kernel.ts';

/** Names of the operands, transposed by nodes of their own: for a model that other runtimes read. */
function standard(
  trace: TraceBackend,
  [a, b]: [tf.TensorInfo, tf.TensorInfo],
  { transA, transB }: { transA: number; transB: number },
): string[] {
  const turned = (x: tf.TensorInfo, turn: number): string => {
    if (turn === 0) return trace.name(x);
    const perm = x.shape.map((_, i) => i);
    const last = perm.splice(-2).reverse();
    return trace.graph.op('Transpose', [trace.name(x)], { perm: [...perm, ...last] });
  };
  return [turned(a, transA), turned(b, transB)];
}

export function registerMatmul(): void {
  kernel<{ transposeA: boolean; transposeB: boolean }>('BatchMatMul', (trace, inputs, attributes) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    const rows = a.shape.at(attributes.transposeA ? -1 : -2) as number;
    const columns = b.shape.at(attributes.transposeB ? -2 : -1) as number;
    const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const shape = [...batch, rows, columns];
    const names = [trace.name(a), trace.name(b)];
    const flags = { transA: Number(attributes.transposeA), transB: Number(attributes.transposeB) };
    // A plain product stays a MatMul: onnxruntime merges a following Add of a bias into it.
    if (flags.transA + flags.transB === 0) return trace.emit('MatMul', names, shape, 'float32');
    // Gemm and FusedMatMul read a transposed operand in place.
    if (shape.length === 2) return trace.emit('Gemm', names, shape, 'float32', flags);
    if (trace.symbolic) return trace.emit('MatMul', standard(trace, [a, b], flags), shape, 'float32');
    return trace.emit('FusedMatMul', names, shape, 'float32', flags, MICROSOFT);
  });
}
