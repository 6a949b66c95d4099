import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/devices.ts';
import { tf } from '../../src/tfjs.ts';
import { traceSymbolic } from '../../src/tracer/symbolic.ts';
import { isSymbolic, isTracing } from '../../src/tracer/trace.ts';
import { numbers, reference } from './compare.ts';

type Build = (tensors: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;

/** Runs a model of x [rows, steps, 3] for some sizes beside tfjs's own backend. */
async function compare(build: Build): Promise<number> {
  const inputs = [
    { name: 'x', shape: ['rows', 'steps', 3] },
    { name: 'w', shape: [3, 2], data: numbers(6, 1) },
  ];
  const model = traceSymbolic(inputs, build);
  expect(model.inputs.map(({ name, shape }) => [name, shape])).toEqual([['x', ['rows', 'steps', 3]]]);
  const session = await createSession(model.bytes, { device: 'cpu', threads: 1 });
  let worst = 0;
  await tf.setBackend('cpu');
  for (const [rows, steps] of [
    [1, 1],
    [2, 5],
    [7, 3],
  ] as const) {
    const x = numbers(rows * steps * 3, rows);
    const { y } = await session.run({ x: { data: x, shape: [rows, steps, 3] } });
    const expected = build({ x: tf.tensor(x, [rows, steps, 3]), w: tf.tensor(numbers(6, 1), [3, 2]) })[
      'y'
    ] as tf.Tensor;
    expect(y?.shape).toEqual(expected.shape);
    expected.dataSync().forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - (y?.data[i] as number)));
    });
  }
  await session.release();
  return worst;
}

describe('traceSymbolic', () => {
  it(`is one model for every size (${reference})`, async () => {
    const build: Build = ({ x, w }) => {
      const [rows, steps] = (x as tf.Tensor).shape as [number, number];
      const flat = tf.reshape(x as tf.Tensor, [rows * steps, 3]);
      const product = tf.reshape(tf.matMul(flat, w as tf.Tensor), [rows, steps, 2]);
      const scores = tf.matMul(product, tf.tile(tf.ones([1, steps, 2]), [rows, 1, 1]), false, true); // [rows, steps, steps]
      const position = tf.add(scores, tf.range(0, steps, 1, 'float32'));
      const shifted = tf.add(position, tf.mul(tf.scalar(2 * steps), tf.ones([rows, 1, 1])));
      return { y: tf.mean(tf.reverse(shifted, 1), 1) };
    };
    expect(await compare(build)).toBeLessThan(1e-4);
  });

  it('uses standard operators only, and names the open sizes of its outputs', () => {
    const { bytes, outputs } = traceSymbolic([{ name: 'x', shape: ['rows', 'steps', 3] }], ({ x }) => ({
      y: tf.matMul(x as tf.Tensor, x as tf.Tensor, false, true),
      z: tf.reshape(x as tf.Tensor, [-1, 3]),
    }));
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['y', ['rows', 'steps', 'steps']],
      ['z', ['rows*steps', 3]],
    ]);
    expect(Buffer.from(bytes).toString('latin1')).not.toContain('FusedMatMul');
  });

  it('tells code that it is for every size, and only while it runs', () => {
    const seen: boolean[] = [];
    traceSymbolic([{ name: 'x', shape: ['rows'] }], ({ x }) => {
      seen.push(isSymbolic(), isTracing());
      return { y: tf.neg(x as tf.Tensor) };
    });
    expect(seen).toEqual([true, false, true, false]);
    expect(() =>
      traceSymbolic([{ name: 'x', shape: ['rows'] }], () => {
        throw new Error('broken');
      }),
    ).toThrow('broken');
    expect(isSymbolic()).toBe(false);
  });

  it.each([
    ['other operations', (x: tf.Tensor) => (x.shape[0] < 110 ? tf.neg(x) : tf.tanh(x)), /other operations/],
    ['a root of a size', (x: tf.Tensor) => tf.mul(x, Math.sqrt(x.shape[0])), /no product of sizes/],
    [
      'indices in an order of its own',
      (x: tf.Tensor) =>
        tf.gather(
          x,
          Array.from(x.shape.slice(0, 1), (n) =>
            Array.from({ length: n }, (_, i) => n - 1 - i),
          )[0] as number[],
        ),
      /no form for every size/,
    ],
  ])('refuses %s', (_, build, message) => {
    expect(() =>
      traceSymbolic([{ name: 'x', shape: ['rows'] }], ({ x }) => ({ y: build(x as tf.Tensor) })),
    ).toThrow(message);
  });
});
