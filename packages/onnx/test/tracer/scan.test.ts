import { describe, expect, it } from 'vitest';
import { createSession, scan, tf, trace } from '@lsgmer/onnx';
import { expectClose, numbers } from './compare.ts';

const T = (x?: tf.Tensor): tf.Tensor => x as tf.Tensor;

/** h_t = tanh(x_t + h_{t-1} W), steps and states as plain numbers. */
function recurrence(x: Float32Array, w: Float32Array, steps: number, width: number): number[][] {
  let state = Array.from({ length: width }, () => 0);
  return Array.from({ length: steps }, (_, t) => {
    state = state.map((_, j) => {
      let sum = x[t * width + j] as number;
      for (let i = 0; i < width; i++) sum += (state[i] as number) * (w[i * width + j] as number);
      return Math.tanh(sum);
    });
    return state;
  });
}

describe('scan', () => {
  const steps = 5;
  const width = 3;
  const inputs = [
    { name: 'x', shape: [steps, width], dtype: 'float32' },
    { name: 'w', shape: [width, width], dtype: 'float32' },
  ] as const;
  const x = numbers(steps * width, 1);
  const w = numbers(width * width, 2, -1, 1);

  async function evaluate(reversed: 'all' | undefined): Promise<Record<string, Float32Array>> {
    const model = trace(inputs, (given) => {
      const { states, outputs } = scan({
        initial: { h: tf.zeros<tf.Rank>([1, width]) },
        sequences: { x: T(given.x) },
        ...(reversed === undefined ? {} : { reversed }),
        body: ({ h }, element) => {
          const next = tf.tanh(tf.add(element.x, tf.matMul(h, T(given.w)))); // [1, width]
          // The same value as state and as output; an input passed through; a constant.
          return { states: { h: next }, outputs: { h: next, copy: element.x, one: tf.ones([2]) } };
        },
      });
      return { last: states.h, all: outputs.h, copy: outputs.copy, ones: outputs.one };
    });
    const session = await createSession(model.bytes, { device: 'cpu' });
    const results = await session.run({
      x: { data: x, shape: [steps, width] },
      w: { data: w, shape: [width, width] },
    });
    await session.release();
    expect(results.all?.shape).toEqual([steps, 1, width]);
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  }

  it('runs a recurrence forwards', async () => {
    const results = await evaluate(undefined);
    const expected = recurrence(x, w, steps, width);
    expectClose(results.all ?? [], expected.flat(), 1e-6);
    expectClose(results.last ?? [], expected.at(-1) ?? [], 1e-6);
    expect(results.copy).toEqual(x);
    expect(results.ones).toEqual(new Float32Array(2 * steps).fill(1));
  });

  it('runs a recurrence backwards, its outputs in the order of time', async () => {
    const results = await evaluate('all');
    const backwards = Float32Array.from({ length: x.length }, (_, i) => {
      const [t, j] = [Math.floor(i / width), i % width];
      return x[(steps - 1 - t) * width + j] as number;
    });
    const expected = recurrence(backwards, w, steps, width);
    expectClose(results.last ?? [], expected.at(-1) ?? [], 1e-6);
    expectClose(results.all ?? [], expected.toReversed().flat(), 1e-6);
    expect(results.copy).toEqual(x);
  });

  it('runs some sequences and outputs backwards, the others forwards', async () => {
    const model = trace([inputs[0]], (given) => {
      const { outputs } = scan({
        initial: { sum: tf.zeros<tf.Rank>([width]) },
        sequences: { forward: T(given.x), backward: T(given.x) },
        reversed: ['backward', 'flipped'],
        body: ({ sum }, { forward, backward }) => {
          const next = tf.add(sum, tf.sub(forward, backward));
          return { states: { sum: next }, outputs: { plain: next, flipped: tf.neg(backward) } };
        },
      });
      return outputs;
    });
    const session = await createSession(model.bytes, { device: 'cpu' });
    const results = await session.run({ x: { data: x, shape: [steps, width] } });
    await session.release();
    // In the order of time, what was read backwards is back at its place.
    expectClose(
      results.flipped?.data as Float32Array,
      x.map((value) => -value),
      1e-6,
    );
    const expected: number[] = [];
    const sum = Array.from({ length: width }, () => 0);
    for (let t = 0; t < steps; t++) {
      for (let j = 0; j < width; j++) {
        sum[j] =
          (sum[j] as number) + (x[t * width + j] as number) - (x[(steps - 1 - t) * width + j] as number);
        expected.push(sum[j] as number);
      }
    }
    expectClose(results.plain?.data as Float32Array, expected, 1e-6);
  });

  it('refuses to run outside a trace, on a gradient tape, and with states or lengths that do not fit', () => {
    const body = (h: tf.Tensor): Parameters<typeof scan>[0] => ({
      initial: { h: tf.zeros([2]) },
      sequences: { x: tf.zeros([steps, 2]) },
      body: () => ({ states: { h }, outputs: {} }),
    });
    expect(() => scan(body(tf.zeros([2])))).toThrow('scan() outside trace()');
    expect(() =>
      trace([inputs[0]], (given) => ({ y: tf.grad((v) => T(scan(body(tf.sum(v))).states.h))(T(given.x)) })),
    ).toThrow('put it into a tf.customGrad');
    expect(() => trace([inputs[0]], () => ({ y: T(scan(body(tf.zeros([3]))).states.h) }))).toThrow(
      'state h of a scan is [2] before a step, [3] after',
    );
    expect(() =>
      trace([inputs[0]], () => {
        const sequences = { a: tf.zeros([3]), b: tf.zeros([4]) };
        return { y: T(scan({ ...body(tf.zeros([2])), sequences }).states.h) };
      }),
    ).toThrow('need one common length, got 3, 4');
  });
});
