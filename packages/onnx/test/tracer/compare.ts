import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { expect } from 'vitest';
import { createSession, type Feeds, type HostData, tf, trace } from '@lsgmer/onnx';

// Silences tfjs's greeting, and makes it check its own bookkeeping after every kernel.
tf.env().set('IS_TEST', true);
export const reference = `cpu ${cpu.version_cpu}`;

/** Deterministic uniform numbers in [low, high): a linear congruential generator is enough here. */
export function numbers(count: number, seed: number, low = -2, high = 2): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

export interface Operand {
  readonly shape: readonly number[];
  readonly dtype?: 'float32' | 'int32';
  readonly low?: number;
  readonly high?: number;
  /** Instead of random numbers. */
  readonly values?: readonly number[];
}

export type Op = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

interface Outcome {
  readonly values: Float32Array[];
  readonly shapes: number[][];
}

/**
 * Checks one function of tensors: traced and run by onnxruntime, it gives what tfjs's CPU backend gives eagerly,
 * and so do the gradients of a randomly weighted sum of its outputs with respect to its float inputs.
 */
export async function expectSame(
  op: Op,
  operands: readonly Operand[],
  options: { readonly gradients?: boolean; readonly tolerance?: number } = {},
): Promise<void> {
  const { gradients = true, tolerance = 1e-5 } = options;
  const data = operands.map((operand, i) => operandData(operand, i + 1));
  const expected = await eager(op, operands, data, gradients);
  const found = await traced(op, operands, data, gradients);
  expect(found.shapes).toEqual(expected.shapes);
  for (const [i, values] of expected.values.entries()) {
    expectClose(found.values[i] as Float32Array, values, tolerance, `result ${i}`);
  }
}

/** The largest difference is below `tolerance` times the largest expected value (or 1). */
export function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  expect(found.length, what).toBe(expected.length);
  let scale = 1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i] as number));
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number];
    if (Object.is(a, b) || Math.abs(a - b) <= tolerance * scale) continue;
    expect.fail(
      `${what}: element ${i} of ${expected.length} is ${a}, expected ${b} (tolerance ${tolerance * scale})`,
    );
  }
}

function operandData(operand: Operand, seed: number): Float32Array | Int32Array {
  const count = operand.shape.reduce((a, b) => a * b, 1);
  const values = operand.values ?? numbers(count, seed + count, operand.low, operand.high);
  return operand.dtype === 'int32' ? Int32Array.from(values, Math.floor) : Float32Array.from(values);
}

/** The outputs of `op`, then the gradients. */
function results(op: Op, inputs: tf.Tensor[], gradients: boolean): tf.Tensor[] {
  const outputs = list(op(...inputs));
  if (!gradients) return outputs;
  const floats = inputs.filter((input) => input.dtype === 'float32');
  const objective = (...variables: tf.Tensor[]): tf.Scalar => {
    const rest = [...variables];
    const all = inputs.map((input) => (input.dtype === 'float32' ? (rest.shift() as tf.Tensor) : input));
    const terms = list(op(...all)).map((output, i) => {
      const weights = tf.tensor(numbers(output.size, 77 + i), output.shape);
      return tf.sum(tf.mul(output, weights));
    });
    return tf.addN(terms) as tf.Scalar;
  };
  return [...outputs, ...tf.valueAndGrads(objective)(floats).grads];
}

function list(tensors: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(tensors) ? tensors : [tensors];
}

async function eager(
  op: Op,
  operands: readonly Operand[],
  data: readonly (Float32Array | Int32Array)[],
  gradients: boolean,
): Promise<Outcome> {
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const inputs = operands.map(({ shape, dtype }, i) =>
      tf.tensor(data[i] as Float32Array, [...shape], dtype ?? 'float32'),
    );
    const tensors = results(op, inputs, gradients);
    return {
      values: tensors.map((tensor) => Float32Array.from(tensor.dataSync())),
      shapes: tensors.map((tensor) => tensor.shape),
    };
  });
}

async function traced(
  op: Op,
  operands: readonly Operand[],
  data: readonly (Float32Array | Int32Array)[],
  gradients: boolean,
): Promise<Outcome> {
  const inputs = operands.map(({ shape, dtype }, i) => ({
    name: `in${i}`,
    shape,
    dtype: dtype ?? 'float32',
  }));
  const model = trace(inputs, (tensors) => {
    const list = results(
      op,
      inputs.map(({ name }) => tensors[name] as tf.Tensor),
      gradients,
    );
    return Object.fromEntries(list.map((tensor, i) => [`out${i}`, tensor]));
  });
  const session = await createSession(model.bytes, { device: 'cpu', threads: 1 });
  const feeds: Feeds = Object.fromEntries(
    inputs.map(({ name, shape }, i) => [name, { data: data[i] as HostData, shape }]),
  );
  const outputs = Object.values(await session.run(feeds));
  await session.release();
  return {
    values: outputs.map((output) => Float32Array.from(output.data as Float32Array)),
    shapes: outputs.map((output) => [...output.shape]),
  };
}
