import { ELEMENT_TYPES } from '../../element-type.ts';
import { float } from '../../graph.ts';
import { tf } from '../../tfjs.ts';
import { elementType, type TraceBackend } from '../backend.ts';
import { input, inputList, kernel } from './kernel.ts';

const broadcast = tf.backend_util.assertAndGetBroadcastShape;

/** tfjs kernels of two broadcast operands, and the ONNX operator that computes the same. */
const BINARY = {
  Add: 'Add',
  Sub: 'Sub',
  Multiply: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
  Pow: 'Pow',
};

const COMPARISON = {
  Equal: 'Equal',
  Greater: 'Greater',
  GreaterEqual: 'GreaterOrEqual',
  Less: 'Less',
  LessEqual: 'LessOrEqual',
  LogicalAnd: 'And',
  LogicalOr: 'Or',
};

const UNARY = {
  Abs: 'Abs',
  Ceil: 'Ceil',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Round: 'Round',
  Sigmoid: 'Sigmoid',
  Sign: 'Sign',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tanh: 'Tanh',
};

export function registerElementwise(): void {
  for (const [name, type] of Object.entries(BINARY)) {
    kernel(name, (trace, inputs) => {
      const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
      return trace.emit(type, [trace.name(a), trace.name(b)], broadcast(a.shape, b.shape), a.dtype);
    });
  }
  for (const [name, type] of Object.entries(COMPARISON)) {
    kernel(name, (trace, inputs) => compare(trace, type, input(inputs, 'a'), input(inputs, 'b')));
  }
  for (const [name, type] of Object.entries(UNARY)) {
    kernel(name, (trace, inputs) => unary(trace, type, input(inputs, 'x')));
  }
  kernel('NotEqual', (trace, inputs) => {
    const equal = compare(trace, 'Equal', input(inputs, 'a'), input(inputs, 'b'));
    return unary(trace, 'Not', equal);
  });
  kernel('LogicalNot', (trace, inputs) => unary(trace, 'Not', input(inputs, 'x')));
  kernel('AddN', (trace, inputs) => {
    const [first, ...rest] = inputList(inputs) as [tf.TensorInfo, ...tf.TensorInfo[]];
    let sum = trace.same(first);
    for (const term of rest) {
      sum = trace.emit('Add', [trace.name(sum), trace.name(term)], first.shape, first.dtype);
    }
    return sum;
  });
  registerComposed();
  registerTypes();
}

/** Kernels that take more than one node. */
function registerComposed(): void {
  kernel('Square', (trace, inputs) => {
    const x = input(inputs, 'x');
    return trace.emit('Mul', [trace.name(x), trace.name(x)], x.shape, x.dtype);
  });
  kernel('SquaredDifference', (trace, inputs) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')];
    const shape = broadcast(a.shape, b.shape);
    const difference = trace.name(trace.emit('Sub', [trace.name(a), trace.name(b)], shape, a.dtype));
    return trace.emit('Mul', [difference, difference], shape, a.dtype);
  });
  kernel('Rsqrt', (trace, inputs) => unary(trace, 'Reciprocal', unary(trace, 'Sqrt', input(inputs, 'x'))));
  kernel('Expm1', (trace, inputs) => {
    const x = input(inputs, 'x');
    return trace.emit('Sub', [trace.name(unary(trace, 'Exp', x)), trace.graph.scalar(1)], x.shape, x.dtype);
  });
  kernel('Log1p', (trace, inputs) => {
    const x = input(inputs, 'x');
    return unary(trace, 'Log', trace.emit('Add', [trace.name(x), trace.graph.scalar(1)], x.shape, x.dtype));
  });
  kernel<{ alpha: number }>('LeakyRelu', (trace, inputs, { alpha }) => {
    const x = input(inputs, 'x');
    return trace.emit('LeakyRelu', [trace.name(x)], x.shape, x.dtype, { alpha: float(alpha) });
  });
  kernel('Relu6', (trace, inputs) => clip(trace, input(inputs, 'x'), 0, 6));
  kernel<{ clipValueMin: number; clipValueMax: number }>('ClipByValue', (trace, inputs, attributes) =>
    clip(trace, input(inputs, 'x'), attributes.clipValueMin, attributes.clipValueMax),
  );
  kernel('EluGrad', (trace, inputs) => {
    // y is Elu's result: the slope is 1 above 0 and y + 1 below.
    const [dy, y] = [input(inputs, 'dy'), input(inputs, 'y')];
    const { graph } = trace;
    const slope = graph.op('Min', [graph.op('Add', [trace.name(y), graph.scalar(1)]), graph.scalar(1)]);
    return trace.emit('Mul', [trace.name(dy), slope], y.shape, y.dtype);
  });
  kernel<{ alpha: number }>('Step', (trace, inputs, { alpha }) => {
    // 1 above 0, alpha elsewhere; tfjs leaves NaN as it is, which no gradient relies on.
    const x = input(inputs, 'x');
    const { graph } = trace;
    const above = graph.op('Greater', [trace.name(x), graph.scalar(0, elementType(x.dtype))]);
    if (alpha !== 0) {
      return trace.emit('Where', [above, graph.scalar(1), graph.scalar(alpha)], x.shape, 'float32');
    }
    return trace.emit('Cast', [above], x.shape, 'float32', { to: ELEMENT_TYPES.float32 });
  });
  kernel('Select', (trace, inputs) => {
    const [condition, t, e] = [input(inputs, 'condition'), input(inputs, 't'), input(inputs, 'e')];
    return trace.emit('Where', [trace.name(condition), trace.name(t), trace.name(e)], t.shape, t.dtype);
  });
}

function registerTypes(): void {
  kernel('Identity', (trace, inputs) => trace.same(input(inputs, 'x')));
  kernel<{ dtype: tf.DataType }>('Cast', (trace, inputs, { dtype }) => {
    const x = input(inputs, 'x');
    if (x.dtype === dtype) return trace.same(x);
    return trace.emit('Cast', [trace.name(x)], x.shape, dtype, { to: ELEMENT_TYPES[elementType(dtype)] });
  });
}

function unary(trace: TraceBackend, type: string, x: tf.TensorInfo): tf.TensorInfo {
  return trace.emit(type, [trace.name(x)], x.shape, x.dtype);
}

function compare(trace: TraceBackend, type: string, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  return trace.emit(type, [trace.name(a), trace.name(b)], broadcast(a.shape, b.shape), 'bool');
}

function clip(trace: TraceBackend, x: tf.TensorInfo, min: number, max: number): tf.TensorInfo {
  const type = elementType(x.dtype);
  const bounds = [trace.graph.scalar(min, type), trace.graph.scalar(max, type)];
  return trace.emit('Clip', [trace.name(x), ...bounds], x.shape, x.dtype);
}
